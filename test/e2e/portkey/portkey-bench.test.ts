// kt through a real third-party gateway that says nothing about its own time: the overhead is read from the provider's
// stamps.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { diagnose } from '../../../src/doctor/doctor.ts'
import { parseDoctorOptions } from '../../../src/doctor/options.ts'
import type { SimulatedProvider } from '../../../src/provider/server.ts'
import type { RuleResult } from '../../../src/report/doctor-schema.ts'
import type { Run } from '../../../src/report/schema.ts'
import { type Portkey, portkeyHeaders, startPortkey } from '../../setup/portkey.ts'
import { parseBench } from '../../support/kt.ts'
import { quickProvider } from '../../support/provider.ts'
import { run as kt } from '../../support/run-command.ts'

const MOST_ATTEMPTS = 10

let provider: SimulatedProvider
let portkey: Portkey

beforeAll(async () => {
  provider = await quickProvider()
  portkey = await startPortkey()
})

afterAll(async () => {
  await portkey?.stop()
  await provider?.close()
})

async function benchThroughPortkey(...extra: string[]): Promise<Run> {
  const headers = Object.entries(portkeyHeaders(`${provider.url}/v1`)).flatMap(([name, value]) => [
    '--header',
    `${name}: ${value}`,
  ])
  const { code, stdout, stderr } = await kt([
    ...['bench', '--url', portkey.url, '--requests', '100', '--concurrency', '2', '--api-key', 'x', '--json'],
    ...headers,
    ...extra,
  ])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return parseBench(stdout)
}

/** Printed, since what a third-party gateway adds is what kt is for. */
function say(kind: string, report: Run): void {
  const stamped = report.overhead[0]
  const ttft = report.ttftMs ? `, TTFT P50 ${report.ttftMs.p50} ms` : ''
  process.stdout.write(
    `Portkey, ${kind}: overhead P50 ${stamped?.totalMs.p50} ms, P99 ${stamped?.totalMs.p99} ms${ttft}\n`,
  )
}

test('whole answers: 100 of 100, overhead from the stamps', async () => {
  const report = await benchThroughPortkey()
  say('whole answers', report)
  expect(report.totals).toMatchObject({ sent: 100, successful: 100 })
  expect(report.overhead.map((entry) => entry.definition)).toEqual(['provider-stamped'])
  const [stamped] = report.overhead
  expect(stamped).toMatchObject({ count: 100, negative: 0, cacheHits: 0, retried: 0 })
  // A gateway in JavaScript adds more than nothing, and less than the whole request took.
  expect(stamped?.totalMs.p50).toBeGreaterThan(0.2)
  expect(stamped?.totalMs.p50).toBeLessThan(report.latencyMs?.p50 ?? 0)
})

test('streams: every token arrives with its stamp, and the fixed wait before the first shows', async () => {
  const report = await benchThroughPortkey('--stream')
  say('streamed', report)
  expect(report.totals).toMatchObject({ sent: 100, successful: 100 })
  const [stamped] = report.overhead
  expect(stamped?.definition).toBe('provider-stamped')
  expect(stamped?.perTokenMs?.count).toBe(800)
  // Portkey sleeps 25 ms before the first chunk of a stream: TTFT is far above the provider's 5 ms.
  expect(report.ttftMs?.p50).toBeGreaterThan(20)
})

test('kt doctor finds the timer, and what else is wrong, without being told', async () => {
  const header = Object.entries(portkeyHeaders(`${provider.url}/v1`)).map(([name, value]) => `${name}: ${value}`)
  const diagnosed = async (): Promise<RuleResult | undefined> => {
    const { result } = await diagnose(parseDoctorOptions({ url: portkey.url, 'provider-url': provider.url, header }), {
      note: () => {},
      interrupt: new AbortController().signal,
    })
    for (const { rule, opinions } of result.rules) {
      for (const opinion of opinions) {
        if (opinion.status === 'found')
          process.stdout.write(`Portkey, ${rule} (${opinion.severity}): ${opinion.seen}\n`)
      }
    }
    return result.rules.find(({ rule }) => rule === 'fixed-timer-ttft')
  }
  // A machine that is busy with other things may hide how long the timer is, for a while. It never looks like none.
  let timer = await diagnosed()
  for (let attempt = 1; attempt < MOST_ATTEMPTS && certaintyOf(timer) !== 'likely'; attempt++) {
    expect(timer?.status).not.toBe('fine')
    timer = await diagnosed()
  }
  expect(timer).toMatchObject({
    status: 'found',
    opinions: [{ certainty: 'likely', seen: expect.stringContaining('a timer of 25 ms') }],
  })
})

function certaintyOf(rule: RuleResult | undefined): string | undefined {
  const [opinion] = rule?.opinions ?? []
  return opinion?.status === 'found' ? opinion.certainty : undefined
}
