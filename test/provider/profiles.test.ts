import { afterAll, expect, test } from 'vitest'
import { selfSigned } from '../../src/provider/certificate.ts'
import { parseProviderFlags } from '../../src/provider/options.ts'
import { providerProfileNames, readProviderProfile } from '../../src/provider/profile.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())
const file = (text: string, name = 'mine.yaml'): string => dir.write(name, text)

type Typed = Record<string, unknown>

function options(flags: Typed) {
  return parseProviderFlags({ host: '127.0.0.1', port: 0, seed: 1, ...flags }).provider
}

test.each(providerProfileNames())('the profile %s that ships is read', (name) => {
  const { faults, shape, tokens } = readProviderProfile(name)
  expect(tokens).toBeGreaterThan(0)
  expect(shape.eventsPerWrite).toBeGreaterThan(0)
  expect(Object.values(faults.shares).every((share) => share >= 0 && share <= 1)).toBe(true)
})

test('those that the documentation names are there', () => {
  expect(providerProfileNames()).toEqual(
    expect.arrayContaining(['openai', 'anthropic', 'gemini', 'azure', 'instant', 'coalesced', 'flaky']),
  )
  expect(readProviderProfile('gemini').shape.tokensPerEvent).toEqual({ min: 10, max: 20 })
  expect(readProviderProfile('coalesced').shape.eventsPerWrite).toBe(200)
})

test('a file says all there is to say, and what it leaves out is plain', () => {
  const whole = readProviderProfile(
    file(`
about: mine
ttft: lognormal(300ms,0.4)
token_gap: 12ms
prefill_per_input_token: 50us
load: { ttft: 2%, token_gap: 0.01 }
answer: { tokens: 200, reasoning_tokens: 50 }
stream: { tokens_per_event: 2-4, events_per_write: 3, obfuscation: true, prompt_filter_event: true }
faults: { rate_limit: 5%, truncate: 0.01, retry_after: 2s, stall_for: 1m, slow_headers_for: 3s }
stall: 100ms/1s
`),
  )
  expect(whole).toEqual({
    ttft: { kind: 'lognormal', medianUs: 300_000, sigma: 0.4 },
    tokenGap: { kind: 'fixed', us: 12_000 },
    prefillUs: 50,
    load: { ttft: 0.02, tokenGap: 0.01 },
    tokens: 200,
    reasoningTokens: 50,
    shape: { tokensPerEvent: { min: 2, max: 4 }, eventsPerWrite: 3, obfuscation: true, promptFilterEvent: true },
    faults: {
      shares: { rate_limit: 0.05, truncate: 0.01 },
      retryAfterMs: 2_000,
      stallMs: 60_000,
      slowHeadersMs: 3_000,
    },
    stall: { forUs: 100_000, everyUs: 1_000_000 },
  })
  expect(options({ profile: file('about: plain') })).toEqual(options({}))
})

test('flags win over the profile, and what they do not name stays', () => {
  const { latency, tokens, shape, faults, stall } = options({
    profile: 'gemini',
    ttft: '5ms',
    tokens: 7,
    'error-rate': '1%',
    fault: ['reset=2%', 'overloaded=0'],
    stall: '10ms/1s',
  })
  expect(latency.ttft).toEqual({ kind: 'fixed', us: 5_000 })
  expect(latency.tokenGap.kind).toBe('lognormal')
  expect(tokens).toBe(7)
  expect(shape?.tokensPerEvent).toEqual({ min: 10, max: 20 })
  expect(faults?.shares).toEqual({ rate_limit: 0.001, server_error: 0.01, reset: 0.02, overloaded: 0 })
  expect(stall).toEqual({ forUs: 10_000, everyUs: 1_000_000 })
})

test('without faults the provider draws none', () => {
  expect(options({})).not.toHaveProperty('faults')
  expect(options({ 'error-rate': '0%' })).not.toHaveProperty('faults')
})

test.each<[string, RegExp]>([
  ['about: x\ntokengap: 20ms', /unknown key 'tokengap' \(did you mean 'token_gap'\?\)/],
  ['about: x\nfaults: { truncated: 1% }', /faults: unknown key 'truncated' \(did you mean 'truncate'\?\)/],
  ['about: x\nttft: soon', /ttft: 'soon' is not a delay/],
  ['about: x\nttft: 20', /ttft: '20' is not a delay/],
  ['about: x\nload: { ttft: 200% }', /load\.ttft: .*share/],
  ['about: x\nfaults: { reset: 60%, stall: 50% }', /faults: together more than every request/],
  ['about: x\nstream: { tokens_per_event: 20-10 }', /stream\.tokens_per_event: '20-10' is not/],
  ['about: x\nstream: { events_per_write: 0 }', /stream\.events_per_write: must be a whole number/],
  ['about: x\nstall: 2s/1s', /stall: '2s\/1s' is not a stall/],
  ['about: x\nanswer: { tokens: 1M }', /answer\.tokens: must be at most/],
  ['ttft: 20ms', /about/],
  ['about: [', /not valid YAML/],
])('%j is refused', (text, message) => {
  expect(() => readProviderProfile(file(text))).toThrow(message)
})

test('an unknown name gets the nearest one, and a path what is wrong with it', () => {
  expect(() => readProviderProfile('antropic')).toThrow(/no profile 'antropic' \(did you mean 'anthropic'\?\)/)
  expect(() => readProviderProfile('./nowhere.yaml')).toThrow(/cannot read the provider profile .*no such file/)
})

test.each<[Typed, RegExp]>([
  [{ 'error-rate': '101%' }, /--error-rate: '101%' is not a share/],
  [{ 'rate-limit': '5' }, /--rate-limit: '5' is not a share/],
  [{ fault: ['trunkate=1%'] }, /--fault: 'trunkate=1%': unknown fault \(did you mean 'truncate'\?\)/],
  [{ fault: ['truncate'] }, /--fault: truncate: '' is not a share/],
  [{ fault: ['truncate=60%'], 'error-rate': '50%' }, /together more than every request/],
  [{ stall: '1s' }, /--stall: '1s' is not a stall/],
  [{ 'max-streams': 5 }, /--max-streams is a limit of HTTP\/2, which is off/],
  [{ 'tls-cert': 'a.pem' }, /--tls-cert and --tls-key belong together/],
  [{ 'tls-cert': 'a.pem', 'tls-key': 'b.pem' }, /cannot read the certificate a\.pem/],
])('%j is refused', (flags, message) => {
  expect(() => options(flags)).toThrow(message)
})

test('a certificate of the user’s own, and one whose key is another', () => {
  const [own, other] = [selfSigned('127.0.0.1'), selfSigned('127.0.0.1')]
  const cert = file(own.cert, 'cert.pem')
  expect(options({ 'tls-cert': cert, 'tls-key': file(own.key, 'key.pem') }).tls).toEqual(own)
  expect(() => options({ 'tls-cert': cert, 'tls-key': file(other.key, 'key.pem') })).toThrow(/is not the key of/)
  expect(() => options({ 'tls-cert': cert, 'tls-key': file('nothing', 'key.pem') })).toThrow(/are not a certificate/)
})
