/** Turns the options of a planning command into a demand, in whichever form it is given. */

import { UserError } from '../errors.ts'
import {
  averageRequests,
  burstFactor,
  type Demand,
  demandFromPeaks,
  demandFromRate,
  type MeanRequest,
  minuteFactor,
  UNSTATED_WINDOW_S,
} from '../plan/demand.ts'
import { excessDispersion, inputScv, traceTotals, windowPeak } from '../plan/trace.ts'
import { counted, formatCount, formatDuration, formatNumber } from '../units.ts'
import { readTrace, type Trace } from '../workload/traces/whole.ts'
import type { DemandOptions } from './plan-flags.ts'
import { demandForm } from './plan-rules.ts'
import { averageMix, readRequestKinds } from './workloads.ts'

/** The options have passed the rules of src/planning/plan-rules.ts, so the demand is given in one form, and whole. */
export async function buildDemand(options: DemandOptions): Promise<Demand> {
  const demand = await demandOf(options)
  refuseImpossible(demand)
  return demand
}

/** No context window holds more, and no answer is longer. */
const MAX_INPUT_TOKENS = 10e6
const MAX_OUTPUT_TOKENS = 1e6

/** Tokens and requests that are each plausible can make a request that is none. */
function refuseImpossible({ request: { inputTokens, outputTokens, hiddenTokens } }: Demand): void {
  const output = outputTokens + hiddenTokens
  const next = 'Correct the tokens, or the number of requests that they are spread over.'
  const is = (tokens: number, what: string): string => `a request would have ${formatCount(tokens)} ${what} tokens`
  if (inputTokens > MAX_INPUT_TOKENS)
    throw new UserError(
      `${is(inputTokens, 'input')}: no model reads that many (${formatCount(MAX_INPUT_TOKENS)})`,
      next,
    )
  if (output > MAX_OUTPUT_TOKENS)
    throw new UserError(`${is(output, 'output')}: no model writes that many (${formatCount(MAX_OUTPUT_TOKENS)})`, next)
  if (inputTokens < 0.999) throw new UserError(`${is(inputTokens, 'input')}: a request has one at least`, next)
}

async function demandOf(options: DemandOptions): Promise<Demand> {
  const form = demandForm(options)
  const common = commonDemand(options)
  switch (form) {
    case '--trace':
      return demandFromTrace(options, common)
    case '--rps': {
      const rps = given(options.rps)
      return demandOfRate(rps, `${formatCount(rps)} requests/s`, options, common)
    }
    case '--requests-per-day': {
      const perDay = given(options['requests-per-day'])
      return demandOfRate(perDay / 86_400, `${formatCount(perDay)} requests/day`, options, common, perDay)
    }
    case '--users': {
      const [users, perHour] = [given(options.users), given(options['requests-per-user-hour'])]
      const text = `${formatCount(users)} users x ${formatCount(perHour)} requests/hour`
      return demandOfRate((users * perHour) / 3_600, text, options, common)
    }
    case '--input-peak/--output-peak':
      return demandOfPeaks(options, common)
    case undefined:
      throw new Error('a plan without a demand')
    default:
      return form satisfies never
  }
}

/** The value of a flag without which the rules refuse this form of a demand. */
function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the rules passed a demand that lacks a flag of its form')
  return value
}

type Common = Omit<
  Demand,
  | 'inputTokensPerSec'
  | 'outputTokensPerSec'
  | 'hiddenTokensPerSec'
  | 'requestsPerSec'
  | 'requestsKnown'
  | 'request'
  | 'burst'
  | 'minute'
>

function commonDemand({ window: windowMs, entities, 'cache-hits': cacheHits }: DemandOptions): Common {
  return {
    form: '',
    cacheHitShare: cacheHits ?? 0,
    window:
      windowMs === undefined
        ? { seconds: UNSTATED_WINDOW_S, stated: false }
        : { seconds: windowMs / 1_000, stated: true },
    notes: [],
    ...(entities === undefined ? {} : { entities }),
  }
}

/**
 * `perSec`: requests per second in the mean, before the peak multiplier. `perDay` adds what that many make of a day.
 */
