/** What a report has of one arm: its counts, distributions, rates, overhead, blocks and categories. */
import { addCounts } from '../load/add-up.ts'
import type { AnswerNotes } from '../load/answer-notes.ts'
import type { ArmRecord, BlockRecord } from '../load/arm-record.ts'
import type { CategoryRecord } from '../load/category-recorder.ts'
import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { summarizeDurations, toMs } from '../report/duration-summary.ts'
import { type EncodedHistogram, writeHistogram } from '../report/histogram-text.ts'
import type { Agreement, ArmResult, Block } from '../report/schema.ts'
import { type Category, tailTargets } from '../slo/category.ts'
import { METRICS, type Metric } from '../slo/metrics.ts'
import { Histogram, type PackedHistogram } from '../stats/histogram.ts'
import { heldUp } from '../stats/starvation.ts'
import type { MachineEvidence } from '../system/machine-watch.ts'
import type { Budgets } from '../verdict/components.ts'
import { toConversations } from './build-conversations.ts'
import { toCache, toModels } from './build-groups.ts'
import type { OneWayDelays } from './build-overhead.ts'
import { buildOverhead, buildSignals } from './build-overhead.ts'
import { buildThroughput, loadTimeUs } from './build-throughput.ts'
import type { WastedTokens } from './wasted-tokens.ts'

/** What is known of the arms beside what their answers recorded. */
export interface ArmContext {
  /** The address of each arm, without secrets. */
  urls: string[]
  /** The role of every arm but the baseline, where it is known; otherwise the answers' headers decide. */
  role: 'gateway' | 'direct' | undefined
  budgets: Budgets
  /** By arm. */
  agreements?: readonly (Agreement | undefined)[] | undefined
  /** What the machine that sent withheld from a block of an arm. */
  machineOf?: ((arm: number, block: BlockRecord) => MachineEvidence | undefined) | undefined
  /** By arm. */
  oneWayDelays?: (OneWayDelays | undefined)[]
  /** By arm, where clients left. */
  wastedTokens?: (WastedTokens | undefined)[] | undefined
}

export function buildArm(
  arm: ArmRecord,
  index: number,
  { load, workload, baseline }: RunPlan,
  record: RunRecord,
  context: ArmContext,
): ArmResult {
  const open = load.mode === 'open'
  const delays = context.oneWayDelays?.[index]
  const sent = countSent(arm)
  const successful = arm.outcomes.OK ?? 0
  // The turns of conversations go on after the last session is due.
  const loadUs = open && !workload.conversations ? loadTimeUs(arm) : arm.activeUs
  const signals = buildSignals(arm)
  return {
    name: arm.name,
    ...(index === baseline ? { baseline: true } : {}),
    url: context.urls[index] ?? '',
    ...whatAnswers(arm, index === baseline ? undefined : context.role),
    ...(arm.dropped ? { dropped: toDropped(arm.dropped, record) } : {}),
    totals: {
      sent,
      successful,
      failed: sent - successful,
      durationS: arm.activeUs / 1e6,
      ...(open ? { dueS: arm.dueUs / 1e6 } : {}),
      loadS: loadUs / 1e6,
      outcomes: arm.outcomes,
      connections: { opened: record.opened[index] ?? 0, reused: arm.reused },
      warmup: arm.warmup,
      ...(arm.idleFirst.sent > 0 ? { idleFirst: arm.idleFirst } : {}),
      ...(arm.cutOff > 0 ? { cutOff: arm.cutOff } : {}),
      ...toCanceled(arm.canceled, context.wastedTokens?.[index]),
      ...(arm.told.answers > 0 ? { toldWaits: toToldWaits(arm.told) } : {}),
      inFlight: {
        mean: arm.activeUs > 0 ? Math.round((arm.inFlightUs / arm.activeUs) * 100) / 100 : 0,
        max: arm.mostInFlight,
      },
    },
    ...toAnswers(arm.notes),
    ...summaries(arm),
    throughput: buildThroughput(arm, successful, loadUs),
    overhead: buildOverhead(arm, context.budgets),
    ...(delays
      ? { oneWayMs: { requestPath: delayMs(delays.requestPath), responsePath: delayMs(delays.responsePath) } }
      : {}),
    ...(signals ? { signals } : {}),
    ...toModels(arm, workload, loadUs),
    ...toCache(arm, loadUs),
    ...(arm.conversations ? { conversations: toConversations(arm.conversations) } : {}),
    ...(context.agreements?.[index] ? { agreement: context.agreements[index] } : {}),
    blocks: toBlocks(arm, (block) => context.machineOf?.(index, block)),
    ...toCategories(arm.categories, workload.categories ?? []),
  }
}

/** Before the measurement began: at its beginning. */
function toDropped({ atUs, why }: NonNullable<ArmRecord['dropped']>, { arms }: RunRecord): ArmResult['dropped'] {
  const startedUs = Math.min(...arms.flatMap(({ blocks }) => blocks.slice(0, 1)).map(({ startedAtUs }) => startedAtUs))
  return { atS: Math.max(0, Math.round((atUs - startedUs) / 1e3) / 1e3), why }
}

/** The role of the arm, and its gateway where the answers name it beyond doubt. */
function whatAnswers(
  { name, selfReport: { gateway, unsure } }: ArmRecord,
  known: ArmContext['role'],
): Pick<ArmResult, 'role' | 'gateway'> {
  const named = gateway !== '' && !unsure
  const told = name === 'direct' ? 'direct' : named ? 'gateway' : 'unknown'
  return { role: known ?? told, ...(named ? { gateway } : {}) }
}

