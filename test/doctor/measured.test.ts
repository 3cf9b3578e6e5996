// Each fault that is measured, both ways, on real sockets: a gateway that has it is found to have it and nothing else,
// and one that passes everything on as it comes is found to have none.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { diagnose } from '../../src/doctor/doctor.ts'
import { parseDoctorOptions } from '../../src/doctor/options.ts'
import { renderDoctor } from '../../src/output/doctor-table.ts'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import type { DoctorResult } from '../../src/report/doctor-schema.ts'
import { httpServer } from '../support/engine.ts'
import { PAGE } from '../support/page.ts'
import { quickProvider } from '../support/provider.ts'
import { badGateway, lookingAhead, type Mistakes } from './bad-gateway.ts'

let provider: SimulatedProvider
/** Writes its tokens at once: for what is told by the text alone. */
let instant: SimulatedProvider

beforeAll(async () => {
  provider = await quickProvider({ ttftMs: 5, gapMs: 2 })
  instant = await quickProvider({ ttftMs: 0, gapMs: 0 })
})
afterAll(() => Promise.all([provider.close(0), instant.close(0)]))

async function examined(mistakes: Mistakes, known = true): Promise<DoctorResult> {
  const behind = mistakes.rewrites ? instant : provider
  const gateway = await badGateway(behind, mistakes)
  const { result } = await diagnose(
    parseDoctorOptions({ url: gateway.url, ...(known ? { 'provider-url': behind.url } : {}) }),
    { note: () => {}, interrupt: new AbortController().signal },
  ).finally(() => gateway.close())
  return result
}

/** What is found at warning or above, but for the cache, which none of these gateways has. */
function faults({ rules }: DoctorResult): string[] {
  return rules
    .filter(({ severity, rule }) => (severity === 'warning' || severity === 'critical') && rule !== 'cache-disabled')
    .map(({ rule }) => rule)
    .sort()
}

const without = (text: string) => () => (event: string) => (event.includes(text) ? [] : [event])
const swapping = () => {
  let held = ''
  return (event: string, index: number): string[] => {
    if (index === 5) return [event, held]
    if (index === 4) held = event
    return index === 4 ? [] : [event]
  }
}
const merging = () => {
  let text = ''
  return (event: string): string[] => {
    const content = /"content":"([^"]+)"/.exec(event)?.[1]
    if (content === undefined) {
      const left = text && `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`
      text = ''
      return [left, event]
    }
    text += content
    return []
  }
}

describe('a gateway that', () => {
  test.each<[string, Mistakes, string[]]>([
    ['passes everything on', {}, []],
    [
      'opens a connection for everything and tells its time in seconds',
      { closesClients: true, newUpstream: true, timesInSeconds: true },
      ['new-connection-per-request', 'no-keep-alive', 'server-timing-seconds'],
    ],
    [
      'sleeps 25 ms before each stream, asks on for those who left, and caches for all',
      { sleepsFirstMs: 25, ignoresLeaving: true, sharesCache: true },
      ['disconnect-ignored', 'fixed-timer-ttft', 'shared-cache'],
    ],
    ['buffers streams', { buffers: true }, ['fake-streaming']],
    [
      'searches with a pattern that backtracks, and ends streams when its log is written',
      { backtracks: true, holdsEndMs: 30 },
      ['synchronous-events', 'unbounded-policy-timeout'],
    ],
    ['writes with Nagle’s algorithm', { nagle: true }, ['delayed-ack']],
    ['loses an event', { rewrites: () => (event, index) => (index === 5 ? [] : [event]) }, ['lost-events']],
    ['lets events overtake each other', { rewrites: swapping }, ['lost-events']],
    ['drops the usage', { rewrites: without('"choices":[]') }, ['missing-usage']],
    ['drops the end mark', { rewrites: without('[DONE]') }, ['missing-done']],
    ['drops the finish reason', { rewrites: without('"finish_reason":"') }, []],
  ])('%s', async (_, mistakes, expected) => {
    expect(faults(await examined(mistakes))).toEqual(expected)
  })
})