function demandOfRate(
  perSec: number,
  text: string,
  options: DemandOptions,
  common: Common,
  perDay: number | undefined = undefined,
): Demand {
  const request = chooseMeanRequest(options)
  const times = options['peak-multiplier'] ?? 1
  return demandFromRate(perSec * times, request, {
    ...common,
    ...windowFactors(request, common),
    form: `${text}${timesText(times)}`,
    ...(options['peak-multiplier'] === undefined ? {} : { meanLoad: { share: 1 / times, why: '--peak-multiplier' } }),
    notes: [...common.notes, ...(perDay === undefined ? [] : dayNotes(perDay, request, times))],
  })
}

function dayNotes(perDay: number, { inputTokens, outputTokens, hiddenTokens }: MeanRequest, times: number): string[] {
  return [
    `${formatCount(perDay * (inputTokens + outputTokens + hiddenTokens))} tokens/day`,
    ...(times === 1 ? ['no --peak-multiplier: a day of even load, which no day is'] : []),
  ]
}

function demandOfPeaks(options: DemandOptions, common: Common): Demand {
  const request = chooseMeanRequest(options)
  const { rps } = options
  refuseUnlike(request, given(options['output-peak']), rps)
  return demandFromPeaks(
    {
      inputTokensPerSec: given(options['input-peak']),
      outputTokensPerSec: given(options['output-peak']),
      ...(rps === undefined ? {} : { requestsPerSec: rps }),
    },
    request,
    { ...common, ...windowFactors(request, common), form: 'peaks in tokens/s' },
  )
}

function windowFactors(request: MeanRequest, { window }: Common): Pick<Demand, 'burst' | 'minute'> {
  return { burst: burstFactor(request, window.seconds), minute: minuteFactor(request, window.seconds) }
}

/** Peaks of output where a request has none, or the other way round: no rate of requests follows from them. */
function refuseUnlike({ name, outputTokens }: MeanRequest, outputPeak: number, rps: number | undefined): void {
  if (outputPeak > 0 && outputTokens === 0)
    throw new UserError(
      `--output-peak ${formatCount(outputPeak)}: a request of ${name} has no output tokens`,
      'Give --output-peak 0, or the profile that has them.',
    )
  if (outputPeak === 0 && outputTokens > 0 && rps === undefined)
    throw new UserError(
      `--output-peak 0: a request of ${name} has output tokens`,
      'Give --workload embeddings, or --avg-output-tokens 0.',
    )
}

