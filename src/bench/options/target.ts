/**
 * The target of a bench: which addresses requests go to, and how they are reached. The flags with their types, and what
 * contradicts what. With --url the addresses are the user's, without it those of the embedded pair.
 */
import { z } from 'zod'
import type { Route } from '../../client/route.ts'
import { type Addressed, address, resolveTarget, type Target } from '../../client/target.ts'
import { failure } from '../../errors.ts'
import { headerLine, headerSafe } from '../../parse/config-values.ts'
import { type FlagValues, flagGroup } from '../../parse/flags.ts'
import { type Faults, type Given, rulesOf } from '../../parse/parse-flags.ts'
import { durationMs, durationOrZeroMs, positiveCount } from '../../parse/quantity.ts'
import { readCassette } from '../../provider/cassette/cassette.ts'
import { parseDelay } from '../../schedule/delays.ts'
import { ARM_RULES, type ArmSecrets, type ArmTarget, armFlags, BASELINE, locateArms, secretsOfArm } from './arms.ts'
import { encryptsNothing, NETWORK_RULES, networkFlags } from './network.ts'
import { buildRoutes, proxySecrets } from './routes.ts'

const { text, texts, toggle } = flagGroup('TARGET')
const embedded = flagGroup('EMBEDDED PAIR')
const result = flagGroup('RESULT')

/** A delay, in the form of the simulated provider, to which it is handed on as text. */
const delayText = z
  .string()
  .refine((delay) => parseDelay(delay) !== undefined, `not a delay such as '20ms' or 'lognormal(20ms,0.3)'`)

/** The flags that a sweep has too. */
export const targetFlags = {
  url: text(address.optional(), 'URL to send to; a base URL such as http://host:41002 gets the path of the endpoint'),
  'api-key': text(headerSafe.optional(), 'API key for the target; safer in KT_API_KEY'),
  header: texts(z.array(headerLine).default([]), "extra header 'Name: value'; repeatable"),
  timeout: text(durationMs.optional(), 'time limit of a whole request [default: 30s]'),
  'connect-timeout': text(durationMs.optional(), 'time limit to open a connection [default: --timeout]'),
  'ttft-timeout': text(durationMs.optional(), 'with --stream: time limit from sending to the first token'),
  'idle-timeout': text(durationMs.optional(), 'with --stream: time limit between two tokens'),
  'allow-empty': toggle('count answers that hold nothing (KT_EMPTY) as successes'),
  'no-keepalive': toggle('open a new connection for every request'),
  ...networkFlags,
  http2: toggle('use HTTP/2: by ALPN over https, with prior knowledge over http'),
  connections: text(
    positiveCount.optional(),
    'with --http2: number of connections [default: one for each 100 requests in flight]',
  ),
  'inject-delay': embedded.text(durationOrZeroMs.optional(), 'delay that the embedded gateway adds to every request'),
  'token-gap': embedded.text(delayText.optional(), 'time between two tokens of the embedded provider [default: 2ms]', {
    example: '20ms',
  }),
  'provider-replay': embedded.text(
    z.string().optional(),
    'the embedded provider plays the answers of this cassette (kt provider record)',
    { helpValue: 'file.jsonl' },
  ),
}

/** The flags of further arms. */
export const baselineFlags = {
  'baseline-url': text(
    address.optional(),
    'baseline measured alternately with --url or --arm: the provider itself, or the old gateway',
  ),
  aa: result.toggle('A/A run: measure one address against itself, which gives the noise of the rig'),
}

const flags = { ...targetFlags, ...baselineFlags, ...armFlags }
export type TargetFlagValues = FlagValues<typeof flags>

/** The section as the run takes it: the flags' values, and where the URLs lead. */
export type TargetOptions = Omit<TargetFlagValues, 'url' | 'baseline-url' | keyof typeof armFlags> & {
  /** The first gateway; undefined for the embedded pair. */
  at: Target | undefined
  baselineAt: Target | undefined
  /** How they are reached, where not by name and port. */
  routes: readonly Route[]
  /** The gateways that have names. */
  arms: readonly ArmTarget[]
  /** What the baseline is sent beside what all are. */
  baselineSecrets: ArmSecrets
}

const rule = rulesOf<TargetFlagValues>()

