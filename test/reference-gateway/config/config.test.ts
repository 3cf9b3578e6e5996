import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { type Environment, gatewayConfigSchema } from '../../../reference-gateway/config/config.ts'
import { readYaml } from '../../../src/parse/file.ts'
import { refusalOf } from '../../support/refusal.ts'
import { tempDir } from '../../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

function read(yaml: string, environment: Environment = {}) {
  return readYaml(dir.write('gateway.yaml', yaml), gatewayConfigSchema(environment), 'gateway config')
}

const refusal = (yaml: string, environment: Environment = {}): string =>
  refusalOf(() => read(yaml, environment)).message

const provider = (rest: string) => `gateway: { providers: [{ name: openai, base_url: "http://h/v1", ${rest} }] }`

test('without a config the gateway is conservative', () => {
  expect(gatewayConfigSchema({}).parse({})).toMatchObject({
    host: '127.0.0.1',
    port: 41002,
    providers: [
      { name: 'openai', origin: 'http://127.0.0.1:41001', basePath: '/v1', protocol: 'openai', models: ['*'] },
    ],
    upstream: {
      httpVersion: 'auto',
      keepAlive: true,
      keepAliveIntervalMs: 30_000,
      keepAliveTimeoutMs: 60_000,
      pipelining: 1,
      connectTimeoutMs: 10_000,
      responseTimeoutMs: 300_000,
      bodyIdleTimeoutMs: 300_000,
      fallback: true,
      breaker: undefined,
    },
    clientKeys: undefined,
    limits: {
      maxBodyBytes: 10 * 1024 * 1024,
      maxInFlight: 1_024,
      headerTimeoutMs: 20_000,
      requestTimeoutMs: 120_000,
      readerTimeoutMs: 60_000,
      drainTimeoutMs: 10_000,
    },
    pool: { maxIdlePerHost: 32, maxTotal: 256, maxLifetimeMs: 300_000, idleTimeoutMs: 90_000 },
    adminPort: 'auto',
    warmup: { connections: 4, probeEndpoint: '/v1/models' },
    notices: [],
  })
})

test('the config that ships is the guide’s tuned example, on the defaults’ addresses and limits', () => {
  const path = fileURLToPath(new URL('../../../reference-gateway/gateway.yaml', import.meta.url))
  const shipped = readYaml(path, gatewayConfigSchema({ OPENAI_API_KEY: 'sk-x' }), 'gateway config')
  const defaults = gatewayConfigSchema({}).parse({})
  expect(shipped).toEqual({
    ...defaults,
    adminPort: 41003,
    providers: [{ ...defaults.providers[0], apiKey: 'sk-x' }],
    upstream: { ...defaults.upstream, httpVersion: 'h2' },
    pool: { ...defaults.pool, idleTimeoutMs: 60_000 },
    cache: { ...defaults.cache, enabled: true },
    policies: shipped.policies,
    notices: [
      'idle connections are closed after 60,000 ms (upstream.keep_alive.timeout), before ' +
        'connection_pool.idle_timeout (90,000 ms)',
      expect.stringContaining('have not decided after 100 ms leaves'),
    ],
  })
  expect(
    shipped.policies.map(({ name, type, action, parallel_group }) => [name, type, action, parallel_group]),
  ).toEqual([
    ['content-filter', 'output_filter', 'block', 'output-checks'],
    ['pii-redaction', 'output_filter', 'redact', 'output-checks'],
  ])
})

describe('what a config lets happen is said', () => {
  const cached = (keys: string): string => `gateway: { cache: { enabled: true, key_includes: [${keys}] } }`
  const filtered = (more: string): string =>
    `gateway: { streaming: { ${more} } }\npolicies: [{ name: p, type: output_filter, action: redact, patterns: [x] }]`

  test.each([
    [
      'a list of the cache that leaves out tools',
      cached('model, messages, temperature, max_tokens'),
      [/leaves out .*tools/],
    ],
    ['not the whole body', cached("'*', 'header:x-a'"), []],
    ['text of streams that leaves undecided', filtered('flush_interval: 80ms'), [/not decided after 80 ms leaves/]],
    ['text of streams that is held', filtered('on_flush: hold'), [/undecided text is held/]],
    ['nothing of policies on prompts', 'policies: [{ name: p, type: input_filter, action: block, patterns: [x] }]', []],
  ])('%s', (_, yaml, said) => {
    const { notices } = read(yaml)
    expect(notices).toHaveLength(said.length)
    said.forEach((words, i) => {
      expect(notices[i]).toMatch(words)
    })
  })
})

