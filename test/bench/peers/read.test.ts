// What the peers printed, recorded once from the versions that the installer pins: read as they mean it, in one unit.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { makeReport } from '../../support/make-report.ts'
import { readAiperf } from './aiperf.ts'
import { readAutocannon } from './autocannon.ts'
import { readGuidellm } from './guidellm.ts'
import { readKt } from './kt.ts'
import { readOha } from './oha.ts'
import { readPackets } from './packets.ts'
import { bodyOf } from './tool.ts'
import { readVegeta } from './vegeta.ts'
import { readWrk } from './wrk.ts'

const recorded = (name: string): string => readFileSync(new URL(`recorded/${name}`, import.meta.url), 'utf8')

describe('a run', () => {
  test('of oha: seconds become milliseconds, and its first byte is the first token', () => {
    expect(readOha(recorded('oha.json'))).toEqual({
      answered: 41,
      failed: 0,
      perSecond: expect.closeTo(20.272, 3),
      latency: { p50Ms: expect.closeTo(16.026, 3), p99Ms: 87.710427 },
      ttft: { p50Ms: 16.025072, p99Ms: expect.closeTo(87.7097, 3) },
    })
  })

  test('of vegeta: nanoseconds become milliseconds', () => {
    expect(readVegeta(recorded('vegeta.json'))).toEqual({
      answered: 40,
      failed: 0,
      perSecond: 20.44677370091965,
      latency: { p50Ms: 6.388308, p99Ms: 85.171205 },
    })
  })

  test('of wrk: its table for people', () => {
    expect(readWrk(recorded('wrk.txt'))).toEqual({
      answered: 524,
      failed: 0,
      perSecond: 246.84,
      latency: { p50Ms: 12.47, p99Ms: 346.3 },
    })
  })

  test('of autocannon', () => {
    expect(readAutocannon(recorded('autocannon.json'))).toEqual({
      answered: 892,
      failed: 0,
      perSecond: 892 / 2.04,
      latency: { p50Ms: 6, p99Ms: 111 },
    })
  })

  test('of guidellm: latency in seconds, first tokens in milliseconds', () => {
    expect(readGuidellm(recorded('guidellm.json'))).toEqual({
      answered: 41,
      failed: 0,
      perSecond: 20.5,
      latency: { p50Ms: expect.closeTo(12.633, 3), p99Ms: expect.closeTo(125.659, 3) },
      ttft: { p50Ms: expect.closeTo(7.241, 3), p99Ms: expect.closeTo(123.479, 3) },
    })
  })

  test('of AIPerf', () => {
    expect(readAiperf(recorded('aiperf.json'))).toEqual({
      answered: 39,
      failed: 0,
      perSecond: expect.closeTo(19.482, 3),
      latency: { p50Ms: 10.971326, p99Ms: expect.closeTo(28.907, 3) },
      ttft: { p50Ms: 7.319291, p99Ms: expect.closeTo(12.487, 3) },
    })
  })

  test('of kt: latency from the intended time, service from sent', () => {
    const report = makeReport()
    const [arm] = report.arms
    const seen = readKt(JSON.stringify(report))
    expect(seen).toMatchObject({ answered: arm?.totals.successful, failed: arm?.totals.failed })
    expect(seen.latency).toEqual({ p50Ms: arm?.latencyMs?.p50, p99Ms: arm?.latencyMs?.p99 })
    expect(seen.service).toEqual({ p50Ms: arm?.serviceMs?.p50, p99Ms: arm?.serviceMs?.p99 })
  })
})

describe('requests that were refused are no answers', () => {
  test.each([
    ['oha', readOha(recorded('oha-404.json')), 20],
    ['vegeta', readVegeta(recorded('vegeta-404.json')), 20],
    ['wrk', readWrk(recorded('wrk-404.txt')), 839],
    ['wrk, by nobody', readWrk(recorded('wrk-refused.txt')), 9485],
  ])('%s', (_, { answered, failed }, refused) => {
    expect({ answered, failed }).toEqual({ answered: 0, failed: refused })
  })

  test('and no rate', () => {
    expect(readWrk(recorded('wrk-404.txt')).perSecond).toBe(0)
    expect(readVegeta(recorded('vegeta-404.json')).perSecond).toBe(0)
  })
})

test('output of another shape is not read as figures', () => {
  expect(() => readOha('{}')).toThrow(/^what it printed is not known: .*latencyPercentiles/)
  expect(() => readVegeta('panic: no such host')).toThrow(/^what it printed is not known: .*expected object/)
  expect(() => readWrk('unable to connect')).toThrow('wrk printed no 50%')
})

describe('packets', () => {
  test('of a request and of its first token are found by the nonce', () => {
    const seen = readPackets(recorded('packets.txt'), 41_777)
    expect([...seen.keys()]).toEqual(['orznrxcltebnbdwn', expect.stringMatching(/^[a-z]{16}$/)])
    const first = seen.get('orznrxcltebnbdwn')
    // A number of microseconds since 1970 has a fraction of a quarter.
    expect(first?.sentUs).toBeCloseTo(1795998749571285.5, 0)
    expect((first?.firstUs ?? 0) - (first?.sentUs ?? 0)).toBeCloseTo(40_030.858, 0)
  })

  test('of another port, and those without an answer, are left out', () => {
    expect(readPackets(recorded('packets.txt'), 41_778).size).toBe(0)
    const asked = recorded('packets.txt').split(/\n(?=1795998749\.611316601)/)[0] ?? ''
    expect(asked).toContain('ktorznrxcltebnbdwn')
    expect(readPackets(asked, 41_777).size).toBe(0)
  })
})

test('every tool sends a prompt by which the simulated provider keeps a record', () => {
  const body = JSON.parse(bodyOf({ origin: '', inFlight: 1, seconds: 1, tokens: 1 }))
  expect(body.messages[0].content).toMatch(/ kt[a-z]{16}$/)
})
