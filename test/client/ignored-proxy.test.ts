// kt uses no proxy: it says so once for each target that other programs would reach through one.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { noteIgnoredProxies } from '../../src/client/ignored-proxy.ts'

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

function notesOn(environment: Record<string, string>, ...origins: string[]): string[] {
  Object.assign(process.env, environment)
  const notes: string[] = []
  noteIgnoredProxies(origins, (line) => notes.push(line))
  return notes
}

test.each([
  ['http://gateway.test', { HTTP_PROXY: 'http://me:pw@127.0.0.1:9' }, 'gateway.test (HTTP_PROXY or ALL_PROXY)'],
  ['https://gateway.test:8443', { https_proxy: 'p:1' }, 'gateway.test:8443 (HTTPS_PROXY or ALL_PROXY)'],
  ['http://10.1.2.3:80', { ALL_PROXY: 'socks5://p:1' }, '10.1.2.3 (HTTP_PROXY or ALL_PROXY)'],
])('%s with %j', (origin, environment, shown) => {
  expect(notesOn(environment, origin, origin)).toEqual([
    `The environment names a proxy for ${shown}. kt uses none and connects directly.`,
  ])
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
  expect(notesOn(environment, origin)).toEqual([])
})