test.each([
  ['gateway: { connection_pool: { max_idle: 3 } }', "gateway.connection_pool: unknown key 'max_idle'"],
  ['gateway: { connection_pool: { max_totl: 3 } }', "unknown key 'max_totl' (did you mean 'max_total'?)"],
  ['gatway: {}', "unknown key 'gatway' (did you mean 'gateway'?)"],
  [provider('model: [x]'), "gateway.providers.0: unknown key 'model' (did you mean 'models'?)"],
  [
    'gateway: { upstream: { keep_alive: { timeout: 60 } } }',
    "gateway.upstream.keep_alive.timeout: '60' is not a duration",
  ],
  [
    'gateway: { connection_pool: { idle_timeout: 0s } }',
    'gateway.connection_pool.idle_timeout: must be from 1ms to 24d, not 0s',
  ],
  [
    'gateway: { streaming: { chunk_buffer: 4 potatoes } }',
    "gateway.streaming.chunk_buffer: '4 potatoes' is not a size",
  ],
  ['gateway: { port: 99999 }', 'gateway.port:'],
  [
    'gateway: { providers: [{ name: a, base_url: "ftp://h" }] }',
    "gateway.providers.0.base_url: 'ftp://h' is not an http(s)",
  ],
  ['gateway: { providers: [{ name: a, base_url: "http://u:p@h" }] }', 'credentials do not belong in a URL'],
  [
    'gateway: { providers: [{ name: a, base_url: "http://169.254.169.254/v1" }] }',
    'gateway.providers.0.base_url: 169.254.169.254 is link-local',
  ],
  ['gateway: { providers: [{ name: a, base_url: "http://0xa9fea9fe/v1" }] }', '169.254.169.254 is link-local'],
  ['gateway: { providers: [{ name: a, base_url: "http://[fe80::1]/v1" }] }', '[fe80::1] is link-local'],
  ['gateway: { providers: [{ name: a, base_url: "http://[::ffff:169.254.1.1]/v1" }] }', 'is link-local'],
  ['gateway: { providers: [] }', 'gateway.providers:'],
  [provider('models: ["g*t"]'), "gateway.providers.0.models.0: a model is a name, a prefix ('gpt-*') or '*'"],
  ['gateway: { upstream: { http_version: h3 } }', 'gateway.upstream.http_version: expected one of auto, h1, h2'],
  ['policies: [{ name: pii }]', 'policies.0.type: expected one of input_filter, output_filter'],
  [provider('weight: 0'), 'gateway.providers.0.weight:'],
  ['gateway: { workers: 0 }', 'gateway.workers:'],
  ['gateway: { upstream: { ca_file: /nowhere.pem } }', 'gateway.upstream.ca_file: cannot read /nowhere.pem'],
  ['gateway: { auth: { keys: [] } }', 'gateway.auth.keys:'],
  [
    `gateway: { auth: { keys: [{ key: "\${NO_SUCH_KEY}", tenant: a }] } }`,
    'gateway.auth.keys.0.key: NO_SUCH_KEY is not set',
  ],
  ['gateway: { limits: { max_boby: 1MB } }', "gateway.limits: unknown key 'max_boby' (did you mean 'max_body'?)"],
  [provider('protocol: soap'), 'gateway.providers.0.protocol: expected one of openai, anthropic, gemini'],
])('%s is refused: %s', (yaml, message) => {
  expect(refusal(yaml)).toContain(message)
})

test('two providers of one name are refused', () => {
  const one = '{ name: a, base_url: "http://h/v1" }'
  expect(refusal(`gateway: { providers: [${one}, ${one}] }`)).toContain("there are two providers 'a'")
})

test('an API key comes from the environment; without it the client’s authorization passes, with a notice', () => {
  const yaml = provider(`api_key: "\${MY_KEY}"`)
  expect(read(yaml, { MY_KEY: 'sk-1' }).providers[0].apiKey).toBe('sk-1')
  const without = read(yaml)
  expect(without.providers[0].apiKey).toBeUndefined()
  expect(without.notices).toEqual(["MY_KEY is not set: provider 'openai' gets the authorization that the client sends"])
})

test('a password in a URL is refused without being shown, whatever the scheme', () => {
  for (const scheme of ['http', 'ftp', 'redis']) {
    const message = refusal(`gateway: { providers: [{ name: a, base_url: "${scheme}://u:s3cret@h" }] }`)
    expect(message).toContain('credentials do not belong in a URL')
    expect(message).not.toContain('s3cret')
  }
})

test('a key that cannot be sent is refused without being shown', () => {
  const message = refusal(provider(`api_key: "\${MY_KEY}"`), { MY_KEY: 'sk-se\ncret' })
  expect(message).toContain('gateway.providers.0.api_key: not usable as a header value')
  expect(message).not.toContain('cret')
  expect(refusal(provider(`api_key: "Bearer \${MY_KEY}"`))).toContain('the whole value')
})

test('a warm-up larger than the pool opens what fits, with a notice', () => {
  const config = read('gateway: { connection_pool: { max_idle_per_host: 2 } }')
  expect(config.warmup.connections).toBe(2)
  expect(config.notices[0]).toContain('opens 2 instead of 4')
  const without = read('gateway: { upstream: { keep_alive: { enabled: false } } }')
  expect(without.warmup.connections).toBe(0)
  expect(without.notices[0]).toContain('keep_alive is off')
})
