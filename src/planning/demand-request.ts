/**
 * Turns the flags of a planning command into a demand, in whichever form it is given; two forms at once are refused.
 */

import { UserError } from '../errors.ts'
import { parseFlag, share } from '../parse/quantity.ts'
import {
  averageRequests,
  burstFactor,
  type Demand,
  demandFromPeaks,
  demandFromRate,
  type MeanRequest,
} from '../plan/demand.ts'
import { inputScv, traceTotals, windowPeak } from '../plan/trace.ts'
import { formatCount, formatDuration, formatNumber } from '../units.ts'
import { readTrace } from '../workload/trace.ts'
import type { PlanFlags } from './plan-flags.ts'
import { countOrZero, parseSeconds, positiveCount, wholeCount } from './plan-flags.ts'
import { kindNamed, parseMix, readRequestKinds } from './workloads.ts'

const EXAMPLE = 'Example: kt plan --input-peak 80M --output-peak 10M'
const FORMS = `Give --input-peak and --output-peak, --requests-per-day, --rps, --users or --trace.
${EXAMPLE}
         kt plan --requests-per-day 50k --avg-input-tokens 1500 --avg-output-tokens 800`

export async function buildDemand(flags: PlanFlags): Promise<Demand> {
  const forms = [
    ...(flags['input-peak'] !== undefined || flags['output-peak'] !== undefined
      ? ['--input-peak/--output-peak' as const]
      : []),
    ...(['requests-per-day', 'users', 'trace'] as const)
      .filter((name) => flags[name] !== undefined)
      .map((name) => `--${name}` as const),
  ]
  // With peaks, --rps only says how many requests the tokens are.
  const form = forms[0] ?? (flags.rps === undefined ? undefined : '--rps')
  if (forms.length > 1) throw new UserError(`the demand is said twice, by ${forms.join(' and ')}`, 'Give one of them.')
  if (form !== '--input-peak/--output-peak' && form !== '--rps' && flags.rps !== undefined) {
    throw new UserError(`--rps says the demand a second time, beside ${form}`, 'Give one of them.')
  }
  refuseUnusedFlags(flags, form)
  if (form === undefined) throw new UserError('how much has to be carried is not said', FORMS)
  const common = commonDemand(flags)
  if (form === '--trace') return demandFromTrace(flags, common)
  const request = chooseMeanRequest(flags)
  const windowS = common.window.seconds
  const rest = { ...common, burst: burstFactor(request, windowS) }
  if (form === '--rps') {
    const rps = positiveCount('rps', flags.rps ?? '', 'requests per second', '250')
    const times = multiplier(flags)
    return demandFromRate(rps * times, requireMeanRequest(request, flags, '--rps'), {
      ...rest,
      form: `${formatCount(rps)} requests/s${timesText(times)}`,
    })
  }
  if (form === '--requests-per-day') {
    const perDay = positiveCount('requests-per-day', flags['requests-per-day'] ?? '', 'requests per day', '50k')
    const times = multiplier(flags)
    const notes = [
      `${formatCount(perDay * (request.inputTokens + request.outputTokens + request.hiddenTokens))} tokens/day`,
      ...(times === 1 ? ['no --peak-multiplier: a day of even load, which no day is'] : []),
    ]
    return demandFromRate((perDay / 86_400) * times, requireMeanRequest(request, flags, '--requests-per-day'), {
      ...rest,
      form: `${formatCount(perDay)} requests/day${timesText(times)}`,
      notes: [...rest.notes, ...notes],
    })
  }
  if (form === '--users') {
    const users = positiveCount('users', flags.users ?? '', 'users active at the peak', '20k')
    const perHour = positiveCount(
      'requests-per-user-hour',
      required(flags, 'requests-per-user-hour', 'how many requests one user makes in an hour', '12'),
      'requests of a user in an hour',
      '12',
    )
    const times = multiplier(flags)
    return demandFromRate(((users * perHour) / 3_600) * times, requireMeanRequest(request, flags, '--users'), {
      ...rest,
      form: `${formatCount(users)} users x ${formatCount(perHour)} requests/hour${timesText(times)}`,
    })
  }
  form satisfies '--input-peak/--output-peak'
  const peaks = {
    inputTokensPerSec: positiveCount(
      'input-peak',
      required(flags, 'input-peak', 'the peak in input tokens per second', '80M'),
      'tokens per second',
      '80M',
    ),
    outputTokensPerSec: positiveCount(
      'output-peak',
      required(flags, 'output-peak', 'the peak in output tokens per second', '10M'),
      'tokens per second',
      '10M',
    ),
    ...(flags.rps === undefined
      ? {}
      : { requestsPerSec: positiveCount('rps', flags.rps, 'requests per second', '250') }),
  }
  return demandFromPeaks(peaks, request.outputTokens > 0 ? request : { ...request, outputTokens: 1 }, {
    ...rest,
    form: 'peaks in tokens/s',
  })
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
>

function commonDemand(flags: PlanFlags): Common {
  return {
    form: '',
    cacheHitShare: flags['cache-hits'] === undefined ? 0 : parseFlag('cache-hits', flags['cache-hits'], share, '10%'),
    window:
      flags.window === undefined
        ? { seconds: 1, stated: false }
        : { seconds: parseSeconds('window', flags.window, '60s'), stated: true },
    notes: [],
    ...(flags.entities === undefined
      ? {}
      : { entities: wholeCount('entities', flags.entities, 'configured services and routes', '600') }),
  }
}

async function demandFromTrace(flags: PlanFlags, common: Common): Promise<Demand> {
  const trace = await readTrace(flags.trace ?? '', flags['allow-gaps'])
  const scale =
    flags.scale === undefined ? 1 : positiveCount('scale', flags.scale, 'times the traffic of the trace', '1000')
  const totals = traceTotals(trace)
  const windowS = common.window.stated ? common.window.seconds : Math.max(1, Math.ceil(trace.resolutionS))
  if (windowS < trace.resolutionS) {
    throw new UserError(
      `--window ${flags.window}: the trace's times come in lumps of ${trace.resolutionS} s; ` +
        'a shorter window says nothing',
      `Give --window ${Math.ceil(trace.resolutionS)}s or longer.`,
    )
  }
  if (windowS > totals.spanS) {
    throw new UserError(
      `--window ${flags.window}: the trace is only ${formatNumber(totals.spanS)} s long`,
      'Give a shorter window.',
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
    streamedShare: streamedShare(flags) ?? 1,
    inputScv: inputScv(trace),
    source: `${formatNumber(totals.requests)} requests in ${formatNumber(totals.spanS)} s`,
  }
  const ratio = (what: string, windowPeak: number, total: number): string[] =>
    total === 0 ? [] : [`${what} ${formatNumber(windowPeak / (total / totals.spanS), 1)}x`]
  const ratios = [
    ...ratio('requests', peak.requestsPerSec, totals.requests),
    ...ratio('input', peak.inputTokensPerSec, totals.inputTokens),
    ...ratio('output', peak.outputTokensPerSec, totals.outputTokens),
  ]
  const notes = [
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
      notes,
    },
  )
}

/** The mean request: of a profile or a mix, or the given one; chat where the flags give tokens per second only. */
function chooseMeanRequest(flags: PlanFlags): MeanRequest {
  if (flags.profile !== undefined && flags.mix !== undefined)
    throw new UserError('--profile and --mix both say what a request is', 'Give one of them.')
  const kinds = readRequestKinds(flags.workloads)
  const request =
    flags.mix === undefined
      ? averageRequests([{ kind: kindNamed(flags.profile ?? 'chat', kinds, '--profile'), share: 1 }])
      : parseMix(flags.mix, kinds)
  const tokens = (
    name: 'avg-input-tokens' | 'avg-output-tokens' | 'avg-hidden-tokens',
    what: string,
    example: string,
  ): number | undefined => {
    const given = flags[name]
    if (given === undefined) return undefined
    return name === 'avg-input-tokens'
      ? positiveCount(name, given, what, example)
      : countOrZero(name, given, what, example)
  }
  const input = tokens('avg-input-tokens', 'input tokens of a request', '1500')
  const output = tokens('avg-output-tokens', 'visible output tokens of a request', '800')
  const given = input !== undefined || output !== undefined
  return {
    ...request,
    ...(given
      ? { name: 'the given mean request', source: 'given' }
      : flags.profile === undefined && flags.mix === undefined
        ? { name: 'chat (assumed)' }
        : {}),
    inputTokens: input ?? request.inputTokens,
    outputTokens: output ?? request.outputTokens,
    hiddenTokens: tokens('avg-hidden-tokens', 'hidden tokens of a request', '700') ?? request.hiddenTokens,
    streamedShare: streamedShare(flags) ?? request.streamedShare,
  }
}

/** A rate says nothing of the size of a request: a plan must not take chat for it silently. */
function requireMeanRequest(request: MeanRequest, flags: PlanFlags, form: string): MeanRequest {
  const said = flags.profile !== undefined || flags.mix !== undefined
  if (said || (flags['avg-input-tokens'] !== undefined && flags['avg-output-tokens'] !== undefined)) return request
  throw new UserError(
    `${form} says how many requests, not how large they are`,
    'Give --avg-input-tokens and --avg-output-tokens, or --profile, or --mix.',
  )
}

function streamedShare(flags: PlanFlags): number | undefined {
  return flags['streamed-share'] === undefined
    ? undefined
    : parseFlag('streamed-share', flags['streamed-share'], share, '100%')
}

function multiplier(flags: PlanFlags): number {
  return flags['peak-multiplier'] === undefined
    ? 1
    : positiveCount('peak-multiplier', flags['peak-multiplier'], 'peak over mean', '3')
}

function timesText(times: number): string {
  return times === 1
    ? ''
    : ` x ${times < 1e6 ? formatNumber(times, Number.isInteger(times) ? 0 : 2) : formatCount(times)}`
}

function formatRate(perSec: number): string {
  return perSec < 0.1 ? String(Number(perSec.toPrecision(2))) : formatCount(perSec)
}

function required(
  flags: PlanFlags,
  name: 'input-peak' | 'output-peak' | 'requests-per-user-hour',
  what: string,
  example: string,
): string {
  const given = flags[name]
  if (given !== undefined) return given
  throw new UserError(
    `--${name} is missing: ${what}`,
    name.endsWith('peak') ? EXAMPLE : `Example: --${name} ${example}`,
  )
}

/** An option that has no effect in the chosen form is refused instead of ignored. */
function refuseUnusedFlags(flags: PlanFlags, form: string | undefined): void {
  const idle = (name: keyof PlanFlags, forms: readonly (string | undefined)[]): void => {
    if (flags[name] !== undefined && flags[name] !== false && !forms.includes(form)) {
      throw new UserError(
        `--${name} has no effect ${form ? `with ${form}` : 'without a demand'}`,
        `It belongs to ${forms.filter(Boolean).join(', ')}.`,
      )
    }
  }
  const rates = ['--rps', '--requests-per-day', '--users']
  if (form !== undefined) {
    idle('peak-multiplier', rates)
    idle('requests-per-user-hour', ['--users'])
    idle('scale', ['--trace'])
    idle('allow-gaps', ['--trace'])
    for (const name of ['profile', 'mix', 'avg-input-tokens', 'avg-output-tokens', 'avg-hidden-tokens'] as const) {
      idle(name, [...rates, '--input-peak/--output-peak'])
    }
  }
}
