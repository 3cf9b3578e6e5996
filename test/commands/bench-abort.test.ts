// --abort-on: a hopeless run ends early, with its report and exit 3; one failure ends nothing.

import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { EXIT } from '../../src/errors.ts'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { readBench } from '../support/kt.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

const servers: TestServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

interface Target extends TestServer {
  calls(): number
}

/** Answers after `ms(number)`; `fails(number)` says which requests fail. */
async function target(fails: (number: number) => boolean, ms: (number: number) => number = () => 10): Promise<Target> {
  let calls = 0
  const server = await httpServer((request, response) => {
    const number = calls++
    request.resume()
    request.on('end', () => {
      setTimeout(() => {
        if (fails(number)) response.writeHead(500).end('{"error":{"message":"out of order"}}')
        else response.end(OK_BODY)
      }, ms(number))
    })
  })
  servers.push(server)
  return { ...server, calls: () => calls }
}

const COMMON = ['--no-validate', '--warmup', '0', '--no-jit-warmup']
const LONG = ['--duration', '60s', '--concurrency', '4']
const SHORT = ['--duration', '2s', '--concurrency', '4']

async function run(url: string, more: string[], load = LONG) {
  const [out, markdown] = [dir.file('r.json'), dir.file('r.md')]
  const args = ['bench', '--url', url, ...COMMON, ...load, '--output', out, '--markdown', markdown, ...more]
  const { code, stdout } = await kt(args)
  return {
    code,
    text: stdout.replaceAll(/\s+/g, ' '),
    report: readBench(out),
    markdown: readFileSync(markdown, 'utf8'),
  }
}

describe('--abort-on', () => {
  it('ends a run of which half fails, with the report so far, marked as partial, and exit 3', async () => {
    const server = await target((number) => number % 2 === 0)
    const { code, text, report, markdown } = await run(server.origin, ['--abort-on', 'errors.rate>20%'])
    expect(code).toBe(EXIT.breached)
    expect(report.aborted).toMatchObject({ rule: 'errors.rate>20%', arm: 'target' })
    expect(report.aborted?.requests).toBeGreaterThanOrEqual(20)
    expect(report).toMatchObject({ interrupted: false, load: { durationS: 60 }, gate: { verdict: 'fail' } })
    expect(report.totals.durationS).toBeLessThan(30)
    expect(report.totals.outcomes.KT_ABORTED_AT_DEADLINE).toBeUndefined()
    expect(text).toContain('Benchmark Results: (of a part of the run)')
    expect(text).toContain('Ended early by --abort-on: the figures are those of a part of the run.')
    expect(text).toMatch(
      /FAIL errors\.rate [45]\d(\.\d+)? % >= 20 % \(\d+ of \d+ requests failed, which ended the run\)/,
    )
    expect(markdown).toContain('**Ended early** by `errors.rate>20%`')
  })

  it('ends one of which everything fails, before the thousand failures of a dead target', async () => {
    const server = await target(() => true)
    const { code, report } = await run(server.origin, ['--abort-on', 'errors.rate>20%'])
    expect({ code, successful: report.totals.successful }).toEqual({ code: EXIT.breached, successful: 0 })
    expect(server.calls()).toBeLessThan(1_000)
  })

  it('neither the one failure of a run nor fewer than the limit end it', async () => {
    const once = await target((number) => number === 0)
    const rare = ['--abort-on', 'errors.rate>1%', '--abort-on', 'latency.p99>20s']
    const first = await run(once.origin, rare, SHORT)
    expect(first).toMatchObject({ code: EXIT.passed, report: { totals: { failed: 1 } } })
    expect(first.report.aborted).toBeUndefined()
    const some = await target((number) => number % 10 === 0)
    const { code, report } = await run(some.origin, ['--abort-on', 'errors.rate>20%'], SHORT)
    expect({ code, aborted: report.aborted }).toEqual({ code: EXIT.passed, aborted: undefined })
  })

  it('takes durations and several conditions, and the one that is met is named', async () => {
    const slow = await target(
      () => false,
      () => 150,
    )
    const both = ['--abort-on', 'errors.rate>20%', '--abort-on', 'latency.p50 > 50ms']
    const { code, text, report } = await run(slow.origin, both)
    expect(code).toBe(EXIT.breached)
    expect(report.aborted?.rule).toBe('latency.p50 > 50ms')
    expect(text).toMatch(/FAIL latency\.p50 \(\d+ of \d+ requests were over the limit, which ended the run\)/)
  })

  it('watches both arms, and over several threads and in an open loop', async () => {
    const [good, bad] = [await target(() => false), await target(() => true)]
    const both = ['--baseline-url', bad.origin, '--rps', '100', '--workers', '2', '--abort-on', 'errors.rate>20%']
    const load = [...COMMON, '--duration', '60s']
    const out = dir.file('two.json')
    const { code, stdout } = await kt(['bench', '--url', good.origin, ...load, ...both, '--output', out])
    expect(code).toBe(EXIT.breached)
    const { aborted, totals } = readBench(out)
    expect(aborted).toMatchObject({ arm: 'direct' })
    expect(totals.failed).toBe(0)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('requests of the other arm failed, which ended the run')
  })

  it('what is still in flight when the run ends is no failure', async () => {
    const server = await target(
      (number) => number % 4 !== 3,
      (number) => (number % 4 === 3 ? 20_000 : 5),
    )
    const { code, report, text } = await run(
      server.origin,
      ['--abort-on', 'errors.rate>50%'],
      ['--duration', '60s', '--concurrency', '30'],
    )
    expect(code).toBe(EXIT.breached)
    expect(report.totals.outcomes.KT_ABORTED_AT_DEADLINE).toBeUndefined()
    expect(report.totals.cutOff).toBeGreaterThan(0)
    expect(text).toContain('cut off, and counted nowhere')
    expect(report.totals.durationS).toBeLessThan(15)
  })

  it('is a key of a config file too, one condition or a list', async () => {
    const server = await target(() => true)
    const file = dir.file('bench.yaml')
    for (const value of ['errors.rate>20%', '[errors.rate>20%, ttft.p99>9s]']) {
      writeFileSync(file, `abort_on: ${value}\n`)
      const { code, report } = await run(server.origin, ['--config', file])
      expect({ code, rule: report.aborted?.rule }).toEqual({ code: EXIT.breached, rule: 'errors.rate>20%' })
    }
  })
})
