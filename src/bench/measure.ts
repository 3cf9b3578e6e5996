/** One run, from its options to its report: plan, send, build. What a single bench and every level of a sweep have in common. */
import { randomUUID } from 'node:crypto'
import type { Progress, RunRecord } from '../load/messages.ts'
import type { RunPlan } from '../load/plan.ts'
import { startRun } from '../load/run.ts'
import { sampleCount, sampleLines } from '../load/samples.ts'
import { isProviderItself } from '../overhead/provider-itself.ts'
import type { BenchReport } from '../report/schema.ts'
import { Histogram } from '../stats/histogram.ts'
import { fingerprint } from '../system/machine.ts'
import { gitSha, ktVersion } from '../system/package-info.ts'
import { readBudgets } from '../verdict/budgets.ts'
import type { Outcome } from '../wire/outcome.ts'
import { buildReport, failureDetails } from './build-report.ts'
import { countTokens } from './count-tokens.ts'
import { legsOf } from './legs.ts'
import type { BenchOptions } from './option-schema.ts'
import { openSampleFile, type SampleFile } from './sample-file.ts'
import { commandLine, withoutSecrets } from './secrets.ts'
import type { OpenTargets } from './targets.ts'

const DRAIN_AFTER_INTERRUPT_US = 2_000_000

export interface RunHooks {
  /** The words of the command line. */
  argv: readonly string[]
  /** Lines for a person, while it happens. */
  note(line: string): void
  progress(progress: Progress, total: number | undefined): void
  /** Aborted when the user asks for an end. */
  interrupt: AbortSignal
  /** Aborted when the user asks again: what is in flight is given up, what was measured is kept. */
  hurry?: AbortSignal
}

export interface Measured {
  report: BenchReport
  /** The first reason given for each class of failure. */
  details: Partial<Record<Outcome, string>>
  stopped: 'interrupted' | 'token-budget' | 'target-dead' | null
}

/** `goOn` is asked at each look of the plan: so many pairs of blocks are done, is there need of more? */
export async function measure(
  plan: RunPlan,
  options: BenchOptions,
  { targets, embedded }: OpenTargets,
  hooks: RunHooks,
  goOn?: (soFar: BenchReport, pairs: number) => boolean,
): Promise<Measured> {
  const machine = fingerprint()
  const startedAt = new Date().toISOString()
  const total = plan.requests === undefined ? undefined : plan.requests * plan.arms.length
  const file = options.samples === undefined ? undefined : await sampleFile(options.samples, hooks.note)
  const context = {
    version: ktVersion,
    gitSha: gitSha(),
    startedAt,
    command: commandLine(['kt', ...hooks.argv]),
    machine,
    urls: targets.map(([, { shownUrl }]) => shownUrl),
    pairId: randomUUID(),
    role: targets.length > 1 ? ('gateway' as const) : undefined,
    budgets: readBudgets(options.budgets),
    options: options.shown,
  }
  const running = await startRun(plan, {
    progress: (progress) => hooks.progress(progress, total),
    goOn: goOn && ((record, pairs) => goOn(buildReport(plan, nameArms(record, options.aa), context), pairs)),
    samples: file && ((rows, lost, startUs) => file.add(sampleLines(rows, plan, startUs), sampleCount(rows), lost)),
  })
  const stop = (): void => running.stop(DRAIN_AFTER_INTERRUPT_US)
  const stopNow = (): void => running.stop(0)
  if (hooks.interrupt.aborted) stop()
  else hooks.interrupt.addEventListener('abort', stop, { once: true })
  hooks.hurry?.addEventListener('abort', stopNow, { once: true })
  const record = nameArms(await countTokens(plan, await running.result), options.aa)
  hooks.interrupt.removeEventListener('abort', stop)
  hooks.hurry?.removeEventListener('abort', stopNow)
  await file?.close()

  const stamped = record.arms.some((arm) => Histogram.decode(arm.stamped.total).count > 0)
  const origin = targets[0]?.[1].origin
  const direct =
    targets.length === 1 && !embedded && stamped && origin !== undefined && (await isProviderItself(origin))
  const secrets = [options['api-key'] ?? '', ...options.header.map(([, value]) => value)]
  const details = Object.entries(failureDetails(record)).map(([code, text]) => [code, withoutSecrets(text, secrets)])
  return {
    report: buildReport(plan, record, {
      ...context,
      ...(direct ? { role: 'direct' } : {}),
      samples: file?.result,
      legs: await legsOf(plan, record, stamped),
    }),
    details: Object.fromEntries(details),
    stopped: record.stopReason,
  }
}

/** The second arm counts as direct, unless it is the same address again or names itself a gateway: its stamps are no floor then. */
function nameArms(record: RunRecord, aa: boolean): RunRecord {
  const second = record.arms[1]
  if (second && (aa || (second.selfReport.gateway !== '' && !second.selfReport.unsure))) second.name = 'target'
  return record
}

function sampleFile(path: string, note: (line: string) => void): Promise<SampleFile> {
  return openSampleFile(path, (reason) => note(`--samples ${path}: ${reason}. The run goes on without them.`))
}
