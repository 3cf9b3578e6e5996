/** Turns the flags of a planning command into a demand, whichever way it was said; two ways at once are refused. */
import { UserError } from '../errors.ts'
import { burstOf, type Demand, demandFromPeaks, demandFromRate, meanRequest, type Shape } from '../plan/demand.ts'
import { inputScv, peakOf, totalsOf } from '../plan/trace.ts'
import { formatCount, formatDuration, formatNumber } from '../units.ts'
import type { PlanFlags } from './plan-flags.ts'
import { countOrZero, positiveCount, secondsOf, shareOf, wholeCount } from './plan-flags.ts'
import { parseMix, profileNamed, readWorkloads } from './workloads.ts'

const EXAMPLE = 'Example: kt plan --input-peak 80M --output-peak 10M'
const FORMS = `Give --input-peak and --output-peak, --requests-per-day, --rps, --users or --trace.
${EXAMPLE}
         kt plan --requests-per-day 50k --avg-input-tokens 1500 --avg-output-tokens 800`

export async function demandOf(flags: PlanFlags): Promise<Demand> {
  const forms = [
    ...(flags['input-peak'] !== undefined || flags['output-peak'] !== undefined ? ['--input-peak/--output-peak'] : []),
    ...(['requests-per-day', 'users', 'trace'] as const)
      .filter((name) => flags[name] !== undefined)
      .map((name) => `--${name}`),
  ]
  // With peaks, --rps only says how many requests the tokens are.
  const form = forms[0] ?? (flags.rps === undefined ? undefined : '--rps')
  if (forms.length > 1) throw new UserError(`the demand is said twice, by ${forms.join(' and ')}`, 'Give one of them.')
  if (form !== '--input-peak/--output-peak' && form !== '--rps' && flags.rps !== undefined) {
    throw new UserError(`--rps says the demand a second time, beside ${form}`, 'Give one of them.')
  }
  refuseIdle(flags, form)
  if (form === undefined) throw new UserError('how much has to be carried is not said', FORMS)
  const common = commonOf(flags)
  if (form === '--trace') return fromTrace(flags, common)
  const shape = shapeOf(flags)
  const windowS = common.window.seconds
  const rest = { ...common, burst: burstOf(shape, windowS) }
  if (form === '--rps') {
    const rps = positiveCount('rps', flags.rps ?? '', 'requests per second', '250')
    const times = multiplier(flags)
    return demandFromRate(rps * times, needShape(shape, flags, '--rps'), {
      ...rest,
      form: `${formatCount(rps)} requests/s${by(times)}`,
    })
  }
  if (form === '--requests-per-day') {
    const perDay = positiveCount('requests-per-day', flags['requests-per-day'] ?? '', 'requests per day', '50k')
    const times = multiplier(flags)
    const notes = [
      `${formatCount(perDay * (shape.inputTokens + shape.outputTokens + shape.hiddenTokens))} tokens/day`,
      ...(times === 1 ? ['no --peak-multiplier: a day of even load, which no day is'] : []),
    ]
    return demandFromRate((perDay / 86_400) * times, needShape(shape, flags, '--requests-per-day'), {
      ...rest,
      form: `${formatCount(perDay)} requests/day${by(times)}`,
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
    return demandFromRate(((users * perHour) / 3_600) * times, needShape(shape, flags, '--users'), {
      ...rest,
      form: `${formatCount(users)} users x ${formatCount(perHour)} requests/hour${by(times)}`,
    })
  }
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
  return demandFromPeaks(peaks, shape.outputTokens > 0 ? shape : { ...shape, outputTokens: 1 }, {
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
  | 'shape'
  | 'burst'
>

function commonOf(flags: PlanFlags): Common {
  return {
    form: '',
    cacheHitShare: flags['cache-hits'] === undefined ? 0 : shareOf('cache-hits', flags['cache-hits'], '10%'),
    window:
      flags.window === undefined
        ? { seconds: 1, stated: false }
        : { seconds: secondsOf('window', flags.window, '60s'), stated: true },
    notes: [],
    ...(flags.entities === undefined
      ? {}
      : { entities: wholeCount('entities', flags.entities, 'configured services and routes', '600') }),
  }
}

async function fromTrace(flags: PlanFlags, common: Common): Promise<Demand> {
  const { readTrace } = await import('../workload/trace.ts')
  const trace = await readTrace(flags.trace ?? '', flags['allow-gaps'])
  const scale =
    flags.scale === undefined ? 1 : positiveCount('scale', flags.scale, 'times the traffic of the trace', '1000')
  const totals = totalsOf(trace)
  const windowS = common.window.stated ? common.window.seconds : Math.max(1, Math.ceil(trace.resolutionS))
  if (windowS < trace.resolutionS) {
    throw new UserError(
      `--window ${flags.window}: the trace's times come in lumps of ${trace.resolutionS} s; a shorter window says nothing`,
      `Give --window ${Math.ceil(trace.resolutionS)}s or longer.`,
    )
  }
  if (windowS > totals.spanS) {
    throw new UserError(
      `--window ${flags.window}: the trace is only ${formatNumber(totals.spanS)} s long`,
      'Give a shorter window.',
    )
  }
  const [peak, ofSecond] = [peakOf(trace, windowS), peakOf(trace, Math.max(1, Math.min(windowS, trace.resolutionS)))]
  const shape: Shape = {
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
    `the mean over ${formatDuration(totals.spanS * 1_000)} is ${rate((totals.requests / totals.spanS) * scale)} requests/s; peak over mean at ${windowS} s: ${ratios.join(', ')}`,
    ...(scale === 1
      ? []
      : [
          `times ${formatCount(scale)} as if all of them came at the same moments: real traffic of that size is smoother`,
        ]),
    ...(trace.failed > 0 ? [`${formatNumber(trace.failed)} rows without output are failures and left out`] : []),
  ]
  return demandFromPeaks(
    {
      inputTokensPerSec: peak.inputTokensPerSec * scale,
      outputTokensPerSec: peak.outputTokensPerSec * scale,
      requestsPerSec: peak.requestsPerSec * scale,
    },
    shape,
    {
      ...common,
      form: `trace ${trace.name}${by(scale)}`,
      window: { seconds: windowS, stated: true },
      burst: {
        factor: Math.max(1, ofSecond.requestsPerSec / peak.requestsPerSec),
        why: `requests of the busiest second of the trace over those of its busiest ${windowS} s`,
      },
      notes,
    },
  )
}

/** The mean request: of a profile, a mix, what was given, or chat where only tokens were said. */
function shapeOf(flags: PlanFlags): Shape {
  if (flags.profile !== undefined && flags.mix !== undefined)
    throw new UserError('--profile and --mix both say what a request is', 'Give one of them.')
  const profiles = readWorkloads(flags.workloads)
  const shape =
    flags.mix === undefined
      ? meanRequest([{ profile: profileNamed(flags.profile ?? 'chat', profiles, '--profile'), share: 1 }])
      : parseMix(flags.mix, profiles)
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
    ...shape,
    ...(given
      ? { name: 'the given mean request', source: 'given' }
      : flags.profile === undefined && flags.mix === undefined
        ? { name: 'chat (assumed)' }
        : {}),
    inputTokens: input ?? shape.inputTokens,
    outputTokens: output ?? shape.outputTokens,
    hiddenTokens: tokens('avg-hidden-tokens', 'hidden tokens of a request', '700') ?? shape.hiddenTokens,
    streamedShare: streamedShare(flags) ?? shape.streamedShare,
  }
}

/** A rate needs to know what a request is; silence would make it a chat. */
function needShape(shape: Shape, flags: PlanFlags, form: string): Shape {
  const said = flags.profile !== undefined || flags.mix !== undefined
  if (said || (flags['avg-input-tokens'] !== undefined && flags['avg-output-tokens'] !== undefined)) return shape
  throw new UserError(
    `${form} says how many requests, not how large they are`,
    'Give --avg-input-tokens and --avg-output-tokens, or --profile, or --mix.',
  )
}

function streamedShare(flags: PlanFlags): number | undefined {
  return flags['streamed-share'] === undefined ? undefined : shareOf('streamed-share', flags['streamed-share'], '100%')
}

function multiplier(flags: PlanFlags): number {
  return flags['peak-multiplier'] === undefined
    ? 1
    : positiveCount('peak-multiplier', flags['peak-multiplier'], 'peak over mean', '3')
}

function by(times: number): string {
  return times === 1
    ? ''
    : ` x ${times < 1e6 ? formatNumber(times, Number.isInteger(times) ? 0 : 2) : formatCount(times)}`
}

function rate(perSec: number): string {
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

/** An option that the chosen form would not look at is refused instead of ignored. */
function refuseIdle(flags: PlanFlags, form: string | undefined): void {
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
