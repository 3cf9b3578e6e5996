// How targets are reached: what contradicts what, certificates and keys, routes, and where an API key may go.
import { createPrivateKey } from 'node:crypto'
import { createServer } from 'node:net'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aboutRun } from '../../../src/bench/about-run.ts'
import { buildPlan } from '../../../src/bench/build-plan.ts'
import { commandLine, shownOptions } from '../../../src/bench/config.ts'
import { routeLines } from '../../../src/bench/options/routes.ts'
import { secretsOf } from '../../../src/bench/options/target.ts'
import { benchFlags, parseBenchOptions } from '../../../src/bench/options.ts'
import type { NamedTarget } from '../../../src/bench/targets.ts'
import { selfSigned } from '../../../src/provider/certificate.ts'
import { messageOf } from '../../support/refusal.ts'
import { tempDir } from '../../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

const NAMES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()])
const before = new Map(NAMES.map((name) => [name, process.env[name]]))
beforeEach(() => {
  for (const name of NAMES) delete process.env[name]
})
afterEach(() => {
  for (const [name, value] of before) if (value !== undefined) process.env[name] = value
})

function plan(values: Record<string, unknown>) {
  const { target, request, load } = parseBenchOptions({ values })
  const targets: NamedTarget[] = target.at ? [['target', target.at]] : []
  return buildPlan(target, request, load, targets)
}

const refused = (values: Record<string, unknown>) => messageOf(() => plan(values))
const routesOf = (values: Record<string, unknown>) => parseBenchOptions({ values }).target.routes

const url = 'https://gateway.test'
const [one, other] = [selfSigned('one.test'), selfSigned('other.test')]
const files = {
  cert: dir.write('one.pem', one.cert),
  key: dir.write('one.key', one.key),
  other: dir.write('other.key', other.key),
  both: dir.write('both.pem', one.cert + one.key),
  text: dir.write('text.pem', 'not a certificate'),
}

describe('client certificates', () => {
  it('are read with their key, from one file or two', () => {
    for (const given of [{ cert: files.cert, key: files.key }, { cert: files.both }]) {
      const { cert, key } = plan({ url, ...given }).connection ?? {}
      expect(cert).toContain('BEGIN CERTIFICATE')
      expect(key).toContain('PRIVATE KEY')
    }
  })

  it.each(['pkcs8', 'sec1'] as const)('open their key (%s) with KT_KEY_PASSPHRASE', (type) => {
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'open sesame' }
    const locked = createPrivateKey(one.key)
      .export({ type, format: 'pem', ...cipher })
      .toString()
    const given = [
      { cert: files.cert, key: dir.write('locked.key', locked) },
      { cert: dir.write('locked.pem', one.cert + locked) },
    ]
    for (const each of given) {
      process.env.KT_KEY_PASSPHRASE = 'open sesame'
      const { key = '' } = plan({ url, ...each }).connection ?? {}
      expect(createPrivateKey(key).equals(createPrivateKey(one.key))).toBe(true)
      process.env.KT_KEY_PASSPHRASE = 'another'
      const wrong = refused({ url, ...each })
      expect(wrong).toContain('KT_KEY_PASSPHRASE does not open the key')
      expect(wrong).not.toContain('another')
      delete process.env.KT_KEY_PASSPHRASE
      expect(refused({ url, ...each })).toContain('the key needs a passphrase')
    }
  })

  it('stay with those who send: what a fleet leaves with its broker has no key and no password', () => {
    const both = { url, cert: files.both, proxy: 'http://me:secret@p:3128' }
    const sent = plan(both)
    const left = JSON.stringify(aboutRun(sent, {} as Parameters<typeof aboutRun>[1], []))
    expect(JSON.stringify(sent)).toContain('PRIVATE KEY')
    expect(left).toContain('"host":"p"')
    expect(left).not.toContain('authorization')
    expect(left).not.toContain('PRIVATE KEY')
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['no key', { cert: files.cert }, 'a client certificate needs its key, and the file holds none'],
    ["another's key", { cert: files.cert, key: files.other }, 'is not the key of the certificate'],
    ['no certificate', { cert: files.text, key: files.key }, 'no certificate in PEM'],
    ['no key in the file', { cert: files.cert, key: files.text }, 'no private key in PEM'],
    ['no file', { cert: 'no-such.pem' }, 'cannot read the client certificate no-such.pem: no such file'],
    ['a key alone', { key: files.key }, '--key is the key of a client certificate, and there is none'],
    ['nothing that asks', { cert: files.both, url: 'http://h' }, '--cert goes with an https:// address in --url'],
  ])('%s is refused', (_what, values, message) => {
    expect(refused({ url, ...values })).toContain(message)
  })
})

