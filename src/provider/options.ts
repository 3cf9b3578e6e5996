/** Turns the flags of `kt provider start` into what the provider is started with; what makes no sense is a UserError. */
import { UserError } from '../errors.ts'
import { type Latency, parseLatency } from './latency.ts'
import { MAX_TOKENS } from './schemas.ts'
import type { ProviderOptions } from './server.ts'

export interface ProviderFlags {
  host: string
  port: number
  ttft: string
  'token-gap': string
  tokens: number
  seed: number
  'api-key'?: string | undefined
}

export function providerOptions(flags: ProviderFlags): ProviderOptions {
  if (flags.tokens < 1 || flags.tokens > MAX_TOKENS) {
    throw new UserError(`--tokens ${flags.tokens} is not possible`, `Give a number of tokens from 1 to ${MAX_TOKENS}.`)
  }
  const apiKey = flags['api-key']
  if (apiKey === '') throw new UserError('--api-key is empty', 'Give a key, or leave the flag out to serve everyone.')
  return {
    host: flags.host,
    port: flags.port,
    latency: {
      ttft: latencyOf('--ttft', flags.ttft),
      tokenGap: latencyOf('--token-gap', flags['token-gap']),
      seed: flags.seed,
    },
    tokens: flags.tokens,
    ...(apiKey === undefined ? {} : { apiKey }),
  }
}

function latencyOf(flag: string, text: string): Latency {
  const latency = parseLatency(text)
  if (latency) return latency
  throw new UserError(
    `${flag} '${text}' is not a delay`,
    "Give a duration such as 20ms or 0ms, or 'lognormal(20ms,0.5)' (median, sigma of the logarithm, at most 5).",
  )
}
