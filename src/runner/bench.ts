/**
 * `kt bench`, whole: from checked options to a written report and a verdict. Decides the arms (a given URL, or the embedded
 * pair measured through the gateway and directly, in turns), runs them, builds the report, judges it.
 */
import { randomUUID } from 'node:crypto'
import type { Outcome } from '../client/outcome.ts'
import { type Target, targetOf } from '../client/target.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { isProviderItself } from '../overhead/provider-itself.ts'
import { readBudgets } from '../report/budgets.ts'
import { judgeOverhead, undecided } from '../report/judge.ts'
import type { ArmName, BenchReport } from '../report/schema.ts'
import { assertWritable, writeAtomically } from '../report/write.ts'
import { blockCount } from '../schedule/blocks.ts'
import { Histogram } from '../stats/histogram.ts'
import { randomFrom } from '../stats/random.ts'
import { fingerprint } from '../system/machine.ts'
import { gitSha, ktVersion } from '../system/package-info.ts'
import { formatCount, formatDuration, formatNumber } from '../units.ts'
import { armTag } from '../workload/nonce.ts'
import { expectedTokens, type WorkloadSpec } from '../workload/workload.ts'
import { buildReport, failureDetails } from './build-report.ts'
import { startEmbeddedPair } from './embedded.ts'
import type { Progress } from './messages.ts'
import type { BenchOptions } from './options.ts'
import type { ArmPlan, Load, RunPlan } from './plan.ts'
import { startRun } from './run.ts'
import { commandLine, withoutSecrets } from './secrets.ts'

const DEFAULT_CONCURRENCY = 10
const DEFAULT_REQUESTS = 100
/** The embedded pair costs nothing, and a P99 needs more. */
const DEFAULT_REQUESTS_EMBEDDED = 1_000
const WARMUP_EMBEDDED = 200
const WARMUP_OPEN = 10
const MAX_IN_FLIGHT = 1_000
const DRAIN_AFTER_INTERRUPT_US = 2_000_000

export interface BenchHooks {
  argv: readonly string[]
  /** Lines for a person, while it happens. */
  note(line: string): void
  progress(progress: Progress, total: number | undefined): void
  /** Aborted when the user asks for an end. */
  interrupt: AbortSignal
}

export interface BenchResult {
  report: BenchReport
  /** The first reason given for each class of failure. */
  details: Partial<Record<Outcome, string>>
  stopped: 'interrupted' | 'token-budget' | 'target-dead' | null
  exitCode: ExitCode
}

export async function bench(options: BenchOptions, hooks: BenchHooks): Promise<BenchResult> {
  if (options.output !== undefined) assertWritable(options.output)
  const budgets = readBudgets()
  const target = options.url === undefined ? undefined : targetOf(options.url, options.endpoint)
  const machine = fingerprint()
  const pair = target ? undefined : await startEmbeddedPair(options['inject-delay'] ?? 0, hooks.note)
  try {
    const targets: [ArmName, Target][] = pair
      ? [
          ['gateway', targetOf(pair.gatewayUrl, options.endpoint)],
          ['direct', targetOf(pair.providerUrl, options.endpoint)],
        ]
      : target
        ? [['target', target]]
        : []
    const plan = planOf(options, targets)
    announce(plan, targets, hooks.note)
    const startedAt = new Date().toISOString()
    const total = plan.requests === undefined ? undefined : plan.requests * plan.arms.length
    const running = startRun(plan, (progress) => hooks.progress(progress, total))
    const stop = (): void => running.stop(DRAIN_AFTER_INTERRUPT_US)
    if (hooks.interrupt.aborted) stop()
    else hooks.interrupt.addEventListener('abort', stop, { once: true })
    const record = await running.result

    const stamped = record.arms.some((arm) => Histogram.decode(arm.stamped.total).count > 0)
    const direct = target !== undefined && stamped && (await isProviderItself(target.origin))
    const secrets = [options['api-key'] ?? '', ...options.header.map(([, value]) => value)]
    const report = buildReport(plan, record, {
      version: ktVersion,
      gitSha: gitSha(),
      startedAt,
      command: commandLine(['kt', 'bench', ...hooks.argv]),
      machine,
      urls: Object.fromEntries(targets.map(([name, { shownUrl }]) => [name, shownUrl])),
      pairId: randomUUID(),
      role: pair ? 'gateway' : direct ? 'direct' : undefined,
      budgets,
    })
    report.gate = judge(report, options.budget, budgets.totalMs)
    if (options.output !== undefined) writeAtomically(options.output, `${JSON.stringify(report, null, 2)}\n`)
    if (options.json) noteFailure(report, hooks.note)
    const details = Object.entries(failureDetails(record)).map(([code, text]) => [code, withoutSecrets(text, secrets)])
    return {
      report,
      details: Object.fromEntries(details),
      stopped: record.stopReason,
      exitCode: exitCodeOf(report, options.budget !== undefined),
    }
  } finally {
    await pair?.close()
  }
}