describe('routes', () => {
  it('--resolve, by host and port', () => {
    const [route] = routesOf({ url, resolve: ['gateway.test:443:[::1]'] })
    expect(route).toEqual({ origin: url, via: { kind: 'address', address: '::1' }, from: '--resolve' })
    expect(routesOf({ url: 'http://[::1]:81', resolve: ['[::1]:81:10.0.0.5'] })).toHaveLength(1)
  })

  it('--unix-socket is for --url, and the baseline keeps its address', async () => {
    const path = dir.file('gateway.sock')
    const server = createServer().listen(path)
    await new Promise((resolve) => server.once('listening', resolve))
    const routes = routesOf({ url: 'http://g.test', 'baseline-url': 'http://127.0.0.1:2', 'unix-socket': path })
    expect(routes).toEqual([{ origin: 'http://g.test', via: { kind: 'unix-socket', path }, from: '--unix-socket' }])
    server.close()
  })

  it("the environment's proxies are used and named, but for this machine and NO_PROXY", () => {
    Object.assign(process.env, { HTTPS_PROXY: 'http://me:secret@p:3128', NO_PROXY: 'direct.test' })
    const routes = routesOf({ url, 'baseline-url': 'https://direct.test' })
    expect(routes.map(({ origin, from }) => [origin, from])).toEqual([[url, 'HTTPS_PROXY']])
    expect(routeLines([url, 'https://direct.test'], routes)).toEqual([
      'gateway.test is reached through the proxy p:3128 (HTTPS_PROXY). --proxy none connects directly.',
    ])
    expect(routesOf({ url: 'https://localhost:1' })).toEqual([])
    expect(routesOf({ url, proxy: 'none' })).toEqual([])
    expect(routesOf({ url, proxy: 'http://q:1' })).toMatchObject([{ via: { proxy: { host: 'q', port: 1 } } }])
    expect(routesOf({ url, resolve: ['gateway.test:443:10.0.0.5'] })).toMatchObject([{ from: '--resolve' }])
  })

  it('a proxy of the environment that is none of HTTP is told, and not used', () => {
    process.env.ALL_PROXY = 'socks5://me:secret@p:1'
    expect(routesOf({ url })).toEqual([])
    expect(routeLines([url], [])).toEqual([
      'The environment names a proxy for gateway.test (ALL_PROXY): kt goes through HTTP proxies only, not socks5://. ' +
        'kt connects directly.',
    ])
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['a name for an address', { resolve: ['gateway.test:443:other.test'] }, 'is not host:port:address with an IP'],
    ['no port', { resolve: ['gateway.test:10.0.0.5'] }, 'is not host:port:address'],
    ['another port', { resolve: ['gateway.test:80:10.0.0.5'] }, '--resolve gateway.test:80: no target of the run has'],
    ['SOCKS', { proxy: 'socks5://p:1' }, 'kt goes through HTTP proxies only, not socks5://'],
    ['both', { proxy: 'p:1', resolve: ['gateway.test:443:10.0.0.5'] }, '--proxy asks for the host by its name'],
    ['no target', { proxy: 'p:1', url: undefined }, '--proxy goes with --url'],
    ['no socket', { 'unix-socket': files.text }, 'it is no socket'],
    ['no such socket', { 'unix-socket': '/no/such.sock' }, '--unix-socket /no/such.sock: no such file'],
    ['two ways', { 'unix-socket': '/s', proxy: 'p:1' }, '--unix-socket and --proxy exclude each other'],
    ['HTTP/2 in the clear', { url: 'http://g.test', proxy: 'p:1', http2: true }, 'does not go through the proxy p:1'],
  ])('%s is refused', (_what, values, message) => {
    expect(refused({ url, ...values })).toContain(message)
  })

  it('the password of a proxy is shown nowhere', () => {
    const values = { url, proxy: 'http://me:secret@p:3128' }
    expect(JSON.stringify(shownOptions(values, benchFlags))).not.toContain('secret')
    for (const proxy of ['http://me:secret@p:3128', 'me:secret@p:3128']) {
      const shown = proxy.replace('me:secret', '***')
      expect(commandLine(['kt', 'bench', '--proxy', proxy])).toBe(`kt bench --proxy ${shown}`)
    }
    expect(secretsOf(parseBenchOptions({ values }).target)).toContain('secret')
  })
})

describe('an API key', () => {
  const key = { 'api-key': 'sk-secret' }
  it.each<[string, Record<string, unknown>]>([
    ['https', { url }],
    ['this machine', { url: 'http://127.0.0.1:1' }],
    ['this machine by name', { url: 'http://localhost:1' }],
    ['this machine at another name', { url: 'http://g.test', resolve: ['g.test:80:127.0.0.1'] }],
    ['where the user says so', { url: 'http://g.test', 'allow-insecure-key': true }],
  ])('goes to %s', (_what, values) => {
    expect(refused({ ...key, ...values })).toBe('accepted')
  })

  it.each<[string, Record<string, unknown>]>([
    ['in the clear', { url: 'http://g.test', ...key }],
    ['to a private address', { url: 'http://10.0.0.5', ...key }],
    ['in a header', { url: 'http://g.test', header: ['X-API-Key: sk-secret'] }],
    ['to a proxy', { url: 'http://g.test', proxy: 'p:1', ...key }],
    ['away from this machine', { url: 'http://localhost', resolve: ['localhost:80:10.0.0.5'], ...key }],
  ])('does not go %s', (_what, values) => {
    expect(refused(values)).toMatch(/^the API key \((authorization|x-api-key)\) would go to .* in the clear/)
  })

  it('is no matter where there is none', () => {
    expect(refused({ url: 'http://g.test' })).toBe('accepted')
  })
})
