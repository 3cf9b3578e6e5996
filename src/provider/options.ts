/** The flags of `kt provider start` with their types, and what the provider is started with. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { failure, type Result, success, UserError } from '../errors.ts'
import { readText } from '../parse/file.ts'
import { type FlagValues, flagGroup, oneOf } from '../parse/flags.ts'
import { didYouMean } from '../parse/near.ts'
import { Faults, givenOf, rulesOf } from '../parse/parse-flags.ts'
import { parsedBy, port, positiveCount, positiveNumber, share, wholeNumber } from '../parse/quantity.ts'
import { type Cassette, readCassette } from './cassette/cassette.ts'
import { CassettePlayer, ORDERS } from './cassette/player.ts'
import { type KeyPair, selfSigned } from './certificate.ts'
import { FAULTS, type FaultShares } from './faults.ts'
import {
  answerTokens,
  DEFAULT_PROFILE,
  latency,
  type ProviderProfile,
  providerProfileNames,
  readProviderProfile,
  refuseAboveOne,
  stall,
} from './profile.ts'
import type { ProviderOptions } from './server.ts'

const { text, texts, toggle } = flagGroup()

const DEFAULT_MAX_STREAMS = 100
const MOST_STREAMS = 2 ** 31 - 1

/** 'truncate=1%' */
function parseFault(given: string): Result<readonly [(typeof FAULTS)[number], number]> {
  const [name = '', part = ''] = given.split('=', 2)
  const fault = FAULTS.find((known) => known === name)
  if (!fault) {
    const near = didYouMean(name, FAULTS)
    return failure(
      `'${given}': unknown fault${near ? ` (did you mean '${near}'?)` : ''}`,
      `Give a fault and its share, such as truncate=1%. Faults: ${FAULTS.join(', ')}.`,
    )
  }
  const parsed = share.safeParse(part)
  return parsed.success
    ? success([fault, parsed.data] as const)
    : failure(`${name}: ${parsed.error.issues[0]?.message}`, `Write for example --fault ${name}=1%.`)
}

export const providerFlags = {
  host: text(z.string().min(1, 'is empty'), 'address to listen on', { default: '127.0.0.1' }),
  port: text(port, 'port to listen on (0: the system chooses)', { default: '41001' }),
  'next-free-port': toggle('use the next free port when the port is taken'),
  profile: text(z.string().optional(), 'profile of the answers: a name in profiles/providers, or a file', {
    helpValue: 'name|file.yaml',
    choices: providerProfileNames(),
  }),
  ttft: text(latency.optional(), 'time to first token [default: 20ms]', { helpValue: 'delay' }),
  'token-gap': text(latency.optional(), 'time between tokens [default: 2ms]', { helpValue: 'delay' }),
  tokens: text(
    answerTokens(positiveCount),
    'tokens in an answer to a request without a limit of its own [default: 16]',
  ),
  seed: text(wholeNumber, 'seed of delays and faults, combined with that of each request', { default: '1' }),
  'error-rate': text(share.optional(), 'requests answered with 500, such as 1%', { helpValue: 'share' }),
  'rate-limit': text(share.optional(), 'requests answered with 429, such as 5%', { helpValue: 'share' }),
  fault: texts(
    z.array(parsedBy(parseFault)).default([]),
    'requests with another fault, such as truncate=1%; repeatable',
    { helpValue: 'fault=share' },
  ),
  stall: text(stall.optional(), 'pause all answers periodically: 100ms/1s pauses 100 ms in every second', {
    helpValue: 'for/every',
  }),
  'stamp-in-text': toggle('also stamp the text of each event, for gateways that merge events or translate formats'),
  http2: toggle('serve HTTP/2 beside HTTP/1.1'),
  'max-streams': text(
    positiveCount.refine((count) => count <= MOST_STREAMS, `must be at most ${MOST_STREAMS}`).optional(),
    `streams that one HTTP/2 connection may have open [default: ${DEFAULT_MAX_STREAMS}]`,
  ),
  tls: toggle('serve TLS with a certificate made for this run'),
  'tls-cert': text(z.string().optional(), 'serve TLS with this certificate', { helpValue: 'file.pem' }),
  'tls-key': text(z.string().optional(), 'private key of --tls-cert', { helpValue: 'file.pem' }),
  'require-key': text(
    z.string().min(1, 'is empty: give a key, or leave the flag out to serve everyone').optional(),
    'require this API key, in the header of each API',
  ),
  replay: text(z.string().optional(), 'play the recorded answers of this cassette (kt provider record)', {
    helpValue: 'file.jsonl',
  }),
  speed: text(positiveNumber.optional(), 'with --replay: so many times faster than recorded [default: 1]', {
    example: '2',
  }),
  order: text(
    oneOf(ORDERS).optional(),
    'with --replay: by what an answer is chosen, the request or the sequence of recording [default: request]',
  ),
  json: toggle('print {"url", "pid"} (with --tls also "ca") on one line when listening'),
}

type ProviderFlagValues = FlagValues<typeof providerFlags>

const rule = rulesOf<ProviderFlagValues>()

/** What shapes simulated answers. */
const SIMULATED = ['profile', 'ttft', 'token-gap', 'tokens', 'error-rate', 'rate-limit', 'fault'] as const

