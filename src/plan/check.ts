/**
 * Whether a measured run confirms a plan. A worker was promised so many tokens: a run that loaded its workers fully
 * must have passed them; one that did not load them is held against the plan by the CPU that its tokens cost, where
 * that is known, else it shows only that the workers carry that much, and decides nothing. What the other constraints
 * rest on (bytes per token, pace of a stream, time to first token) must not be worse than planned.
 */

import { formatPercent } from '../units.ts'
import { LOADED, MAX_FAILED, type MeasuredRun, partlyBusy, reasonUnusable } from './calibrate/run.ts'
import { equivalentOutputLoad, workersByFigures } from './cpu.ts'
import type { PlanFigures } from './figures.ts'

export interface CheckedRun extends MeasuredRun {
  ttftP50Ms: number | undefined
  tpotP50Ms: number | undefined
}

interface PlanCheck {
  name: string
  planned: string
  measured: string
  verdict: 'pass' | 'fail' | 'inconclusive'
  why: string
}

export interface CheckResult {
  verdict: 'pass' | 'fail' | 'inconclusive'
  /**
   * Planned workers that the measured load is worth, over the workers that carried it; over their busy share, where
   * that is known.
   */
  shareOfPlanned: number
  /** Busy share of each worker's core, where it was known and not used up. */
  busy?: number
  checks: PlanCheck[]
}

export function checkPlan(run: CheckedRun, figures: PlanFigures, tolerance: number): CheckResult {
  const worth = workersByFigures(run, figures)
  const busy = partlyBusy(run)
  const share = worth / run.workers / (busy ?? 1)
  const checks = [
    failures(run),
    capacity(run, share, busy, tolerance),
    ...(run.stream && run.outputTokensPerSec > 0
      ? [
          atMost(
            'bytes per output token',
            run.bytesPerSec / run.outputTokensPerSec,
            figures.outputBytesPerToken.value,
            'B',
            tolerance,
          ),
        ]
      : []),
    ...(run.tpotP50Ms === undefined
      ? []
      : [atLeast('tokens/s of a stream', 1_000 / run.tpotP50Ms, figures.tokensPerSecPerStream.value, tolerance)]),
    ...(run.ttftP50Ms === undefined
      ? []
      : [atMost('time to first token', run.ttftP50Ms, figures.ttftS.value * 1_000, 'ms', tolerance)]),
  ]
  const verdicts = checks.map(({ verdict }) => verdict)
  return {
    verdict: verdicts.includes('fail') ? 'fail' : verdicts.includes('inconclusive') ? 'inconclusive' : 'pass',
    shareOfPlanned: share,
    ...(busy === undefined ? {} : { busy }),
    checks,
  }
}

/** Of a sweep the level that says most: where the most passed, of those that may be judged by. */
export function mostLoadedRun(runs: readonly CheckedRun[], ratio: number): CheckedRun | undefined {
  const fit = runs.filter((run) => reasonUnusable(run, 0) === undefined)
  return (fit.length > 0 ? fit : runs).toSorted(
    (a, b) => equivalentOutputLoad(b, ratio) - equivalentOutputLoad(a, ratio),
  )[0]
}

function failures({ failedShare, clientOk }: CheckedRun): PlanCheck {
  const measured = `${formatPercent(failedShare)} failed`
  const planned = `at most ${formatPercent(MAX_FAILED)}`
  const name = 'requests'
  if (!clientOk)
    return { name, planned, measured, verdict: 'inconclusive', why: 'the client was saturated: it measured itself' }
  if (failedShare > MAX_FAILED)
    return { name, planned, measured, verdict: 'fail', why: 'a plan that fails requests is no plan' }
  return { name, planned, measured, verdict: 'pass', why: '' }
}

function capacity(run: CheckedRun, share: number, busy: number | undefined, tolerance: number): PlanCheck {
  const name = 'throughput of a worker'
  const planned = `${formatPercent(1 - tolerance)} to ${formatPercent(1 / (1 - tolerance))} of the plan`
  const when = busy === undefined ? '' : `, when ${formatPercent(busy)} busy`
  const measured = `${formatPercent(share)} of the plan${when}`
  const [low, high] = [share * (1 - 2 * run.relativeError), share * (1 + 2 * run.relativeError)]
  const limit = 1 - tolerance
  if (busy !== undefined && busy < LOADED)
    return {
      name,
      planned,
      measured,
      verdict: 'inconclusive',
      why: `workers that idle say nothing of full ones: raise the load until they are ${formatPercent(LOADED)} busy`,
    }
  // As far above as the tolerance lets it be below: a plan of many times what is needed is not confirmed either.
  if (low > 1 / limit)
    return {
      name,
      planned,
      measured,
      verdict: 'fail',
      why: `it passes ${round(share)} times what was planned: calibrate the plan from this run, it asks for too much`,
    }
  if (low >= limit) return { name, planned, measured, verdict: 'pass', why: '' }
  const unsure: PlanCheck = {
    name,
    planned,
    measured,
    verdict: 'inconclusive',
    why: 'the interval of the measurement reaches over the limit: run longer',
  }
  // Enough passed, but the run is too short to be sure of it: more load would not help.
  if (share >= limit) return unsure
  const full = busy !== undefined || run.saturated
  if (full === undefined) {
    return {
      name,
      planned,
      measured,
      verdict: 'inconclusive',
      why: 'whether the workers were fully loaded is not known: the run has no overhead reading',
    }
  }
  if (!full)
    return {
      name,
      planned,
      measured,
      verdict: 'inconclusive',
      why: 'the workers were not fully loaded: raise the concurrency or the rate until requests wait',
    }
  const short =
    busy === undefined ? 'the workers were fully loaded and passed less' : 'a token costs more CPU than planned'
  if (high < limit) return { name, planned, measured, verdict: 'fail', why: short }
  return unsure
}

function atMost(name: string, value: number, limit: number, unit: string, tolerance: number): PlanCheck {
  const verdict = value <= limit * (1 + tolerance) ? 'pass' : 'fail'
  return {
    name,
    planned: `at most ${round(limit)} ${unit}`,
    measured: `${round(value)} ${unit}`,
    verdict,
    why: verdict === 'fail' ? 'more than the plan counts with' : '',
  }
}

function atLeast(name: string, value: number, limit: number, tolerance: number): PlanCheck {
  const verdict = value >= limit * (1 - tolerance) ? 'pass' : 'fail'
  return {
    name,
    planned: `at least ${round(limit)}`,
    measured: round(value),
    verdict,
    why: verdict === 'fail' ? 'slower streams are open longer: more connections than planned' : '',
  }
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)))
}
