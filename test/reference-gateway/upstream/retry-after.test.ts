// How long a provider that sent retry-after is not asked: seconds or a date, for its model and client, and with a
// limit.
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../../reference-gateway/config/config.ts'
import type { RequestContext } from '../../../reference-gateway/http/request-context.ts'
import { Upstream } from '../../../reference-gateway/upstream/upstream.ts'
import { contextOf } from '../support/context.ts'

function upstreamWith(apiKey?: string): Upstream {
  const providers = [{ name: 'p', base_url: 'http://h/v1', ...(apiKey && { api_key: apiKey }) }]
  const [provider] = gatewayConfigSchema({}).parse({ gateway: { providers } }).providers
  return new Upstream(provider, {
    breaker: undefined,
    ownKeys: false,
    severalTenants: false,
    readsAnswers: false,
    via: 'kt',
  })
}

function asking(model: string, authorization = 'Bearer a'): RequestContext {
  const context = contextOf({ method: 'POST', headers: { authorization } }, '/x')
  context.model = model
  return context
}

/** For how many seconds, to within one second. */
function restOf(value: string | undefined): number {
  const upstream = upstreamWith()
  const nowMs = performance.now()
  upstream.coolDown(asking('m'), value, nowMs)
  let seconds = 0
  while (upstream.isCoolingDown(asking('m'), nowMs + seconds * 1_000)) seconds++
  return seconds
}

test.each([
  ['2', 2],
  [' 2 ', 2],
  ['0.5', 1],
  ['86400', 300],
  ['0', 0],
  ['-5', 0],
  ['', 0],
  ['soon', 0],
  [undefined, 0],
])('%j: %i s', (value, seconds) => {
  expect(restOf(value)).toBe(seconds)
})

test('a date counts where it lies in the future', () => {
  const inSeconds = (seconds: number): string => {
    const date = new Date()
    date.setSeconds(date.getSeconds() + seconds)
    return date.toUTCString()
  }
  const rest = restOf(inSeconds(10))
  expect(rest).toBeGreaterThanOrEqual(9)
  expect(rest).toBeLessThanOrEqual(10)
  expect(restOf(inSeconds(-10))).toBe(0)
})

test('a cool-down applies to one model and one key: the client’s, or the gateway’s own', () => {
  const nowMs = performance.now()
  const clients = upstreamWith()
  clients.coolDown(asking('m'), '5', nowMs)
  expect(clients.isCoolingDown(asking('m'), nowMs)).toBe(true)
  expect(clients.isCoolingDown(asking('other'), nowMs)).toBe(false)
  expect(clients.isCoolingDown(asking('m', 'Bearer b'), nowMs)).toBe(false)
  const own = upstreamWith('sk-own')
  own.coolDown(asking('m'), '5', nowMs)
  expect(own.isCoolingDown(asking('m', 'Bearer b'), nowMs)).toBe(true)
})
