/** The run of one level of a sweep. */
import type { RunPlan } from '../load/plan.ts'
import { buildPlan, defaultWarmup } from './build-plan.ts'
import type { LoadOptions } from './options/load.ts'
import type { BenchOptions } from './options.ts'
import type { SweepOptions } from './sweep-options.ts'
import type { NamedTarget } from './targets.ts'

/** Warm-up of each level, whichever limit comes first. */
const WARMUP = { warmup: 50, warmupUs: 1_000_000 }

export function planLevel(
  { target, request, load }: Pick<BenchOptions, 'target' | 'request' | 'load'>,
  { mode, stepMs }: Pick<SweepOptions, 'mode' | 'stepMs'>,
  { level, steps, draw }: { level: number; steps: number; draw: number },
  targets: readonly NamedTarget[],
): RunPlan {
  const pace = mode === 'open' ? { rps: level } : { concurrency: level }
  const stepped: LoadOptions = { ...load, ...pace, duration: steps * stepMs }
  const workload = draw === 0 ? request : { ...request, seed: request.seed + draw }
  const plan = buildPlan(target, workload, stepped, targets)
  return load.warmup === undefined ? { ...plan, ...defaultWarmup(WARMUP, plan) } : plan
}