test.each([
  ['that end with a finish reason is a warning', without('[DONE]'), 'warning', 'with a finish reason and without it'],
  [
    'that end in the middle is critical',
    () => (event: string) => (/\[DONE\]|"finish_reason":"/.test(event) ? [] : [event]),
    'critical',
    'in the middle (KT_TRUNCATED)',
  ],
])('no end mark on streams %s', async (_, rewrites, severity, seen) => {
  const { rules } = await examined({ rewrites })
  const rule = rules.find(({ rule }) => rule === 'missing-done')
  expect(rule).toMatchObject({ status: 'found', severity })
  expect(JSON.stringify(rule)).toContain(seen)
})

test('merged events are worth an info, and no fault of the text', async () => {
  const result = await examined({ rewrites: merging })
  const merged = result.rules.find(({ rule }) => rule === 'merged-events')
  expect(merged).toMatchObject({ status: 'found', severity: 'info' })
  expect(faults(result)).not.toContain('lost-events')
})

test('without a known provider, what needs its record is not checked, and says why', async () => {
  const result = await examined({ newUpstream: true, ignoresLeaving: true, rewrites: swapping }, false)
  // The order shows by the stamps alone.
  expect(faults(result)).toEqual(['lost-events'])
  for (const name of ['no-keep-alive', 'no-warm-up', 'http1-upstream', 'merged-events', 'disconnect-ignored']) {
    const rule = result.rules.find((one) => one.rule === name)
    expect(rule?.status, name).toBe('not-checked')
    expect(rule?.opinions).toEqual([
      { status: 'not-checked', by: 'measurement', why: expect.stringContaining('--provider-url') },
    ])
  }
})

test('a gateway that is not there, or refuses, leaves all unchecked: exit 4', async () => {
  const hooks = { note: () => {}, interrupt: new AbortController().signal }
  const { result, exitCode } = await diagnose(parseDoctorOptions({ url: 'http://127.0.0.1:9' }), hooks)
  expect(exitCode).toBe(4)
  expect(result.measured).toMatchObject({ failure: expect.stringContaining('KT_CONNECT') })
  expect(new Set(result.rules.map(({ status }) => status))).toEqual(new Set(['not-checked']))
  const [headline] = renderDoctor(result, PAGE).split('\n')
  expect(headline).toMatch(/^The gateway was not examined: .*the connection was refused/)
  expect(renderDoctor(result, PAGE)).not.toContain('nothing found')
})

test('one that is interrupted says so, and gives no advice about the gateway: exit 130', async () => {
  const silent = await httpServer(() => {})
  const ended = new AbortController()
  const running = diagnose(parseDoctorOptions({ url: silent.origin }), { note: () => {}, interrupt: ended.signal })
  ended.abort()
  const { result, exitCode } = await running
  await silent.close()
  expect(exitCode).toBe(130)
  const [headline] = renderDoctor(result, PAGE).split('\n')
  expect(headline).toBe('Interrupted before the gateway was examined.')
})

test('a key that the gateway echoes in its refusal appears nowhere', async () => {
  const echo = await httpServer(({ headers }, response) => {
    response.writeHead(401).end(JSON.stringify({ error: { message: `no such key: ${headers.authorization}` } }))
  })
  const hooks = { note: () => {}, interrupt: new AbortController().signal }
  const { result, exitCode } = await diagnose(
    parseDoctorOptions({ url: echo.origin, 'api-key': 'sk-very-secret' }),
    hooks,
  )
  await echo.close()
  expect(exitCode).toBe(4)
  expect(result.measured?.failure).toContain('KT_HTTP_401: HTTP 401: no such key')
  expect(JSON.stringify(result)).not.toContain('sk-very-secret')
})

test('streams that end in errors are told first, and what they could not show is not claimed', async () => {
  const breaking = () => (event: string, index: number) =>
    index === 3 ? ['data: {"error":{"message":"out of capacity"}}\n\n'] : [event]
  const result = await examined({ rewrites: breaking })
  expect(result.measured?.streams).toMatchObject({ asked: 10, failed: 10 })
  const text = renderDoctor(result, PAGE)
  expect(text.replaceAll(/\n */g, ' ')).toMatch(/^10 of 10 streams ended in errors: .*out of capacity/)
  expect(text).not.toContain('nothing found')
  const claimed = ['fake-streaming', 'fixed-timer-ttft', 'synchronous-events', 'lost-events', 'merged-events']
  for (const { rule, status } of result.rules) if (claimed.includes(rule)) expect(status, rule).toBe('not-checked')
})

test('a gateway that holds each token until the next one comes is told of it', async () => {
  const paced = await quickProvider({ ttftMs: 5, gapMs: 10 })
  const gateway = await badGateway(paced, { rewrites: lookingAhead })
  const { result } = await diagnose(parseDoctorOptions({ url: gateway.url, 'provider-url': paced.url }), {
    note: () => {},
    interrupt: new AbortController().signal,
  }).finally(() => Promise.all([gateway.close(), paced.close(0)]))
  expect(faults(result)).toEqual(['held-tokens'])
})
