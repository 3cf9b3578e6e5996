/**
 * One run from its plan to its report: send, count the tokens that answers do not report, build. A single bench and
 * every level of a sweep share it.
 */
import { randomUUID } from 'node:crypto'
import type { BlockRecord } from '../load/arm-record.ts'
import { type KeepRequests, KeptRequests, type KeptSamples } from '../load/kept-requests.ts'
import type { StopReason } from '../load/limits.ts'
import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { type SampleFormat, sampleFormatOf, sampleLines } from '../load/sample-lines.ts'
import { sampleCount } from '../load/samples.ts'
import { isProviderItself } from '../overhead/provider-records.ts'
import type { Agreement, BenchReport } from '../report/schema.ts'
import { Histogram } from '../stats/histogram.ts'
import { now } from '../system/clock.ts'
import { findCommit } from '../system/commit.ts'
import { localListeners } from '../system/listeners.ts'
import { fingerprint, gitSha, ktVersion } from '../system/machine.ts'
import { watchMachine } from '../system/machine-watch.ts'
import { printable } from '../system/printable.ts'
import type { Budgets } from '../verdict/components.ts'
import type { Watch, Watched } from '../watch/watch.ts'
import type { MaxTokensField } from '../wire/body-changes.ts'
import type { Outcome } from '../wire/outcome.ts'
import { aboutRun } from './about-run.ts'
import { measureOneWayDelays } from './build-overhead.ts'
import { buildReport, failureDetails } from './build-report.ts'
import { compareAnswers } from './compare-answers.ts'
import { commandLine, withoutSecrets } from './config.ts'
import { countTokens } from './count-tokens.ts'
import { type AskedLive, LiveWatch, NOTHING_ASKED } from './live.ts'
import type { LiveMetrics } from './live-metrics.ts'
import { costOfRun, type RunPrice } from './price.ts'
import type { OpenReplay } from './replay.ts'
import { openSampleFile, type SampleFile } from './sample-file.ts'
import { extentOf, fillCache, type RunHooks, send, validate } from './send.ts'
import { Spending } from './spending.ts'
import type { OpenTargets } from './targets.ts'
import { assertApart, endsTheRun, hasFailed } from './validate.ts'
import { measureWastedTokens } from './wasted-tokens.ts'

export interface BenchRun {
  report: BenchReport
  /** The first reason given for each class of failure. */
  details: Partial<Record<Outcome, string>>
  stopped: StopReason | null
  /** What the target takes instead of max_tokens, where the validating requests found out. */
  maxTokensField?: MaxTokensField | undefined
  /** The requests that were kept, where some were to be. */
  kept?: KeptSamples | undefined
}

/** What a run is told beside its plan: what its report shows, and what must not be shown. */
export interface RunRecordOptions {
  /** What tokens cost at the target. */
  price?: RunPrice | undefined
  /** The file of --samples. */
  samples: string | undefined
  budgets: Budgets
  /** The options as the user wrote them, without secrets. */
  shown: Record<string, unknown>
  /** Cut out of every text that comes from the target. */
  secrets: readonly string[]
  /** What the user wants to find in the report again. */
  labels: readonly (readonly [key: string, value: string])[]
  watch?: Watch | undefined
  /** Which requests are kept one by one, for traces. */
  keep?: KeepRequests | undefined
  /** The figures that are served while the run goes on. */
  served?: LiveMetrics | undefined
  /** The trace that is replayed. */
  replay?: OpenReplay | undefined
}

/**
 * `goOn` judges the report at each interim analysis of the plan: false ends the run. `judged` is what the live
 * view judges.
 */
