// Which proxy a target is reached through, as the environment says.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { environmentProxy, parseProxy } from '../../src/client/proxy.ts'

const NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY']
const ALL = NAMES.flatMap((name) => [name, name.toLowerCase()])
const before = new Map(ALL.map((name) => [name, process.env[name]]))
beforeEach(() => {
  for (const name of ALL) delete process.env[name]
})
afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})

function namedFor(origin: string, environment: Record<string, string>) {
  Object.assign(process.env, environment)
  return environmentProxy(origin)
}

test.each([
  ['http://gateway.test', { HTTP_PROXY: 'http://me:pw@127.0.0.1:9' }, 'HTTP_PROXY'],
  ['https://gateway.test:8443', { https_proxy: 'p:1' }, 'https_proxy'],
  ['http://10.1.2.3:80', { ALL_PROXY: 'socks5://p:1' }, 'ALL_PROXY'],
])('%s with %j', (origin, environment, variable) => {
  expect(namedFor(origin, environment)).toMatchObject({ from: variable })
})

test.each<[string, Record<string, string>]>([
  ['http://gateway.test', {}],
  ['http://gateway.test', { HTTPS_PROXY: 'p:1' }],
  ['http://gateway.test', { HTTP_PROXY: 'p:1', NO_PROXY: 'a.test,.test' }],
  ['http://gateway.test', { HTTP_PROXY: 'p:1', NO_PROXY: '*' }],
  ['http://127.0.0.1:8000', { HTTP_PROXY: 'p:1' }],
  ['http://[::1]:8000', { ALL_PROXY: 'p:1' }],
  ['http://localhost:8000', { HTTP_PROXY: 'p:1' }],
])('nothing for %s with %j', (origin, environment) => {
  expect(namedFor(origin, environment)).toBeUndefined()
})

test.each([
  ['p:3128', { host: 'p', port: 3128 }],
  ['http://p', { host: 'p', port: 80 }],
  ['http://[::1]:3128/', { host: '::1', port: 3128 }],
  ['http://me:p%40ss@p:1', { host: 'p', port: 1, authorization: `Basic ${btoa('me:p@ss')}` }],
])('the proxy %s', (text, proxy) => {
  expect(parseProxy(text)).toEqual({ ok: true, value: proxy })
})

test.each([
  ['socks5://me:secret@p:1', 'kt goes through HTTP proxies only, not socks5://'],
  ['https://me:secret@p:1', 'kt goes through HTTP proxies only, not https://'],
  ['http://', "'http://' is not the address of a proxy"],
])('%s is refused, without its password', (text, why) => {
  const parsed = parseProxy(text)
  expect(parsed).toMatchObject({ ok: false, why })
  expect(JSON.stringify(parsed)).not.toContain('secret')
})

test('a proxy of the environment that is none of HTTP is told with its variable', () => {
  Object.assign(process.env, { ALL_PROXY: 'socks5://p:1' })
  expect(environmentProxy('http://gateway.test')).toMatchObject({ from: 'ALL_PROXY', proxy: { ok: false } })
})
