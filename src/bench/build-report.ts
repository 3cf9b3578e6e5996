/** From what a run recorded to the report kt.bench/2: a pure change of shape, without files or a clock. */

import { addCounts } from '../load/add-up.ts'
import type { AnswerNotes } from '../load/answer-notes.ts'
import type { ArmRecord, BlockRecord } from '../load/arm-record.ts'
import type { CategoryRecord } from '../load/category-recorder.ts'
import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { summarizeDurations, toMs } from '../report/duration-summary.ts'
import { armRun } from '../report/runs.ts'
import type { Agreement, ArmResult, BenchReport, Block, Replay, RunCost } from '../report/schema.ts'
import { REPORT_SCHEMA } from '../report/schema.ts'
import { DEFAULT_ARRIVAL } from '../schedule/arrivals.ts'
import { type Category, tailTargets } from '../slo/category.ts'
import { METRICS, type Metric } from '../slo/metrics.ts'
import { Histogram } from '../stats/histogram.ts'
import { heldUp } from '../stats/starvation.ts'
import type { Commit } from '../system/commit.ts'
import type { Machine } from '../system/machine.ts'
import type { MachineEvidence } from '../system/machine-watch.ts'
import type { Budgets } from '../verdict/components.ts'
import { judgeSoak } from '../verdict/soak.ts'
import { runSteadiness } from '../verdict/steadiness.ts'
import type { Watched } from '../watch/watch.ts'
import type { Outcome } from '../wire/outcome.ts'
import { workloadDigests } from '../workload/asked.ts'
import { traceOf, type WorkloadSpec } from '../workload/workload.ts'
import { toConversations } from './build-conversations.ts'
import { toCache, toModels } from './build-groups.ts'
import { describeLoad, meanRateOf } from './build-load.ts'
import type { OneWayDelays } from './build-overhead.ts'
import { buildOverhead, buildSignals } from './build-overhead.ts'
import { buildThroughput, loadTimeUs } from './build-throughput.ts'
import { judgeClient } from './judge-client.ts'
import type { SamplesResult } from './sample-file.ts'
import type { WastedTokens } from './wasted-tokens.ts'

export interface RunContext {
  version: string
  gitSha: string | null
  /** The commit that is measured. */
  commit: Commit | undefined
  labels: Readonly<Record<string, string>>
  startedAt: string
  /** The command line, without secrets. */
  command: string
  machine: Machine
  /** The address of each arm, without secrets. */
  urls: string[]
  runId: string
  /** The role of every arm but the baseline, where it is known; otherwise the answers' headers decide. */
  role: 'gateway' | 'direct' | undefined
  budgets: Budgets
  /** The options of the run, without secrets. */
  options: Record<string, unknown>
  samples?: SamplesResult | undefined
  replay?: Replay | undefined
  /** By arm. */
  agreements?: readonly (Agreement | undefined)[] | undefined
  watched?: Watched | undefined
  /** What the machine that sent withheld from a block of an arm. */
  machineOf?: ((arm: number, block: BlockRecord) => MachineEvidence | undefined) | undefined
  /** The workers that sent, where a fleet did. */
  fleet?: BenchReport['fleet']
  /** Null where the price is unknown. */
  cost?: RunCost | null | undefined
  /** By arm. */
  oneWayDelays?: (OneWayDelays | undefined)[]
  /** By arm, where clients left. */
  wastedTokens?: (WastedTokens | undefined)[] | undefined
}

export function buildReport(plan: RunPlan, record: RunRecord, context: RunContext): BenchReport {
  const { load, workload } = plan
  const [first, ...others] = record.arms.map((arm, index) => armResult(arm, index, plan, record, context))
  if (!first) throw new Error('a run without an arm')
  return withSteadiness({
    schema: REPORT_SCHEMA,
    kt: { version: context.version, gitSha: context.gitSha },
    startedAt: context.startedAt,
    command: context.command,
    ...(context.commit ? { commit: context.commit } : {}),
    ...(Object.keys(context.labels).length > 0 ? { labels: context.labels } : {}),
    interrupted: record.stopReason === 'interrupted',
    ...toAborted(plan, record),
    machine: context.machine,
    target: { endpoint: workload.endpoint, model: workload.model, stream: workload.stream },
    runId: context.runId,
    ...(others.length > 0 ? { pairing: plan.pairing ?? 'block' } : {}),
    load: {
      mode: load.mode,
      concurrency: load.mode === 'closed' ? load.concurrency : null,
      rps: load.mode === 'open' ? rateOf(load.rps, workload) : null,
      arrival: load.mode === 'open' && !load.trace ? (load.arrival ?? DEFAULT_ARRIVAL).kind : null,
      ...describeLoad(plan),
      realtime: record.runtime.fifoPriority !== null,
      durationS: plan.durationUs === undefined ? null : plan.durationUs / 1e6,
      requests: workload.conversations ? null : (plan.requests ?? null),
      warmup: plan.warmup,
      timeoutMs: plan.timeoutUs / 1_000,
      seed: workload.seed,
      workload: describeWorkload(workload),
      options: context.options,
    },
    arms: [first, ...others],
    series: record.series.map(({ p50Us, p99Us, byArm: _, ...counts }) => ({
      ...counts,
      p50: p50Us === null ? null : toMs(p50Us),
      p99: p99Us === null ? null : toMs(p99Us),
    })),
    ...context.watched,
    ...(context.replay ? { replay: context.replay } : {}),
    client: withFaults(judgeClient(record), context.fleet?.faults),
    ...(context.cost === undefined ? {} : { cost: context.cost }),
    ...(context.fleet ? { fleet: context.fleet } : {}),
    ...(context.samples ? { samples: context.samples } : {}),
    gate: null,
  })
}