const RULES = [
  ...NETWORK_RULES,
  rule(
    ['inject-delay', 'url'],
    (given) =>
      given['inject-delay'] !== undefined &&
      given.url !== undefined &&
      failure(
        '--inject-delay goes with the embedded gateway, not with --url',
        "Leave --url out, or start your own with 'kt gateway start --inject-delay'.",
      ),
  ),
  rule(
    ['token-gap', 'url'],
    (given) =>
      given['token-gap'] !== undefined &&
      given.url !== undefined &&
      failure(
        '--token-gap goes with the embedded provider, not with --url',
        "Leave --url out, or start your own with 'kt provider start --token-gap'.",
      ),
  ),
  rule(
    ['provider-replay', 'url', 'token-gap'],
    (given) =>
      given['provider-replay'] !== undefined &&
      (given.url !== undefined || given['token-gap'] !== undefined) &&
      failure(
        `--provider-replay does not go with --${given.url === undefined ? 'token-gap' : 'url'}`,
        "Leave one of them out, or start your own with 'kt provider start --replay'.",
      ),
  ),
  rule(
    ['baseline-url', 'url', 'arm'],
    (given) =>
      given['baseline-url'] !== undefined &&
      given.url === undefined &&
      given.arm.length === 0 &&
      failure(
        '--baseline-url goes with --url or --arm',
        'Give the gateway in --url; the embedded pair has its baseline already.',
      ),
  ),
  rule(
    ['aa', 'baseline-url'],
    ({ aa, 'baseline-url': baseline }) =>
      aa && baseline !== undefined && failure('--aa measures one address against itself', 'Leave --baseline-url out.'),
  ),
  rule(
    ['connections', 'http2'],
    ({ connections, http2 }) =>
      connections !== undefined &&
      !http2 &&
      failure(
        '--connections goes with --http2',
        'HTTP/1.1 has one request at a time on a connection: --concurrency and --max-in-flight are their number.',
      ),
  ),
  rule(
    ['no-keepalive', 'http2'],
    ({ 'no-keepalive': noKeepAlive, http2 }) =>
      noKeepAlive &&
      http2 &&
      failure(
        '--no-keepalive does not go with --http2',
        'HTTP/2 is many requests on one connection: leave one of them out.',
      ),
  ),
  rule(
    ['http2', 'url', 'arm'],
    ({ http2, url, arm }) =>
      http2 &&
      url === undefined &&
      arm.length === 0 &&
      failure('--http2 goes with --url', 'The embedded pair is measured over HTTP/1.1.'),
  ),
  rule(['ca', 'insecure', 'url', 'arm'], ({ url, arm, ...trusted }) =>
    encryptsNothing(trusted, [url, ...arm.map(({ value }) => value)]),
  ),
]

export function readTarget(given: Given, faults: Faults): TargetFlagValues {
  const values = faults.read(flags, given)
  faults.check(values, [...RULES, ...ARM_RULES])
  const cassette = values['provider-replay']
  // Its provider is another process, whose refusal would come late.
  if (cassette !== undefined && values.url === undefined) faults.attempt(() => readCassette(cassette))
  return values
}

/** Completes the section with where its URLs lead: their paths depend on the endpoint. */
export function locateTarget(
  {
    url,
    'baseline-url': baselineUrl,
    arm = [],
    'arm-header': armHeader = [],
    'arm-api-key': armKey = [],
    ...values
  }: TargetFlagValues,
  asked: Addressed,
  faults: Faults,
): TargetOptions {
  const locate = (at: URL | undefined, flag: string): Target | undefined =>
    at && faults.attempt(() => resolveTarget(at, asked, flag))
  const given = { arm, 'arm-header': armHeader, 'arm-api-key': armKey }
  const baselineAt = locate(baselineUrl, '--baseline-url')
  const arms = locateArms(given, baselineAt, asked, faults)
  const at = locate(url, '--url') ?? arms[0]?.at
  const located = { ...values, at, baselineAt, arms, baselineSecrets: secretsOfArm(given, BASELINE, faults) }
  const sound = faults.sound(...Object.keys(networkFlags))
  return { ...located, routes: (sound && faults.attempt(() => buildRoutes(located))) || [] }
}

/** What decides the number of arms. */
export const ARM_FLAGS = ['url', 'baseline-url', 'aa', 'arm'] as const

/** True where the run has one arm only. */
export function hasOneArm(given: Pick<TargetFlagValues, (typeof ARM_FLAGS)[number]>): boolean {
  if (given['baseline-url'] !== undefined || given.aa) return false
  return given.arm.length === 0 ? given.url !== undefined : given.arm.length === 1
}

/** Why `flag` cannot be had in a run with one arm. */
export function needsTwoArms(flag: string) {
  return failure(`${flag} needs a run with two arms`, 'Give --baseline-url too, or leave --url out.')
}

/** What no text may show. */
export function secretsOf(
  target: Pick<TargetOptions, 'api-key' | 'header'> &
    Partial<Pick<TargetOptions, 'arms' | 'baselineSecrets' | 'routes'>>,
): string[] {
  const { 'api-key': key = '', header, arms = [], baselineSecrets, routes = [] } = target
  const own = [...arms, ...(baselineSecrets ? [baselineSecrets] : [])]
  const all = [...header, ...own.flatMap(({ headers }) => headers)]
  const keys = own.flatMap(({ apiKey }) => apiKey ?? [])
  return [key, ...all.map(([, value]) => value), ...keys, ...proxySecrets(routes)]
}
