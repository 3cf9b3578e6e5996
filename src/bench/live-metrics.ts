/**
 * The figures of a run while it goes on, for `--metrics-listen`: counted from the rows of requests that the sending
 * threads hand over four times a second, on the thread of the command.
 */
import { bucketsOf, type Family, type Labels, summaryOf } from '../exports/families.ts'
import { type ListenAddress, serveMetrics } from '../exports/listen.ts'
import { metricsText } from '../exports/openmetrics.ts'
import type { LiveBlock } from '../load/live-blocks.ts'
import type { Progress } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { rowFacts, rowsOf } from '../load/samples.ts'
import { Histogram } from '../stats/histogram.ts'

/** Of latencies and times to first token; from a cache's answer to a long one's. */
const BOUNDS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

type Heard = Pick<Progress, 'phase' | 'inFlight' | 'elapsedUs'>

/** The blocks of an arm that are over. */
type EndedBlocks = (arm: number) => readonly Pick<LiveBlock, 'stamped' | 'selfReported'>[]

interface LiveArm {
  name: string
  outcomes: Record<string, number>
  latency: Histogram
  ttft: Histogram
}

/** Says where they are. */
export async function openLiveMetrics(
  at: ListenAddress | undefined,
  note: (line: string) => void,
): Promise<LiveMetrics | undefined> {
  if (!at) return undefined
  const live = new LiveMetrics()
  note(`Metrics of the run, while it goes on: ${await live.listen(at)}`)
  return live
}

export class LiveMetrics {
  #arms: LiveArm[] = []
  #common: Labels = {}
  #lost = 0
  #ended: EndedBlocks = () => []
  #progress: Heard | undefined
  #close: (() => Promise<void>) | undefined

  /** Throws a UserError where the port cannot be had. Returns the address of the page. */
  async listen(at: ListenAddress): Promise<string> {
    const server = await serveMetrics(at, (openMetrics) => metricsText(this.#families(), this.#common, openMetrics))
    this.#close = server.close
    return server.url
  }

  begin({ arms, workload }: RunPlan, run: string, ended: EndedBlocks = () => []): void {
    this.#ended = ended
    this.#common = { model: workload.model, run }
    this.#arms = arms.map(({ name }) => ({ name, outcomes: {}, latency: new Histogram(), ttft: new Histogram() }))
  }

  heard(progress: Heard): void {
    this.#progress = progress
  }

  add(rows: Float64Array, lost: number): void {
    this.#lost += lost
    for (const row of rowsOf(rows)) {
      const { arm: index, outcome, latencyUs, ttftUs } = rowFacts(row)
      const arm = this.#arms[index]
      if (!arm) continue
      arm.outcomes[outcome] = (arm.outcomes[outcome] ?? 0) + 1
      if (outcome !== 'OK') continue
      arm.latency.record(latencyUs)
      if (!Number.isNaN(ttftUs)) arm.ttft.record(ttftUs)
    }
  }

  async close(): Promise<void> {
    await this.#close?.()
  }

  #families(): Family[] {
    const gauge = (name: string, help: string, value: number | undefined): Family => ({
      name: `kt_bench_live_${name}`,
      type: 'gauge',
      help,
      points: value === undefined ? [] : [{ labels: {}, value }],
    })
    const { phase, inFlight, elapsedUs } = this.#progress ?? {}
    const measuring = phase === 'measuring'
    const families: Family[] = [
      {
        name: 'kt_bench_live_requests',
        type: 'counter',
        help: 'Measured requests that have ended, by how they ended.',
        points: this.#arms.flatMap(({ name: arm, outcomes }) =>
          Object.entries(outcomes).map(([outcome, value]) => ({ labels: { arm, outcome }, value })),
        ),
      },
      this.#histogram('latency', 'From the intended time to the end, of answered requests.'),
      this.#histogram('ttft', 'From the sending to the first token, of answered streams.'),
      this.#overhead(),
      gauge('measuring', 'Whether the run is measured now: 1, or 0 before and after.', measuring ? 1 : 0),
      gauge('elapsed_seconds', 'For how long it has been measured.', measuring ? (elapsedUs ?? 0) / 1e6 : undefined),
      gauge('in_flight', 'Requests in flight.', inFlight),
      gauge(
        'uncounted',
        'Requests that are missing here, because they came faster than they were counted.',
        this.#lost,
      ),
    ]
    return families.filter(({ points }) => points.length > 0)
  }

  #overhead(): Family {
    return {
      name: 'kt_bench_live_overhead_seconds',
      type: 'summary',
      help: 'What the gateway added, in the blocks that are over.',
      unit: 'seconds',
      points: this.#arms.flatMap(({ name: arm }, index) =>
        Object.entries(overheadOf(this.#ended(index))).map(([definition, parts]) =>
          summaryOf({ arm, definition }, Histogram.merge(parts)),
        ),
      ),
    }
  }

  #histogram(of: 'latency' | 'ttft', help: string): Family {
    const measured = this.#arms.filter((arm) => arm[of].count > 0)
    return {
      name: `kt_bench_live_${of}_seconds`,
      type: 'histogram',
      help,
      unit: 'seconds',
      points: measured.map((arm) => bucketsOf({ arm: arm.name }, arm[of], BOUNDS_S)),
    }
  }
}

/** The readings of each block by their definition; a definition without any is left out. */
function overheadOf(blocks: ReturnType<EndedBlocks>): Record<string, Histogram[]> {
  const found: Record<string, Histogram[]> = {}
  for (const { stamped, selfReported } of blocks) {
    for (const [definition, values] of Object.entries({ 'provider-stamped': stamped, ...selfReported })) {
      if (!values || values.count === 0) continue
      found[definition] ??= []
      found[definition].push(values)
    }
  }
  return found
}