export async function measure(
  asked: RunPlan,
  { samples, budgets, shown, secrets, labels, price, replay, watch: beside, keep, served }: RunRecordOptions,
  { targets, embedded, aa, fleet }: OpenTargets,
  hooks: RunHooks,
  goOn?: (soFar: BenchReport, pairs: number) => boolean,
  judged: AskedLive = NOTHING_ASKED,
): Promise<BenchRun> {
  const machine = fingerprint()
  const extent = extentOf(asked)
  const startedAt = new Date().toISOString()
  const format = sampleFormatOf(samples ?? '')
  const file = samples === undefined ? undefined : await sampleFile(samples, format, hooks.note)
  const kept = keep && new KeptRequests(asked, keep)
  // What is reached another way is nobody that its address names.
  const byAddress = asked.connection?.routes === undefined
  const watch = await watchMachine(byAddress ? await pidsOf(targets) : [])
  const context = {
    version: ktVersion,
    gitSha: gitSha(),
    commit: findCommit(),
    labels: Object.fromEntries(labels),
    startedAt,
    command: commandLine(['kt', ...hooks.argv]),
    machine,
    urls: targets.map(([, { shownUrl }]) => shownUrl),
    runId: randomUUID(),
    role: targets.length > 1 ? ('gateway' as const) : undefined,
    budgets,
    options: shown,
    machineOf: fleet ? undefined : (_: number, block: BlockRecord) => watch.between(block.startedAtUs, block.endedAtUs),
  }
  const validated = asked.validate ? await validate(asked, context.urls, secrets, hooks, fleet) : undefined
  const { plan = asked, records = [] } = validated ?? {}
  const first = records.at(-1)
  const spending = new Spending(plan)
  for (const record of records) spending.add(plan, record)
  if (first) {
    await assertApart(plan).catch(async (error) => {
      watch.end()
      await file?.close()
      throw error
    })
  }
  if (plan.workload.repeats && !(first && endsTheRun(first))) {
    spending.add(plan, await fillCache(plan, plan.workload.repeats, hooks, fleet))
  }
  let watched: Watched | undefined
  const view = hooks.live || served ? new LiveWatch(plan, judged) : undefined
  served?.begin(plan, context.runId, (arm) => view?.run.ended(arm) ?? [])
  await fleet?.describe(aboutRun(plan, context, fleet.members))
  const sent =
    first && endsTheRun(first)
      ? first
      : await send({ ...spending.left(), doubtful: first && hasFailed(first) }, hooks, fleet, {
          progress: (progress) => {
            if (progress.phase === 'measuring') beside?.measuring(now() - progress.elapsedUs)
            view?.run.heard(progress)
            served?.heard(progress)
            hooks.progress(progress, extent, view && hooks.live ? () => view.view(progress) : undefined)
          },
          live: view?.run,
          dead: () => deadByProcess(plan, beside),
          dropped: (arm, why) => hooks.note(`${plan.arms[arm]?.name} is dropped, and the others go on: ${why}.`),
          continueAfter:
            goOn && ((record, pairs) => goOn(buildReport(plan, nameArms(plan, record, aa), context), pairs)),
          samples:
            (file || kept || served) &&
            (async (rows, lost, startUs) => {
              kept?.add(rows, startUs)
              served?.add(rows, lost)
              await file?.add(sampleLines(rows, plan, startUs, format), sampleCount(rows), lost)
            }),
        }).finally(async () => {
          watched = await beside?.end()
        })
  if (sent !== first) spending.add(plan, sent)
  const sentBy = fleet && (await import('./fleet-report.ts')).reportOfFleet(fleet.run, fleet.members, fleet.machines)
  const record = nameArms(plan, await countTokens(plan, sent, hooks.note), aa)
  await file?.close()
  const replayed = await replay?.finish(record)
  const agreements = plan.compareAnswers
    ? await compareAnswers(spending.left(), record, async (again) => {
        const answers = await send(again, hooks, fleet, {
          progress: (progress) => hooks.progress({ ...progress, phase: 'asking-again' }, extent),
        })
        spending.add(again, answers)
        return answers
      })
    : undefined

  const stamped = record.arms.some((arm) => Histogram.unpack(arm.stamped.total).count > 0)
  const origin = targets[0]?.[1].origin
  const direct =
    targets.length === 1 &&
    !embedded &&
    stamped &&
    byAddress &&
    origin !== undefined &&
    (await isProviderItself(origin))
  // Across hosts stamps give sums, and no legs.
  const oneWayDelays = await measureOneWayDelays(plan, record, stamped && byAddress && !fleet)
  const wastedTokens = plan.cancel && byAddress ? await measureWastedTokens(plan, record) : undefined
  const report = buildReport(plan, record, {
    ...context,
    ...(direct ? { role: 'direct' } : {}),
    ...sentBy,
    samples: file?.result,
    replay: replayed,
    agreements: agreements?.map((agreement) => agreement && shownAgreement(agreement, secrets)),
    watched,
    oneWayDelays,
    wastedTokens,
    cost: price && costOfRun(price, spending.byArm(record), stamped),
  })
  watch.end()
  const details = Object.entries(failureDetails(record)).map(([code, text]) => [
    code,
    printable(withoutSecrets(text, secrets)),
  ])
  return {
    report,
    details: Object.fromEntries(details),
    stopped: record.stopReason,
    kept: kept?.kept(),
    maxTokensField: plan.workload.maxTokensField,
  }
}

/** Arms whose process has ended: --arm-pid gives it the arm's name. */
function deadByProcess({ arms, outlivesArms }: RunPlan, beside: Watch | undefined): { arm: number; why: string }[] {
  const ended = outlivesArms ? (beside?.ended() ?? []) : []
  return ended.flatMap((name) => {
    const arm = arms.findIndex((known) => known.name === name)
    return arm < 0 ? [] : [{ arm, why: 'its process ended' }]
  })
}

/** The texts of the example are the target's: without secrets, and with nothing that steers a terminal. */
function shownAgreement({ example, ...agreement }: Agreement, secrets: readonly string[]): Agreement {
  if (!example) return agreement
  const [other, through] = [example.other, example.through].map((text) => printable(withoutSecrets(text, secrets)))
  return { ...agreement, example: { ...example, other: other ?? '', through: through ?? '' } }
}

/** The processes of this machine that answer at the targets' addresses. */
async function pidsOf(targets: OpenTargets['targets']): Promise<number[]> {
  const found = await Promise.all(targets.map(([, { origin }]) => localListeners(origin)))
  return [...new Set(found.flat())]
}

/**
 * The baseline is direct, unless it has the same address or names itself a gateway: then its stamps are no measurement
 * floor.
 */
function nameArms({ baseline = -1 }: RunPlan, record: RunRecord, aa: boolean): RunRecord {
  const arm = record.arms[baseline]
  if (arm && (aa || (arm.selfReport.gateway !== '' && !arm.selfReport.unsure))) arm.name = 'target'
  return record
}

function sampleFile(path: string, { head }: SampleFormat, note: RunHooks['note']): Promise<SampleFile> {
  return openSampleFile(path, (line) => note(line, true), head)
}
