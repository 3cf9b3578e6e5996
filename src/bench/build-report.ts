/** From what a run recorded to the report kt.bench/2: a pure change of shape, without files or a clock. */

import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { toMs } from '../report/duration-summary.ts'
import { armRun } from '../report/runs.ts'
import type { BenchReport, Replay, RunCost } from '../report/schema.ts'
import { REPORT_SCHEMA } from '../report/schema.ts'
import { DEFAULT_ARRIVAL } from '../schedule/arrivals.ts'
import type { Commit } from '../system/commit.ts'
import type { Machine } from '../system/machine.ts'
import { judgeSoak } from '../verdict/soak.ts'
import { runSteadiness } from '../verdict/steadiness.ts'
import type { Watched } from '../watch/watch.ts'
import type { Outcome } from '../wire/outcome.ts'
import { workloadDigests } from '../workload/asked.ts'
import { traceOf, type WorkloadSpec } from '../workload/workload.ts'
import { type ArmContext, buildArm } from './build-arm.ts'
import { describeLoad, meanRateOf } from './build-load.ts'
import { judgeClient } from './judge-client.ts'
import type { SamplesResult } from './sample-file.ts'

export interface RunContext extends ArmContext {
  version: string
  gitSha: string | null
  /** The commit that is measured. */
  commit: Commit | undefined
  labels: Readonly<Record<string, string>>
  startedAt: string
  /** The command line, without secrets. */
  command: string
  machine: Machine
  runId: string
  /** The options of the run, without secrets. */
  options: Record<string, unknown>
  samples?: SamplesResult | undefined
  replay?: Replay | undefined
  watched?: Watched | undefined
  /** The workers that sent, where a fleet did. */
  fleet?: BenchReport['fleet']
  /** Null where the price is unknown. */
  cost?: RunCost | null | undefined
}

export function buildReport(plan: RunPlan, record: RunRecord, context: RunContext): BenchReport {
  const { load, workload } = plan
  const [first, ...others] = record.arms.map((arm, index) => buildArm(arm, index, plan, record, context))
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

/** The first reason that each class of failure gave, over all arms. */
export function failureDetails(record: RunRecord): Partial<Record<Outcome, string>> {
  return Object.assign({}, ...record.arms.map((arm) => arm.details).toReversed())
}
