// A target that limits its rate tells how long to wait: kt shows it, and waits where it is asked to.
import { afterEach, describe, expect, it } from 'vitest'
import type { Run as Report } from '../../src/report/schema.ts'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { parseBench } from '../support/kt.ts'
import { run as kt } from '../support/run-command.ts'

const WAIT_MS = 1_000
/** A request that was on its way when the limit was told. */
const ON_ITS_WAY_MS = 300

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

interface Limited {
  url: string
  /** Requests that came within a limit, later than one that was on its way could have. */
  early(): number
  refused(): number
}

/** Refuses the `nth` request and what comes within a second after it, and says so in the header that `told` makes. */
async function limited(nth: number, told: () => Record<string, string>, status = 429): Promise<Limited> {
  let [calls, refused, early, limitedAt] = [0, 0, 0, Number.NEGATIVE_INFINITY]
  server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const at = performance.now()
      if (++calls === nth) limitedAt = at
      const since = at - limitedAt
      if (since < WAIT_MS) {
        refused++
        if (since > ON_ITS_WAY_MS) early++
        response.writeHead(status, told()).end('{"error":{"message":"slow down"}}')
      } else response.end(OK_BODY)
    })
  })
  return { url: server.origin, early: () => early, refused: () => refused }
}

const inSeconds = () => ({ 'retry-after': '1' })
/** By the clock of the server, which is years away from the one of this machine. */
const byDate = () => ({
  date: 'Sun, 06 Nov 1994 08:49:36 GMT',
  'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT',
})

interface Run {
  totals: Report['totals']
  report: Report
  text: string
}

async function run(url: string, more: string[]): Promise<Run> {
  const args = ['--url', url, '--no-validate', '--warmup', '0', '--no-jit-warmup', '--output', '-']
  const { stdout, stderr } = await kt(['bench', ...args, ...more])
  const report = parseBench(stdout)
  return { report, totals: report.totals, text: stderr.replaceAll(/\s+/g, ' ') }
}

describe('--respect-retry-after', () => {
  it.each([
    ['seconds', inSeconds, 429, 'KT_HTTP_429'],
    ['a date', byDate, 429, 'KT_HTTP_429'],
    ['seconds of a 503', inSeconds, 503, 'KT_HTTP_5XX'],
  ])('closed loop, told in %s: every slot waits, and the wait is no latency', async (_name, told, status, outcome) => {
    const target = await limited(20, told, status)
    const load = ['--requests', '60', '--concurrency', '3', '--respect-retry-after']
    const { totals, text, report } = await run(target.url, load)
    expect(target.early()).toBe(0)
    expect(totals.outcomes).toEqual({ OK: 60 - target.refused(), [outcome]: target.refused() })
    expect(target.refused()).toBeLessThanOrEqual(3)
    expect(totals.toldWaits).toMatchObject({ answers: target.refused(), longestMs: 1_000, waits: 1, heldBack: 0 })
    expect(totals.toldWaits?.waitedMs).toBeGreaterThan(900)
    expect(text).toMatch(/told kt to wait, up to 1 s\. kt waited 1 time, .* in all\./)
    expect(report.latencyMs?.max).toBeLessThan(WAIT_MS)
  })

  it('open loop: what is due meanwhile is held back and counted apart, and the rate reads as not reached', async () => {
    const target = await limited(20, inSeconds)
    const load = ['--rps', '50', '--requests', '100', '--respect-retry-after', '--threshold', 'latency.p99<60s']
    const { totals, text, report } = await run(target.url, load)
    expect(target.early()).toBe(0)
    const { heldBack = 0, waits } = totals.toldWaits ?? {}
    expect(waits).toBe(1)
    expect(heldBack).toBeGreaterThan(30)
    expect(totals.sent + heldBack).toBe(100)
    expect(totals.failed).toBe(target.refused())
    expect(text).toContain(`${heldBack} requests that were due then were held back`)
    expect(report.client.achievedToOffered).toBeCloseTo(totals.sent / 100, 1)
    expect(report.gate?.verdict).not.toBe('pass')
  })

  it('several threads wait together', async () => {
    const target = await limited(20, inSeconds)
    const load = ['--requests', '60', '--concurrency', '4', '--workers', '2', '--respect-retry-after']
    const { totals } = await run(target.url, load)
    expect(target.early()).toBe(0)
    expect(totals).toMatchObject({ sent: 60, toldWaits: { longestMs: 1_000 } })
    expect(totals.successful).toBe(60 - target.refused())
  })

  it('the arm that was told waits, and the run goes on with the other one', async () => {
    const target = await limited(20, inSeconds)
    const other = await httpServer((request, response) => {
      request.resume()
      request.on('end', () => response.end(OK_BODY))
    })
    const load = ['--baseline-url', other.origin, '--requests', '60', '--concurrency', '2', '--respect-retry-after']
    const { report } = await run(target.url, load)
    await other.close()
    expect(target.early()).toBe(0)
    expect(report.totals.toldWaits).toMatchObject({ waits: 1 })
    expect(report.baseline?.totals).toMatchObject({ sent: 60, successful: 60 })
    expect(report.baseline?.totals.toldWaits).toBeUndefined()
  })
})

describe('without it', () => {
  it('the told wait is shown, and kt sends on', async () => {
    const target = await limited(20, inSeconds)
    const { totals, text } = await run(target.url, ['--duration', '2s', '--concurrency', '1', '--think-time', '20ms'])
    expect(target.early()).toBeGreaterThan(5)
    expect(totals.toldWaits).toMatchObject({ answers: target.refused(), longestMs: 1_000, waits: 0, waitedMs: 0 })
    expect(text).toContain('told kt to wait, up to 1 s. kt sent on; --respect-retry-after makes it wait.')
  })

  it('a 429 that tells nothing, or no time, has no told wait', async () => {
    for (const told of [{}, { 'retry-after': 'soon' }, { 'retry-after': '0' }, { 'retry-after': '-3' }]) {
      const target = await limited(3, () => told)
      const { totals } = await run(target.url, ['--requests', '10', '--concurrency', '1', '--respect-retry-after'])
      expect(totals.toldWaits).toBeUndefined()
      expect(totals.outcomes.KT_HTTP_429).toBeGreaterThan(0)
      await server?.close()
    }
  })
})
