/**
 * `kt bench --dry-run`, also of a sweep: what the options come to, the first request, and what the run would cost.
 * Nothing is sent.
 */
import { costOf } from '../load/limits.ts'
import type { RunPlan } from '../load/plan.ts'
import { priceBasis } from '../report/cost-schema.ts'
import type { DryRun } from '../report/preview.ts'
import { describeLoad } from './build-load.ts'
import { buildPlan } from './build-plan.ts'
import { expectedRun } from './expected.ts'
import { firstRequest, shownRequest } from './first-request.ts'
import { secretsOf } from './options/target.ts'
import type { BenchOptions } from './options.ts'
import { priceOf } from './price.ts'
import { openReplay } from './replay.ts'
import { resolveObjectives } from './slo-objectives.ts'
import { planLevel } from './sweep-level.ts'
import type { SweepOptions } from './sweep-options.ts'
import { embeddedTargets, type NamedTarget, namedTargets } from './targets.ts'

/** Where the embedded pair listens, if nothing else does. */
const EMBEDDED = ['http://127.0.0.1:41002', 'http://127.0.0.1:41001'] as const

export async function dryRun(options: BenchOptions): Promise<DryRun> {
  const replay = await openReplay(options.trace, options.request)
  try {
    return describeDryRun(options)
  } finally {
    await replay?.close()
  }
}

function describeDryRun(options: BenchOptions): DryRun {
  const { target, request, load, verdict, shown } = options
  const { workloadSpec, timeoutMs } = resolveObjectives(verdict, request, target)
  const targets = targetsOf(target, request)
  const plan = buildPlan({ ...target, timeout: target.timeout ?? timeoutMs }, workloadSpec, load, targets)
  return describe(options, targets, plan, [plan], shown)
}

/** The levels that are measured in any case: a search adds others, and a noisy machine measures some again. */
export function dryRunOfSweep(options: BenchOptions, ask: SweepOptions): DryRun {
  const { mode, levels, stepMs, gatewayWorkers } = ask
  const { target, request, shown } = options
  const targets = targetsOf(target, request).slice(0, 1)
  const [first, ...rest] = levels.map((level) => planLevel(options, ask, { level, steps: 1, draw: 0 }, targets))
  if (!first) throw new Error('a sweep without a level')
  const curves = gatewayWorkers?.length ?? 1
  const plans = Array.from({ length: curves }, () => [first, ...rest]).flat()
  // Of the parsed options these are the first level's.
  const { rps: _, concurrency: __, duration: ___, ...others } = shown
  const asked = { [mode === 'open' ? 'rps' : 'concurrency']: levels, step: `${stepMs}ms`, ...others }
  return {
    ...describe(options, targets, first, plans, asked),
    levels: { mode, levels, stepS: stepMs / 1_000, curves },
  }
}

/** What runs come to that differ in their load alone; `first` is the one that is shown. */
function describe(
  { target, request, load }: BenchOptions,
  targets: readonly NamedTarget[],
  first: RunPlan,
  plans: readonly RunPlan[],
  options: Record<string, unknown>,
): DryRun {
  const runs = plans.map((plan) => expectedRun(plan).requests)
  const requests = runs.reduce((sum, of) => (sum === undefined || of === undefined ? undefined : sum + of), 0)
  const { tokens } = expectedRun(first)
  const all = requests === undefined ? undefined : requests * first.arms.length
  const price = target.at || load.price ? priceOf(load, request.model) : undefined
  const cost = price && costOf(price, tokens.input, tokens.output)
  return {
    schema: 'kt.dry-run/1',
    options,
    arms: targets.map(([name, { shownUrl }]) => ({ name, url: shownUrl })),
    run: describeRun(first),
    request: shownRequest(firstRequest(first), first.connection?.keepAlive ?? true, secretsOf(target)),
    sends: {
      requests: requests ?? null,
      warmup: plans.reduce((sum, { warmup }) => sum + warmup, 0),
      inputTokens: tokens.input,
      outputTokens: tokens.output,
      tokens: all === undefined ? null : all * (tokens.input + tokens.output),
      usd: all === undefined || cost === undefined ? null : all * cost,
      priceFrom: price ? priceBasis(price) : null,
    },
  }
}

/** The plan with all its defaults, in the words of the report. */
function describeRun(plan: RunPlan): Record<string, unknown> {
  const { load, durationUs, warmup, timeoutUs, blocks, pairing, workers, jitWarmup, validate } = plan
  const requests = plan.workload.conversations ? undefined : plan.requests
  const { mode } = load
  const pace = load.mode === 'closed' ? { concurrency: load.concurrency } : { rps: load.rps }
  return {
    ...{ mode, ...pace, requests, durationS: seconds(durationUs), warmup, timeoutS: seconds(timeoutUs) },
    ...{ threads: workers, blocks, pairing, jitWarmup, validate },
    ...describeLoad(plan),
  }
}

function seconds(us: number | undefined): number | undefined {
  return us === undefined ? undefined : us / 1e6
}

function targetsOf(target: BenchOptions['target'], asked: BenchOptions['request']): NamedTarget[] {
  if (target.at) return namedTargets(target)
  return embeddedTargets(EMBEDDED[0], target.aa ? EMBEDDED[0] : EMBEDDED[1], asked)
}