function planOf(options: BenchOptions, targets: [ArmName, Target][]): RunPlan {
  const embedded = options.url === undefined
  const load: Load =
    options.rps === undefined
      ? { mode: 'closed', concurrency: options.concurrency ?? DEFAULT_CONCURRENCY }
      : { mode: 'open', rps: options.rps, maxInFlight: MAX_IN_FLIGHT }
  const unlimited = options.requests === undefined && options.duration === undefined
  const requests = unlimited ? (embedded ? DEFAULT_REQUESTS_EMBEDDED : DEFAULT_REQUESTS) : options.requests
  // One warm-up request a connection, so that none of the measured ones opens its own; more where it costs nothing.
  const warmup =
    options.warmup ?? (embedded ? WARMUP_EMBEDDED : load.mode === 'closed' ? load.concurrency : WARMUP_OPEN)
  const workload: WorkloadSpec = {
    endpoint: options.endpoint,
    model: options.model,
    prompt: options.prompt,
    stream: options.stream,
    maxTokens: options['max-tokens'],
    seed: options.seed,
  }
  const headers = {
    'content-type': 'application/json',
    accept: options.stream ? 'text/event-stream' : 'application/json',
    'user-agent': `kt/${ktVersion}`,
    ...(options['api-key'] ? { authorization: `Bearer ${options['api-key']}` } : {}),
    ...Object.fromEntries(options.header),
  }
  const unique = randomFrom(randomUUID())
  const arms: ArmPlan[] = targets.map(([name, { origin, path }]) => ({
    name,
    origin,
    path,
    headers,
    tag: armTag(unique),
  }))
  return {
    arms,
    workload,
    load,
    requests,
    durationUs: options.duration === undefined ? undefined : options.duration * 1_000,
    blocks: blockCount(requests),
    warmup,
    timeoutUs: options.timeout * 1_000,
    tokenBudget: options['token-budget'],
  }
}

/** Before money is spent: what will be sent where. */
function announce(plan: RunPlan, targets: [ArmName, Target][], note: (line: string) => void): void {
  const [, target] = targets.find(([, { isPublic }]) => isPublic) ?? []
  if (!target) return
  const { input, output } = expectedTokens(plan.workload)
  const due =
    plan.load.mode === 'open' && plan.durationUs ? Math.ceil((plan.load.rps * plan.durationUs) / 1e6) : undefined
  const measured = Math.min(plan.requests ?? Number.POSITIVE_INFINITY, due ?? Number.POSITIVE_INFINITY)
  const requests = measured + plan.warmup
  const known = Number.isFinite(requests)
  note(`${new URL(target.origin).host} is a public address. This run sends`)
  note(
    known
      ? `  ${formatNumber(requests)} requests, ${formatNumber(plan.warmup)} of them warm-up,`
      : `  as many requests as fit in ${formatDuration((plan.durationUs ?? 0) / 1_000)},`,
  )
  note(`  about ${formatNumber(input)} input and up to ${formatNumber(output)} output tokens each${known ? `,` : '.'}`)
  if (known) note(`  about ${formatCount(requests * (input + output))} tokens in all.`)
  note(plan.tokenBudget ? `It stops after ${formatCount(plan.tokenBudget)} tokens.` : '--token-budget sets a limit.')
}

/** Judged whenever there is a reading of the overhead; without one only a budget that was asked for is left undecided. */
function judge(report: BenchReport, asked: number | undefined, standard: number): BenchReport['gate'] {
  const budgetMs = asked ?? standard
  if (report.target.role === 'direct') {
    return asked === undefined
      ? null
      : undecided('overhead.p99', budgetMs, 'the target is the provider itself, no gateway')
  }
  const gate = judgeOverhead(report, undefined, budgetMs)?.gate
  if (gate || asked === undefined) return gate ?? null
  return undecided('overhead.p99', budgetMs, 'no request carries a reading of the overhead')
}

/** For --json, where no table says it. */
function noteFailure({ totals }: BenchReport, note: (line: string) => void): void {
  if (totals.successful > 0) return
  const classes = Object.entries(totals.outcomes).map(([code, count]) => `${formatNumber(count)} x ${code}`)
  note(`every request failed: ${classes.join(', ') || 'none was sent'}`)
}

function exitCodeOf(report: BenchReport, gated: boolean): ExitCode {
  if (report.interrupted) return EXIT.interrupted
  if (report.totals.successful === 0) return EXIT.inconclusive
  if (!gated || report.gate === null) return EXIT.passed
  return { pass: EXIT.passed, fail: EXIT.breached, inconclusive: EXIT.inconclusive }[report.gate.verdict]
}