/** A fleet that was not whole did not send what was asked of it. */
function withFaults(client: BenchReport['client'], faults: readonly string[] = []): BenchReport['client'] {
  if (faults.length === 0) return client
  return { ...client, verdict: client.verdict === 'ok' ? 'noisy' : client.verdict, why: [...client.why, ...faults] }
}

function withSteadiness(report: BenchReport): BenchReport {
  for (const arm of report.arms) {
    const steadiness = runSteadiness(armRun(report, arm))
    if (steadiness) arm.steadiness = steadiness
  }
  const soak = judgeSoak(report)
  return soak ? { ...report, soak } : report
}

function describeWorkload(workload: WorkloadSpec): BenchReport['load']['workload'] {
  const { name, nonce, maxTokensField, models, repeats } = workload
  return {
    name,
    ...workloadDigests(workload),
    ...(nonce === false ? { nonce } : {}),
    ...(models ? { models: [...models] } : {}),
    ...(repeats ? { cacheHits: repeats } : {}),
    ...(maxTokensField ? { maxTokensField } : {}),
  }
}

/** The rate of a trace is known for certain once it was read. */
function rateOf(rps: number, workload: WorkloadSpec): number {
  const totals = traceOf(workload)?.totals
  return totals ? meanRateOf(totals) : rps
}

function toAborted({ abortOn = [] }: RunPlan, { abort, arms }: RunRecord): Pick<BenchReport, 'aborted'> {
  const [rule, arm] = [abortOn[abort?.rule ?? -1], arms[abort?.arm ?? -1]]
  if (!abort || !rule || !arm) return {}
  return { aborted: { rule: rule.text, arm: arm.name, requests: abort.n, over: abort.over } }
}

function armResult(
  arm: ArmRecord,
  index: number,
  { load, workload, baseline }: RunPlan,
  record: RunRecord,
  context: RunContext,
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
  known: RunContext['role'],
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
  const entries = Object.entries(arm.metrics).flatMap(([metric, encoded]) => {
    const distribution = summarizeDurations(encoded)
    return distribution ? [[`${metric as Metric}Ms`, distribution]] : []
  })
  return Object.fromEntries(entries) as Pick<ArmResult, `${Metric}Ms`>
}

const NO_LATENCY = new Histogram(METRICS.latency.digits).encode()

function toBlocks(
  arm: ArmRecord,
  evidenceOf: (block: BlockRecord) => MachineEvidence | undefined,
): ArmResult['blocks'] {
  const firstUs = arm.blocks[0]?.startedAtUs ?? 0
  return arm.blocks.map((block) => {
    const { latency = NO_LATENCY, ...metrics } = block.metrics
    return {
      index: block.index,
      startedAtS: Math.round((block.startedAtUs - firstUs) / 1e3) / 1e3,
      sent: block.sent,
      outcomes: block.outcomes,
      ...machineOf(block.sent, arm.mostInFlight, evidenceOf(block)),
      latency,
      overhead: {
        ...(Histogram.decode(block.stamped).count > 0 ? { 'provider-stamped': block.stamped } : {}),
        ...block.selfReported,
      },
      ...(Object.keys(block.components).length > 0 ? { components: block.components } : {}),
      metrics,
    }
  })
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
      summarizeDurations(Histogram.merge(blocks.map((block) => Histogram.decode(block[of]))).encode())
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
        blocks: blocks.map((block) => ({ ...block, sent: sum(Object.values(block.outcomes)) })),
      },
    ]
  })
  return results.length === 0 ? {} : { categories: results }
}

/** The first reason that each class of failure gave, over all arms. */
export function failureDetails(record: RunRecord): Partial<Record<Outcome, string>> {
  return Object.assign({}, ...record.arms.map((arm) => arm.details).toReversed())
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
