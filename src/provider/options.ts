/**
 * Turns the flags of `kt provider start` into what the provider is started with; what makes no sense is a UserError.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { UserError } from '../errors.ts'
import { didYouMean } from '../parse/explain.ts'
import { readText } from '../parse/file.ts'
import { parseFlag, share } from '../parse/quantity.ts'
import { MAX_TOKENS } from './api.ts'
import { type KeyPair, selfSigned } from './certificate.ts'
import { FAULTS, type FaultShares } from './faults.ts'
import { type Latency, parseLatency, parseStall } from './latency.ts'
import { DEFAULT_PROFILE, DELAY, readProviderProfile, refuseAboveOne, STALL } from './profile.ts'
import type { ProviderOptions } from './server.ts'

export interface ProviderFlags {
  host: string
  port: number
  profile?: string | undefined
  ttft?: string | undefined
  'token-gap'?: string | undefined
  tokens?: number | undefined
  seed: number
  'error-rate'?: string | undefined
  'rate-limit'?: string | undefined
  fault?: string[] | undefined
  stall?: string | undefined
  'stamp-in-text'?: boolean | undefined
  http2?: boolean | undefined
  'max-streams'?: number | undefined
  tls?: boolean | undefined
  'tls-cert'?: string | undefined
  'tls-key'?: string | undefined
  'api-key'?: string | undefined
}

const MAX_STREAMS = 100

export function providerOptions(flags: ProviderFlags): ProviderOptions {
  const profile = flags.profile === undefined ? DEFAULT_PROFILE : readProviderProfile(flags.profile)
  const tokens = flags.tokens ?? profile.tokens
  if (tokens < 1 || tokens > MAX_TOKENS) {
    throw new UserError(`--tokens ${tokens} is not possible`, `Give a number of tokens from 1 to ${MAX_TOKENS}.`)
  }
  const apiKey = flags['api-key']
  if (apiKey === '') throw new UserError('--api-key is empty', 'Give a key, or leave the flag out to serve everyone.')
  const shares = { ...profile.faults.shares, ...parseFaults(flags) }
  refuseAboveOne(shares, 'faults')
  const stall = flags.stall === undefined ? profile.stall : requireStall(flags.stall)
  const { ttft: slowerStart, tokenGap: slowerTokens } = profile.load
  return {
    host: flags.host,
    port: flags.port,
    latency: {
      ttft: chooseLatency('--ttft', flags.ttft, profile.ttft),
      tokenGap: chooseLatency('--token-gap', flags['token-gap'], profile.tokenGap),
      prefillUs: profile.prefillUs,
      ...(slowerStart > 0 || slowerTokens > 0 ? { load: profile.load } : {}),
      seed: flags.seed,
    },
    tokens,
    reasoningTokens: profile.reasoningTokens,
    shape: profile.shape,
    stampInText: flags['stamp-in-text'] ?? false,
    ...(Object.values(shares).some((part) => part > 0) ? { faults: { ...profile.faults, shares } } : {}),
    ...(stall === undefined ? {} : { stall }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...http2Of(flags),
    ...tlsOf(flags),
  }
}

function chooseLatency(flag: string, text: string | undefined, otherwise: Latency): Latency {
  const latency = text === undefined ? otherwise : parseLatency(text)
  if (latency) return latency
  throw new UserError(`${flag} '${text}' is not a delay`, `Give ${DELAY}.`)
}

function requireStall(text: string): NonNullable<ProviderOptions['stall']> {
  const stall = parseStall(text)
  if (stall) return stall
  throw new UserError(`--stall '${text}' is not a stall`, `Give ${STALL}, the first shorter than the second.`)
}

function parseFaults(flags: ProviderFlags): FaultShares {
  const shares: FaultShares = {}
  if (flags['rate-limit'] !== undefined) shares.rate_limit = parseFlag('rate-limit', flags['rate-limit'], share, '1%')
  if (flags['error-rate'] !== undefined) shares.server_error = parseFlag('error-rate', flags['error-rate'], share, '1%')
  for (const given of flags.fault ?? []) {
    const [name = '', part = ''] = given.split('=', 2)
    const fault = FAULTS.find((known) => known === name)
    if (!fault) {
      const near = didYouMean(name, FAULTS)
      const next = `Give a fault and its share, such as truncate=1%. Faults: ${FAULTS.join(', ')}.`
      throw new UserError(`--fault '${given}': unknown fault${near ? ` (did you mean '${near}'?)` : ''}`, next)
    }
    shares[fault] = parseFlag(`fault ${name}`, part, share, `${name}=1%`)
  }
  return shares
}

function http2Of(flags: ProviderFlags): Pick<ProviderOptions, 'http2'> {
  const streams = flags['max-streams']
  if (flags.http2) return { http2: { maxConcurrentStreams: streams ?? MAX_STREAMS } }
  if (streams === undefined) return {}
  throw new UserError('--max-streams is a limit of HTTP/2, which is off', 'Add --http2, or leave --max-streams out.')
}

function tlsOf(flags: ProviderFlags): Pick<ProviderOptions, 'tls'> {
  const certPath = flags['tls-cert']
  const keyPath = flags['tls-key']
  if (certPath === undefined && keyPath === undefined) return flags.tls ? { tls: selfSigned(flags.host) } : {}
  if (certPath === undefined || keyPath === undefined) {
    throw new UserError('--tls-cert and --tls-key belong together', 'Give both, or --tls for a throw-away certificate.')
  }
  const tls: KeyPair = { cert: readText(certPath, 'certificate'), key: readText(keyPath, 'private key') }
  try {
    if (new X509Certificate(tls.cert).checkPrivateKey(createPrivateKey(tls.key))) return { tls }
  } catch {
    throw new UserError(`${certPath} and ${keyPath} are not a certificate and its key`, 'Give PEM files.')
  }
  throw new UserError(`${keyPath} is not the key of ${certPath}`, 'Give the key that the certificate was made with.')
}
