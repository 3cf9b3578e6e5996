/**
 * A provider's profile fitted to recorded answers: its time to first token, the gap between tokens, how tokens come in
 * events and writes, the length of answers and the shares of faults. What a recording does not show apart (the time of
 * the prompt, of hidden reasoning, the growth with load) is within the time to first token.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { readCassette } from '../provider/cassette/cassette.ts'
import { FAULTS } from '../provider/faults.ts'
import { mean, median } from '../stats/means.ts'
import { robustTrend } from '../stats/robust-trend.ts'
import { counted } from '../units.ts'
import { isRegularFile } from '../workload/traces/source.ts'
import { type FittedDelay, fitDelay, fitGap, fittedDelaySchema, fixedGap } from './fit-delay.ts'
import { nothingObserved, type Observed, observeCassette } from './observed.ts'
import { observeTrace } from './traced.ts'

export const fitSchema = z
  .strictObject({
    schema: z.literal('kt.provider.fit/1').describe('name and version of this format'),
    sources: z.array(z.string()).describe('the files that were read'),
    answers: z.int().describe('answers in them'),
    refused: z.int().describe('of these, refused for what was asked (another 4xx); in no figure'),
    ttft: fittedDelaySchema.describe('time to first token'),
    tokenGap: fittedDelaySchema.describe('time between two tokens'),
    tokens: z.int().describe('tokens of an answer, the mean'),
    tokensPerEvent: z
      .object({ min: z.int().describe('fewest'), max: z.int().describe('most') })
      .describe('of a stream'),
    eventsPerWrite: z.int().describe('events that came at once'),
    faults: z.record(z.string(), z.number()).describe('shares of all answers, by the name of the fault'),
    retryAfterMs: z.number().nullable().describe('the median of what refusals asked to wait; null: none did'),
    warnings: z.array(z.string()).describe('what a reader of the profile should know'),
  })
  .describe('kt provider fit: a profile of a provider, fitted to recorded answers')

export type ProviderFit = z.infer<typeof fitSchema>

const FEW = 20

/** Reads cassettes and traces, in any mixture. `note` hears of a cassette that is cut off. */
export async function fitProvider(
  paths: readonly string[],
  seed: number,
  note: (line: string) => void,
): Promise<ProviderFit> {
  const observed = nothingObserved()
  for (const path of paths) {
    if (isCassette(path)) {
      const cassette = readCassette(path)
      for (const line of cassette.notes) note(`kt: ${line}`)
      observeCassette(cassette, observed)
    } else await observeTrace(path, observed)
  }
  const warnings: string[] = []
  const { ttft, tokenGap } = fitTimes(observed, paths, seed, warnings)
  const { answers, refused, faults, retryAfterMs } = observed
  const asked = answers - refused
  if (observed.hidden) warnings.push('hidden reasoning is within the time to first token: answer.reasoning_tokens is 0')
  return {
    schema: 'kt.provider.fit/1',
    sources: [...paths],
    answers,
    refused,
    ttft,
    tokenGap,
    tokens: Math.max(1, Math.round(mean(observed.tokens))),
    ...shapeOf(observed),
    faults: Object.fromEntries(
      FAULTS.flatMap((fault) => {
        const count = faults.get(fault) ?? 0
        return count > 0 ? [[fault, Number((count / asked).toPrecision(3))]] : []
      }),
    ),
    retryAfterMs: retryAfterMs.length > 0 ? median(retryAfterMs) : null,
    warnings,
  }
}

/** By its first bytes: a cassette names its format, whatever its version. What cannot be read is no cassette. */
function isCassette(path: string): boolean {
  if (!isRegularFile(path)) return false
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(HEAD_BYTES)
    return /^\s*\{\s*"schema"\s*:\s*"kt\.cassette\//.test(bytes.toString('latin1', 0, readSync(file, bytes)))
  } finally {
    closeSync(file)
  }
}

const HEAD_BYTES = 200

function fitTimes(observed: Observed, paths: readonly string[], seed: number, warnings: string[]) {
  const { ttftUs, gaps, totals } = observed
  if (ttftUs.length >= 2 && gaps.length >= 2) {
    const ttft = fitDelay(ttftUs, seed)
    const tokenGap = fitGap(gaps, seed)
    if (totals.length > 0) {
      warnings.push(`${counted(totals.length, 'whole answer')} told the end only; the times are those of the streams`)
    }
    warnAbout('the time to first token', ttft, warnings)
    warnAbout('the gap between tokens', tokenGap, warnings)
    return { ttft, tokenGap }
  }
  const line = robustTrend(
    totals.map(({ us, tokens }) => ({ x: tokens, y: us })),
    { confidence: 0.95 },
  )
  if (totals.length < 2 || !line) {
    throw new UserError(
      `${paths.join(', ')}: no times to fit: ${counted(ttftUs.length + totals.length, 'answer')} with tokens`,
      'Record two answers or more, streams above all: only they show the first token and the gaps.',
    )
  }
  const gapUs = Math.max(0, line.slope)
  const ttft = fitDelay(
    totals.map(({ us, tokens }) => Math.max(0, us - gapUs * tokens)),
    seed,
  )
  warnings.push(
    'no streams: the gap is the slope of the times of whole answers over their tokens, the same for each token, and ' +
      'the time to first token is what is left',
  )
  warnAbout('the time to first token', ttft, warnings)
  return { ttft, tokenGap: fixedGap(gapUs, totals.length) }
}

function warnAbout(what: string, fit: FittedDelay, warnings: string[]): void {
  const { samples, logNormalDistance, ksDistance, delay } = fit
  if (samples < FEW) warnings.push(`${what}: ${counted(samples, 'value')} only, so it is uncertain`)
  if (delay.startsWith('quantiles') && logNormalDistance !== null) {
    const off = (logNormalDistance * 100).toFixed(1)
    warnings.push(
      `${what}: a log-normal fits badly (it is off by ${off} % of the values), so its quantiles stand there`,
    )
  } else if (ksDistance === null) {
    warnings.push(`${what}: tokens came several at a time, so their spread is estimated and its fit not told`)
  }
}

function shapeOf({ perEvent, events, writes }: Observed): Pick<ProviderFit, 'tokensPerEvent' | 'eventsPerWrite'> {
  const center = mean(perEvent)
  const eventsPerWrite = writes > 0 ? Math.max(1, Math.round(events / writes)) : 1
  if (!(center > 1 + ALMOST_ONE)) return { tokensPerEvent: { min: 1, max: 1 }, eventsPerWrite }
  const sorted = perEvent.toSorted((a, b) => a - b)
  const min = Math.max(1, Math.round(sorted[Math.floor(sorted.length * LOWEST)] ?? 1))
  // Drawn evenly, so that the mean lies in the middle.
  return { tokensPerEvent: { min, max: Math.max(min, Math.round(2 * center - min)) }, eventsPerWrite }
}

const ALMOST_ONE = 0.15
const LOWEST = 0.05