/** Absent where there is nothing to say. */
function toAnswers({ empty, unmarked, suspect }: AnswerNotes): Pick<ArmResult, 'answers'> {
  const answers = {
    ...(empty > 0 ? { empty } : {}),
    ...(unmarked > 0 ? { unmarked } : {}),
    ...(suspect.answers > 0 ? { suspect } : {}),
  }
  return Object.keys(answers).length > 0 ? { answers } : {}
}

/** Absent where no client was to leave. */
function toCanceled(
  { rows: _rows, ...counts }: ArmRecord['canceled'],
  wasted: WastedTokens | undefined,
): Pick<ArmResult['totals'], 'canceled'> {
  const sent = sum(Object.values(counts))
  return sent === 0 ? {} : { canceled: { sent, ...counts, wasted: wasted ?? null } }
}

function toToldWaits({ longestUs, waitedUs, ...counts }: ArmRecord['told']) {
  return { ...counts, longestMs: toMs(longestUs), waitedMs: toMs(waitedUs) }
}

function delayMs(delay: Histogram) {
  const [p50, p99] = [delay.quantileUs(0.5), delay.quantileUs(0.99)].map(toMs) as [number, number]
  return { count: delay.count, p50, p99, max: toMs(delay.maxUs) }
}

function summaries(arm: ArmRecord) {
  const entries = Object.entries(arm.metrics).flatMap(([metric, packed]) => {
    const distribution = summarizeDurations(Histogram.unpack(packed))
    return distribution ? [[`${metric as Metric}Ms`, distribution]] : []
  })
  return Object.fromEntries(entries) as Pick<ArmResult, `${Metric}Ms`>
}

const NO_LATENCY = new Histogram(METRICS.latency.digits).pack()

function toBlocks(
  arm: ArmRecord,
  evidenceOf: (block: BlockRecord) => MachineEvidence | undefined,
): ArmResult['blocks'] {
  const firstUs = arm.blocks[0]?.startedAtUs ?? 0
  return arm.blocks.map((block) => {
    const { latency = NO_LATENCY, ...metrics } = block.metrics
    const stamped = Histogram.unpack(block.stamped)
    return {
      index: block.index,
      startedAtS: Math.round((block.startedAtUs - firstUs) / 1e3) / 1e3,
      sent: block.sent,
      outcomes: block.outcomes,
      ...machineOf(block.sent, arm.mostInFlight, evidenceOf(block)),
      latency: written(latency),
      overhead: {
        ...(stamped.count > 0 ? { 'provider-stamped': writeHistogram(stamped) } : {}),
        ...allWritten(block.selfReported),
      },
      ...(Object.keys(block.components).length > 0 ? { components: allWritten(block.components) } : {}),
      metrics: allWritten(metrics),
    }
  })
}

function written(packed: PackedHistogram): EncodedHistogram {
  return writeHistogram(Histogram.unpack(packed))
}

function allWritten<T extends Partial<Record<string, PackedHistogram>>>(
  parts: T,
): { [K in keyof T]: EncodedHistogram } {
  const entries = Object.entries(parts).flatMap(([name, packed]) => (packed ? [[name, written(packed)]] : []))
  return Object.fromEntries(entries)
}

function machineOf(sent: number, inFlight: number, evidence: MachineEvidence | undefined): Pick<Block, 'machine'> {
  return evidence ? { machine: { ...evidence, heldUp: heldUp(sent, evidence, inFlight) } } : {}
}

/**
 * How many requests were sent: they are counted by block as they are released, and the count must equal that of their
 * outcomes. A difference is a bug in kt, and then no figure of the run can be believed.
 */
function countSent({ name, blocks, outcomes }: ArmRecord): number {
  for (const { index, sent, outcomes: ended } of blocks) {
    const known = sum(Object.values(ended))
    if (known !== sent) throw new Error(`block ${index} of ${name}: ${sent} sent, but ${known} ended`)
  }
  const sent = sum(blocks.map((block) => block.sent))
  const known = sum(Object.values(outcomes))
  if (known !== sent) throw new Error(`${name}: ${sent} sent, but ${known} ended`)
  return sent
}

/** Absent where the workload has no categories. */
function toCategories(
  records: readonly CategoryRecord[],
  categories: readonly Category[],
): Pick<ArmResult, 'categories'> {
  const results = records.flatMap(({ name, blocks }) => {
    const category = categories.find((known) => known.name === name)
    if (!category) return []
    const { latencyMs: latency, ttftMs: ttft = null } = tailTargets(category)
    const whole = (of: 'latency' | 'ttft') =>
      summarizeDurations(Histogram.merge(blocks.map((block) => Histogram.unpack(block[of]))))
    const [latencyMs, ttftMs] = [whole('latency'), whole('ttft')]
    const outcomes = addCounts(blocks.map((block) => block.outcomes))
    return [
      {
        name,
        sent: sum(Object.values(outcomes)),
        outcomes,
        targetsMs: { latency, ttft },
        ...(latencyMs ? { latencyMs } : {}),
        ...(ttftMs ? { ttftMs } : {}),
        blocks: blocks.map(({ latency, ttft, ...block }) => ({
          ...block,
          sent: sum(Object.values(block.outcomes)),
          latency: written(latency),
          ttft: written(ttft),
        })),
      },
    ]
  })
  return results.length === 0 ? {} : { categories: results }
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