async function demandFromTrace(options: DemandOptions, common: Common): Promise<Demand> {
  const path = given(options.trace)
  const trace = await readTrace(path, { allowGaps: options['allow-gaps'], columns: options['trace-columns'] })
  const { scale = 1 } = options
  const totals = traceTotals(trace)
  const windowS = common.window.stated ? common.window.seconds : Math.max(1, Math.ceil(trace.resolutionS))
  if (windowS < trace.resolutionS) {
    throw new UserError(
      `--window ${windowS}s: the trace's times come in lumps of ${trace.resolutionS} s; ` +
        'a shorter window says nothing',
      `Give --window ${Math.ceil(trace.resolutionS)}s or longer.`,
    )
  }
  if (windowS > totals.spanS) {
    const span = formatDuration(totals.spanS * 1_000)
    throw new UserError(
      `${path}: the trace is ${span} long, shorter than the window of ${formatDuration(windowS * 1_000)} that the ` +
        'peak is the average over',
      common.window.stated ? 'Give a longer trace, or a shorter --window.' : 'Give a longer trace, or --window.',
    )
  }
  const [peak, ofSecond] = [
    windowPeak(trace, windowS),
    windowPeak(trace, Math.max(1, Math.min(windowS, trace.resolutionS))),
  ]
  const request: MeanRequest = {
    name: trace.name,
    inputTokens: totals.inputTokens / totals.requests,
    outputTokens: totals.outputTokens / totals.requests,
    hiddenTokens: 0,
    streamedShare: options['streamed-share'] ?? 1,
    inputScv: inputScv(trace),
    source: `${counted(totals.requests, 'request')} in ${formatNumber(totals.spanS)} s`,
  }
  const ratio = (what: string, windowPeak: number, total: number): string[] =>
    total === 0 ? [] : [`${what} ${formatNumber(windowPeak / (total / totals.spanS), 1)}x`]
  const ratios = [
    ...ratio('requests', peak.requestsPerSec, totals.requests),
    ...ratio('input', peak.inputTokensPerSec, totals.inputTokens),
    ...ratio('output', peak.outputTokensPerSec, totals.outputTokens),
  ]
  const notes = [
    `times between arrivals vary with a coefficient of ${formatNumber(totals.interArrivalCv, 1)} (1: a Poisson stream)`,
    `the mean over ${formatDuration(totals.spanS * 1_000)} is ` +
      `${formatRate((totals.requests / totals.spanS) * scale)} requests/s; ` +
      `peak over mean at ${windowS} s: ${ratios.join(', ')}`,
    ...(scale === 1
      ? []
      : [
          `times ${formatCount(scale)} as if all of them came at the same moments: ` +
            'real traffic of that size is smoother',
        ]),
    ...(trace.failed > 0 ? [`${formatNumber(trace.failed)} rows without output are failures and left out`] : []),
  ]
  return demandFromPeaks(
    {
      inputTokensPerSec: peak.inputTokensPerSec * scale,
      outputTokensPerSec: peak.outputTokensPerSec * scale,
      requestsPerSec: peak.requestsPerSec * scale,
    },
    request,
    {
      ...common,
      form: `trace ${trace.name}${timesText(scale)}`,
      window: { seconds: windowS, stated: true },
      burst: {
        factor: Math.max(1, ofSecond.requestsPerSec / peak.requestsPerSec),
        why: `requests of the busiest second of the trace over those of its busiest ${windowS} s`,
      },
      minute: minuteOfTrace(trace, totals.spanS, peak),
      // So many copies come in the second of the one that was recorded, at random within it.
      arrivalScv: 1 + scale * excessDispersion(trace, windowS),
      ...(peak.outputTokensPerSec > 0 && {
        meanLoad: { share: totals.outputTokens / totals.spanS / peak.outputTokensPerSec, why: 'mean of the trace' },
      }),
      notes,
    },
  )
}

/** By tokens, which quotas count first. A trace of less than a minute has no busiest one. */
function minuteOfTrace(trace: Trace, spanS: number, peak: ReturnType<typeof windowPeak>): Demand['minute'] {
  if (spanS < 60) return { factor: 1, why: 'the trace is shorter than a minute' }
  const tokens = ({ inputTokensPerSec, outputTokensPerSec }: typeof peak) => inputTokensPerSec + outputTokensPerSec
  return {
    factor: tokens(windowPeak(trace, 60)) / tokens(peak),
    why: `tokens of the busiest minute of the trace over those of its busiest ${peak.windowS} s`,
  }
}

/** The mean request: of a profile or a mix, or the given one; chat where the flags give tokens per second only. */
function chooseMeanRequest(options: DemandOptions): MeanRequest {
  const { workload, mix, 'avg-input-tokens': input, 'avg-output-tokens': output } = options
  const kinds = readRequestKinds(options['workload-file'])
  const request = mix
    ? averageMix(mix, kinds)
    : averageRequests([{ kind: kinds.named(workload ?? 'chat', '--workload'), share: 1 }])
  const given = input !== undefined || output !== undefined
  // A kind whose bursts nobody recorded bursts as the first kind whose were.
  const { recorded } = kinds
  return {
    ...request,
    peakToMean: request.peakToMean ?? (recorded && { ...recorded, of: `${recorded.of} (assumed)` }),
    ...(given
      ? { name: 'the given mean request', source: 'given' }
      : workload === undefined && mix === undefined
        ? { name: 'chat (assumed)' }
        : {}),
    inputTokens: input ?? request.inputTokens,
    outputTokens: output ?? request.outputTokens,
    hiddenTokens: options['avg-hidden-tokens'] ?? request.hiddenTokens,
    streamedShare: options['streamed-share'] ?? request.streamedShare,
  }
}

function timesText(times: number): string {
  return times === 1
    ? ''
    : ` x ${times < 1e6 ? formatNumber(times, Number.isInteger(times) ? 0 : 2) : formatCount(times)}`
}

function formatRate(perSec: number): string {
  return perSec < 0.1 ? String(Number(perSec.toPrecision(2))) : formatCount(perSec)
}