const RULES = [
  ...SIMULATED.map((name) =>
    rule(
      [name, 'replay'],
      ({ [name]: value, replay }) =>
        replay !== undefined &&
        isGiven(value) &&
        failure(`--${name} shapes simulated answers, and --replay plays recorded ones`, 'Leave one of them out.'),
    ),
  ),
  ...(['speed', 'order'] as const).map((name) =>
    rule(
      [name, 'replay'],
      ({ [name]: value, replay }) =>
        replay === undefined && isGiven(value) && failure(`--${name} goes with --replay`, 'Give the cassette too.'),
    ),
  ),
  rule(
    ['max-streams', 'http2'],
    ({ 'max-streams': streams, http2 }) =>
      streams !== undefined &&
      !http2 &&
      failure('--max-streams is a limit of HTTP/2, which is off', 'Add --http2, or leave --max-streams out.'),
  ),
  rule(
    ['tls-cert', 'tls-key'],
    ({ 'tls-cert': cert, 'tls-key': key }) =>
      (cert === undefined) !== (key === undefined) &&
      failure('--tls-cert and --tls-key belong together', 'Give both, or --tls for a throw-away certificate.'),
  ),
]

function isGiven(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0)
}

/** The flags' values, and what the provider is started with. `note` hears of what a cassette is like. */
export function parseProviderFlags(
  flags: Readonly<Record<string, unknown>>,
  note: (line: string) => void = () => {},
): ProviderFlagValues & { provider: ProviderOptions } {
  const faults = new Faults()
  const values = faults.read(providerFlags, givenOf(flags))
  faults.check(values, RULES)
  const name = values.profile
  const profile = name === undefined ? DEFAULT_PROFILE : faults.attempt(() => readProviderProfile(name))
  const shares = chooseShares(values, profile)
  if (faults.sound('fault', 'error-rate', 'rate-limit')) faults.attempt(() => refuseAboveOne(shares, 'faults'))
  const cassette = values.replay === undefined ? undefined : faults.attempt(() => readCassette(values.replay ?? ''))
  const certificate = faults.attempt(() => readCertificate(values))
  faults.refuse('kt provider start')
  if (!profile) throw new Error('a provider without a profile, and nothing is wrong')
  const tls = certificate ?? (values.tls ? selfSigned(values.host) : undefined)
  const player = cassette && playerOf(cassette, values, note)
  const provider = { ...buildOptions(values, profile, shares), ...(tls ? { tls } : {}), ...(player ? { player } : {}) }
  return { ...values, provider }
}

function playerOf(
  cassette: Cassette,
  { speed = 1, order = 'request', seed }: ProviderFlagValues,
  note: (line: string) => void,
): CassettePlayer {
  for (const line of cassette.notes) note(`kt: ${line}`)
  return new CassettePlayer(cassette, { speed, order, seed, note })
}

function buildOptions(values: ProviderFlagValues, profile: ProviderProfile, shares: FaultShares): ProviderOptions {
  const { 'require-key': apiKey, stall: pause = profile.stall } = values
  const { ttft: slowerStart, tokenGap: slowerTokens } = profile.load
  return {
    host: values.host,
    port: values.port,
    latency: {
      ttft: values.ttft ?? profile.ttft,
      tokenGap: values['token-gap'] ?? profile.tokenGap,
      prefillUs: profile.prefillUs,
      ...(slowerStart > 0 || slowerTokens > 0 ? { load: profile.load } : {}),
      seed: values.seed,
    },
    tokens: values.tokens ?? profile.tokens,
    reasoningTokens: profile.reasoningTokens,
    shape: profile.shape,
    stampInText: values['stamp-in-text'],
    ...(Object.values(shares).some((part) => part > 0) ? { faults: { ...profile.faults, shares } } : {}),
    ...(pause === undefined ? {} : { stall: pause }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(values.http2 ? { http2: { maxConcurrentStreams: values['max-streams'] ?? DEFAULT_MAX_STREAMS } } : {}),
  }
}

/** The profile's shares of faults, with those in their place that flags give. */
function chooseShares(values: ProviderFlagValues, profile: ProviderProfile | undefined): FaultShares {
  const { fault = [], 'rate-limit': rateLimit, 'error-rate': errorRate } = values
  return {
    ...profile?.faults.shares,
    ...(rateLimit === undefined ? {} : { rate_limit: rateLimit }),
    ...(errorRate === undefined ? {} : { server_error: errorRate }),
    ...Object.fromEntries(fault),
  }
}

/** The certificate of the user's own, where flags name one and its key. */
function readCertificate({ 'tls-cert': certPath, 'tls-key': keyPath }: ProviderFlagValues): KeyPair | undefined {
  if (certPath === undefined || keyPath === undefined) return undefined
  const pair: KeyPair = { cert: readText(certPath, 'certificate'), key: readText(keyPath, 'private key') }
  try {
    if (new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key))) return pair
  } catch {
    throw new UserError(`${certPath} and ${keyPath} are not a certificate and its key`, 'Give PEM files.')
  }
  throw new UserError(`${keyPath} is not the key of ${certPath}`, 'Give the key that the certificate was made with.')
}
