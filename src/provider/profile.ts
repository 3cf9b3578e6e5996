/**
 * A provider profile: how fast, in what pieces and how reliably a provider answers, as YAML that a user may copy and
 * change. Those that ship are in profiles/providers/. Every key but `about` may be left out; flags win over the file.
 */
import { readdirSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { z } from 'zod'
import { failure, success, UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { didYouMean } from '../parse/near.ts'
import { countOrZero, durationMs, durationOrZeroMs, parsedBy, positiveCount, share } from '../parse/quantity.ts'
import { type ModelDelay, parseModelDelay } from '../schedule/delays.ts'
import { packaged } from '../system/machine.ts'
import { MAX_TOKENS, PLAIN_SHAPE, type StreamShape } from './api.ts'
import { FAULT_TIMES, FAULTS, type FaultPlan, type FaultShares } from './faults.ts'
import { parseStall, type StallPlan } from './latency.ts'

export interface ProviderProfile {
  ttft: ModelDelay
  tokenGap: ModelDelay
  prefillUs: number
  load: { ttft: number; tokenGap: number }
  tokens: number
  reasoningTokens: number
  shape: StreamShape
  faults: FaultPlan
  stall: StallPlan | undefined
}

/** Quick, plain and faultless: what the provider is without a profile. */
export const DEFAULT_PROFILE: ProviderProfile = {
  ttft: { kind: 'fixed', us: 20_000 },
  tokenGap: { kind: 'fixed', us: 2_000 },
  prefillUs: 0,
  load: { ttft: 0, tokenGap: 0 },
  tokens: 16,
  reasoningTokens: 0,
  shape: PLAIN_SHAPE,
  faults: { shares: {}, ...FAULT_TIMES },
  stall: undefined,
}

function parsed<T>(parse: (text: string) => T | undefined, what: string): z.ZodType<T, string | number> {
  return parsedBy((text) => {
    const value = parse(text)
    return value === undefined ? failure(`'${text}' is not ${what}`) : success(value)
  }, what)
}

export const latency = parsed(
  parseModelDelay,
  'a delay such as 20ms, lognormal(20ms,0.5) (median, sigma of the logarithm, at most 5) or quantiles(0:12ms,100:95ms)',
)
export const stall = parsed(parseStall, 'a stall such as 100ms/1s (silent for 100 ms of every second)')
const RANGE = /^(\d+)(?:\s*-\s*(\d+))?$/
const MAX_TOKENS_PER_EVENT = 1_000
const MAX_EVENTS_PER_WRITE = 10_000

function parseRange(text: string): { min: number; max: number } | undefined {
  const match = RANGE.exec(text.trim())
  if (!match) return undefined
  const [min, max] = [Number(match[1]), Number(match[2] ?? match[1])]
  return min >= 1 && min <= max && max <= MAX_TOKENS_PER_EVENT ? { min, max } : undefined
}

/** Tokens of an answer: as many as the provider writes at most. */
export const answerTokens = (count: z.ZodType<number>) =>
  count.refine((value) => value <= MAX_TOKENS, `must be at most ${MAX_TOKENS}`).optional()

const profileSchema = z.strictObject({
  about: z.string(),
  ttft: latency.optional(),
  token_gap: latency.optional(),
  prefill_per_input_token: durationOrZeroMs.optional(),
  load: z.strictObject({ ttft: share.default(0), token_gap: share.default(0) }).optional(),
  answer: z
    .strictObject({ tokens: answerTokens(positiveCount), reasoning_tokens: answerTokens(countOrZero) })
    .optional(),
  stream: z
    .strictObject({
      tokens_per_event: parsed(parseRange, 'a number of tokens such as 1, or a range such as 10-20').optional(),
      events_per_write: positiveCount.refine((count) => count <= MAX_EVENTS_PER_WRITE, 'is too many').optional(),
      obfuscation: z.boolean().optional(),
      prompt_filter_event: z.boolean().optional(),
    })
    .optional(),
  faults: z
    .strictObject({
      ...Object.fromEntries(FAULTS.map((fault) => [fault, share.optional()])),
      retry_after: durationOrZeroMs.optional(),
      stall_for: durationMs.optional(),
      slow_headers_for: durationMs.optional(),
    })
    .optional(),
  stall: stall.optional(),
})

/** The profile that ships under `nameOrPath`, or the one in that file. */
export function readProviderProfile(nameOrPath: string): ProviderProfile {
  const file = readYaml(findProfile(nameOrPath), profileSchema, 'provider profile')
  const { stream = {}, answer = {}, load } = file
  const { retry_after, stall_for, slow_headers_for, ...rates } = file.faults ?? {}
  const shares = rates as FaultShares
  refuseAboveOne(shares, `${nameOrPath}: faults`)
  return {
    ttft: file.ttft ?? DEFAULT_PROFILE.ttft,
    tokenGap: file.token_gap ?? DEFAULT_PROFILE.tokenGap,
    prefillUs: (file.prefill_per_input_token ?? 0) * 1_000,
    load: { ttft: load?.ttft ?? 0, tokenGap: load?.token_gap ?? 0 },
    tokens: answer.tokens ?? DEFAULT_PROFILE.tokens,
    reasoningTokens: answer.reasoning_tokens ?? 0,
    shape: {
      tokensPerEvent: stream.tokens_per_event ?? PLAIN_SHAPE.tokensPerEvent,
      eventsPerWrite: stream.events_per_write ?? PLAIN_SHAPE.eventsPerWrite,
      obfuscation: stream.obfuscation ?? PLAIN_SHAPE.obfuscation,
      promptFilterEvent: stream.prompt_filter_event ?? PLAIN_SHAPE.promptFilterEvent,
    },
    faults: {
      shares,
      retryAfterMs: retry_after ?? FAULT_TIMES.retryAfterMs,
      stallMs: stall_for ?? FAULT_TIMES.stallMs,
      slowHeadersMs: slow_headers_for ?? FAULT_TIMES.slowHeadersMs,
    },
    stall: file.stall,
  }
}

/** A request has at most one fault, so their shares are parts of one whole. */
export function refuseAboveOne(shares: FaultShares, source: string): void {
  const sum = Object.values(shares).reduce((total, part) => total + part, 0)
  if (sum <= 1 + 1e-9) return
  throw new UserError(
    `${source}: together more than every request`,
    'A request has at most one fault: let the shares add up to 100 % or less.',
  )
}

export function providerProfileNames(): string[] {
  return readdirSync(packaged('profiles', 'providers'))
    .filter((file) => extname(file) === '.yaml')
    .map((file) => basename(file, '.yaml'))
    .sort()
}

function findProfile(nameOrPath: string): string {
  const names = providerProfileNames()
  if (names.includes(nameOrPath)) return packaged('profiles', 'providers', `${nameOrPath}.yaml`)
  if (/[/\\]|\.ya?ml$/.test(nameOrPath)) return nameOrPath
  const near = didYouMean(nameOrPath, names)
  throw new UserError(
    `--profile: there is no profile '${nameOrPath}'${near ? ` (did you mean '${near}'?)` : ''}`,
    `Profiles: ${names.join(', ')}; or give the path of a YAML file.`,
  )
}
