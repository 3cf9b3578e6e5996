/** A trace on its way through a bench: opened and checked before the run, fed while it lasts, its fidelity after it. */
import { EXIT, UserError } from '../errors.ts'
import type { ArmRecord } from '../load/arm-record.ts'
import type { RunRecord } from '../load/merge.ts'
import { toMs } from '../report/duration-summary.ts'
import type { Replay } from '../report/schema.ts'
import { Histogram } from '../stats/histogram.ts'
import { ksDistance } from '../stats/ks.ts'
import { TraceFeed, type TraceFile, type TraceTotals } from '../workload/traces/feed.ts'
import { createRing, RingRows, type TraceRing } from '../workload/traces/ring.ts'
import { type TraceSource, traceOf, type WorkloadSpec } from '../workload/workload.ts'

/** Gaps that are shorter count as this long: what a timer does with them is no part of a trace. */
const SHORTEST_GAP_US = 100

export interface OpenReplay {
  /** The number of threads that share the rows. */
  share(workers: number): void
  /** What was asked for beside what was sent. Throws where the trace was found to be faulty during the run. */
  finish(record: Pick<RunRecord, 'arms'>): Promise<Replay>
  close(): Promise<unknown>
}

/**
 * Reads the trace, and begins to feed it to the ring of the workload; undefined without a trace. A trace that does not
 * come, as through a FIFO without a writer, is waited for until `interrupt`. `arms`: those that will send it.
 */
export async function openReplay(
  file: TraceFile | undefined,
  workload: WorkloadSpec,
  { arms, interrupt }: { arms?: number; interrupt?: AbortSignal } = {},
): Promise<OpenReplay | undefined> {
  const source = traceOf(workload)
  if (!file || !source) return undefined
  source.ring = createRing(arms)
  const gaps = new SentGaps(source.ring)
  const feed = new TraceFeed(file, source.ring, (from, to) => gaps.add(from, to))
  const stop = (): void => feed.stop()
  interrupt?.addEventListener('abort', stop)
  if (feed.regular) learn(source, await feed.scan())
  await feed.start()
  interrupt?.removeEventListener('abort', stop)
  if (interrupt?.aborted) {
    await feed.close()
    throw new UserError(
      `interrupted before anything was sent of ${file.path}`,
      'Where it is a FIFO, start what writes to it.',
      EXIT.interrupted,
    )
  }
  return {
    share: (workers) => {
      feed.workers = workers
    },
    finish: async (record) => {
      const totals = await feed.close()
      if (feed.fault || !totals) throw feed.fault ?? new Error('a trace without totals')
      learn(source, totals)
      return describe(file, workload.name, totals, record, gaps)
    },
    close: () => feed.close(),
  }
}

function learn(source: TraceSource, totals: TraceTotals): void {
  source.totals = totals
  source.sha256 = totals.sha256
}

function describe(
  { selection: { speed, share, fromUs, toUs } }: TraceFile,
  name: string,
  { format, rows, failed, spanUs }: TraceTotals,
  { arms }: Pick<RunRecord, 'arms'>,
  gaps: SentGaps,
): Replay {
  return {
    trace: name,
    format,
    speed,
    ...(share < 1 ? { share } : {}),
    ...(fromUs > 0 ? { fromS: fromUs / 1e6 } : {}),
    ...(Number.isFinite(toUs) ? { toS: toUs / 1e6 } : {}),
    requests: rows,
    ...(failed > 0 ? { failedLeftOut: failed } : {}),
    spanS: spanUs / 1e6,
    arms: arms.flatMap((arm, index) => fidelityOf(arm, index, gaps) ?? []),
  }
}

function fidelityOf(
  { name, replay, tokens }: ArmRecord,
  index: number,
  gaps: SentGaps,
): Replay['arms'][number] | undefined {
  if (!replay) return undefined
  const late = Histogram.unpack(replay.late)
  const { asked, sent } = gaps.of(index)
  const distance = ksDistance(asked, sent)
  return {
    name,
    lateMs:
      late.count > 0
        ? { p50: toMs(late.quantileUs(0.5)), p99: toMs(late.quantileUs(0.99)), max: toMs(late.maxUs) }
        : null,
    gapsKs: Number.isNaN(distance) ? null : Math.round(distance * 1e4) / 1e4,
    inputTokens: { asked: replay.inputTokens, counted: tokens.input },
    outputTokens: { asked: replay.outputTokens, counted: tokens.output },
  }
}

/** By arm: the times between requests as they were asked for, and as they left. */
class SentGaps {
  readonly #rows: RingRows
  readonly #arms: { asked: Histogram; sent: Histogram; lastDueUs: number; lastLeftUs: number }[]

  constructor(ring: TraceRing) {
    this.#rows = new RingRows(ring)
    this.#arms = Array.from({ length: this.#rows.arms }, () => ({
      ...{ asked: new Histogram(), sent: new Histogram() },
      ...{ lastDueUs: Number.NaN, lastLeftUs: Number.NaN },
    }))
  }

  of(arm: number): { asked: Histogram; sent: Histogram } {
    return this.#arms[arm] ?? { asked: new Histogram(), sent: new Histogram() }
  }

  /** Rows that all senders are done with. Of several senders one may be ahead, so their times are put in order. */
  add(from: number, to: number): void {
    for (const [arm, gaps] of this.#arms.entries()) {
      const left: number[] = []
      for (let row = from; row < to; row++) {
        const leftUs = this.#rows.leftAtUs(arm, row)
        if (Number.isNaN(leftUs)) continue
        left.push(leftUs)
        const dueUs = this.#rows.dueUs(row)
        if (!Number.isNaN(gaps.lastDueUs)) gaps.asked.record(Math.max(SHORTEST_GAP_US, dueUs - gaps.lastDueUs))
        gaps.lastDueUs = dueUs
      }
      for (const leftUs of left.sort((a, b) => a - b)) {
        if (!Number.isNaN(gaps.lastLeftUs)) gaps.sent.record(Math.max(SHORTEST_GAP_US, leftUs - gaps.lastLeftUs))
        gaps.lastLeftUs = leftUs
      }
    }
  }
}
