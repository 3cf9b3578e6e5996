// Several sending threads: together they send the whole load, their records become one, and one that dies fails the
// run.
import { parse as parseCsv } from 'csv-parse/sync'
import { afterEach, expect, it } from 'vitest'
import { startRun } from '../../src/load/run.ts'
import { sampleFormatOf, sampleLines } from '../../src/load/sample-lines.ts'
import { sampleCount } from '../../src/load/samples.ts'
import { decoded, httpServer, OK_BODY, planFor, type TestServer } from '../support/engine.ts'
import { nonceServer } from '../support/nonces.ts'
import { quickProvider } from '../support/provider.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function answering(ms = 0): Promise<string> {
  server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => setTimeout(() => response.end(OK_BODY), ms))
  })
  return server.origin
}

const quiet = { progress: () => {} }

it.each([
  ['a closed loop', { mode: 'closed' as const, concurrency: 5 }],
  ['an open loop', { mode: 'open' as const, rps: 400, maxInFlight: 300 }],
])('%s of three threads sends every request once', async (_name, load) => {
  const noted = await nonceServer()
  server = noted
  const plan = planFor(noted.origin, { requests: 100, warmup: 10, blocks: 4, workers: 3, load })
  const record = await (await startRun(plan, quiet)).result
  const [arm] = record.arms
  expect(arm?.outcomes).toEqual({ OK: 100 })
  expect(arm?.warmup.sent).toBe(10)
  expect(decoded(arm?.metrics.latency ?? record.sendLag).count).toBe(100)
  expect(arm?.blocks.map(({ index }) => index)).toEqual([0, 1, 2, 3])
  expect(arm?.blocks.reduce((sum, { sent }) => sum + sent, 0)).toBe(100)
  expect(record.series.reduce((sum, { done }) => sum + done, 0)).toBe(100)
  expect(record.workers).toHaveLength(3)
  expect(new Set(noted.nonces).size).toBe(110)
  if (load.mode === 'open') expect(decoded(record.sendLag).count).toBe(100)
})

it('two arms still take turns: no thread runs ahead into the other arm', async () => {
  let busy = ''
  let overlaps = 0
  const inFlight = { a: 0, b: 0 }
  server = await httpServer((request, response) => {
    const arm = request.url?.startsWith('/a') ? 'a' : 'b'
    inFlight[arm]++
    if (inFlight.a > 0 && inFlight.b > 0) overlaps++
    busy += arm
    request.resume()
    request.on('end', () =>
      setTimeout(() => {
        inFlight[arm]--
        response.end(OK_BODY)
      }, 3),
    )
  })
  const base = planFor(server.origin, { requests: 40, blocks: 5, workers: 2, load: { mode: 'closed', concurrency: 4 } })
  const [arm] = base.arms
  if (!arm) throw new Error('no arm')
  const arms = [
    { ...arm, name: 'gateway' as const, path: '/a', tag: 'gatewayy' },
    { ...arm, name: 'direct' as const, path: '/b', tag: 'directtt' },
  ]
  const record = await (await startRun({ ...base, arms }, quiet)).result
  expect(record.arms.map(({ outcomes }) => outcomes)).toEqual([{ OK: 40 }, { OK: 40 }])
  expect(overlaps).toBe(0)
  expect(busy).toMatch(/a+b+|b+a+/)
})

it('what stops one thread stops all', async () => {
  const plan = planFor(await answering(), {
    requests: 100_000,
    workers: 2,
    tokenBudget: 400,
    load: { mode: 'closed', concurrency: 4 },
  })
  const record = await (await startRun(plan, quiet)).result
  expect(record.stopReason).toBe('token-budget')
  expect(record.arms[0]?.outcomes.OK).toBeLessThan(1_000)
})

it('a thread that dies is a failed run, not a smaller one, and takes the others with it', async () => {
  const plan = planFor(await answering(), { requests: 1_000_000, workers: 2, load: { mode: 'closed', concurrency: 2 } })
  const running = await startRun(
    // Not a URL: the client of the arm cannot be made.
    { ...plan, arms: plan.arms.map((arm) => ({ ...arm, origin: 'nonsense' })) },
    quiet,
  )
  await expect(running.result).rejects.toThrow(/invalid|URL/i)
})

it('samples: a line for every measured request, from every thread', async () => {
  const provider = await quickProvider()
  const plan = planFor(
    provider.url,
    { requests: 60, warmup: 6, workers: 2, load: { mode: 'closed', concurrency: 4 } },
    true,
  )
  const csv = sampleFormatOf('samples.csv')
  let text = ''
  let table = csv.head
  let count = 0
  const running = await startRun(plan, {
    ...quiet,
    samples: async (rows, lost, startUs) => {
      count += sampleCount(rows) + lost
      text += sampleLines(rows, plan, startUs)
      table += sampleLines(rows, plan, startUs, csv)
    },
  })
  const { arms } = await running.result
  await provider.close()
  expect(arms[0]?.outcomes).toEqual({ OK: 60 })
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect([count, lines.length]).toEqual([60, 60])
  expect(new Set(lines.map(({ nonce }) => nonce)).size).toBe(60)
  for (const line of lines) {
    expect(line).toMatchObject({ arm: 'target', block: 0, outcome: 'OK', tokens: 8 })
    const order = [line.intendedUs, line.sentUs, line.firstByteUs, line.firstTokenUs, line.lastTokenUs, line.endUs]
    expect(order).toEqual([...order].sort((a, b) => a - b))
  }
  // As CSV each of them has the same figures under the same names.
  const asText = lines.map((line) => Object.fromEntries(Object.entries(line).map(([key, value]) => [key, `${value}`])))
  expect(parseCsv(table, { columns: true })).toEqual(asText)
})
