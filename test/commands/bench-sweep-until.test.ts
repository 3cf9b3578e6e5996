import { readFileSync } from 'node:fs'
import { afterAll, afterEach, expect, test } from 'vitest'
import { sweepSchema } from '../../src/report/sweep-schema.ts'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)
let server: TestServer | undefined
afterEach(() => server?.close())

/** Answers at once while at most `most` requests are in flight, and each that comes beyond them after 700 ms. */
function limitedTo(most: number): Promise<TestServer> {
  let inFlight = 0
  return httpServer((request, response) => {
    inFlight++
    request.resume()
    setTimeout(
      () => {
        inFlight--
        response.end(OK_BODY)
      },
      inFlight > most ? 700 : 3,
    )
  })
}

async function sweepUntil(args: readonly string[]) {
  const out = dir.file(`s${Math.random()}.json`)
  const common = ['--no-jit-warmup', '--step', '400ms', '--warmup', '5', '--output', out]
  const { code, stdout, stderr } = await kt(['bench', 'sweep', ...common, ...args])
  const text = stdout.replaceAll(/\s+/g, ' ')
  return { code, text, stderr, report: sweepSchema.parse(JSON.parse(readFileSync(out, 'utf8'))) }
}

test.each([
  ['a quantile', 'latency.p90<300ms'],
  ['goodput of a category', 'goodput.short>90%'],
])('by %s: between the highest number in flight that is met and the next one, which is not', async (_, threshold) => {
  server = await limitedTo(8)
  const slo = dir.write('slo.yaml', 'categories:\n  short: { p99: 300ms, timeout: 30s, objective: 90% }\n')
  const { code, text, report } = await sweepUntil([
    ...['--url', server.origin, '--concurrency', '6,12', '--search-time', '2m', '--until', threshold],
    ...(threshold.startsWith('goodput') ? ['--slo-file', slo] : []),
  ])
  expect(code).toBe(0)
  const [curve] = report.curves
  const { level, breaks, limitedBy } = curve?.until ?? {}
  expect(curve?.until).toMatchObject({ threshold, confidence: 0.95 })
  // What a busy machine leaves undecided stands between the ends: neither of them may be wrong.
  expect(['target', 'noise']).toContain(limitedBy)
  expect(level).toBeGreaterThanOrEqual(6)
  expect(level).toBeLessThanOrEqual(8)
  expect(breaks).toBeGreaterThanOrEqual(9)
  expect(breaks).toBeLessThanOrEqual(12)
  expect(text).toContain(`${threshold} holds up to ${level} in flight`)
  expect(text).toContain(`it breaks at ${breaks} in flight`)
  expect(text).toMatch(/Search, .* holds .* breaks/)
  for (const { level: at, limit } of curve?.levels ?? []) {
    expect([at <= 8 ? 'met' : 'missed', 'undecided']).toContain(limit?.verdict)
  }
})

test('a rate that is not reached is not kept, whatever its answers say', async () => {
  server = await httpServer((request, response) => {
    request.resume()
    setTimeout(() => response.end(OK_BODY), 50)
  })
  // Four in flight of 50 ms each carry no more than 80 a second.
  const args = ['--url', server.origin, '--rps', '20,200', '--max-in-flight', '4', '--until', 'errors.rate<20%']
  const { report } = await sweepUntil(args)
  const until = report.curves[0]?.until
  expect(until?.limitedBy).toBe('rate')
  expect(until?.why).toContain('of the requested rate was reached')
  expect(until?.level).toBeGreaterThanOrEqual(20)
  expect(until?.breaks).toBeLessThanOrEqual(200)
})

test('what is met at every level, and what needs more requests than it gets, says so', async () => {
  server = await limitedTo(100)
  const url = ['--url', server.origin]
  const all = await sweepUntil([...url, '--concurrency', '1,2', '--until', 'latency.p50<600ms'])
  expect(all.report.curves[0]?.until).toMatchObject({ level: 2, breaks: null, limitedBy: 'levels' })
  expect(all.text).toContain('no measured level breaks it')
  const few = await sweepUntil([...url, '--rps', '20', '--until', 'latency.p99.9<600ms'])
  expect(few.report.curves[0]?.until).toMatchObject({ level: null, limitedBy: 'samples' })
  expect(few.text).toContain('decide nothing')
})

test('the budget of money ends a sweep over all its levels', async () => {
  server = await limitedTo(100)
  const money = ['--price', 'input=1000,output=1000', '--cost-budget', '$1']
  const { code, report, stderr } = await sweepUntil(['--url', server.origin, '--concurrency', '1,2,4', ...money])
  expect(code).toBe(0)
  expect(stderr).toContain('it stops at $1.00')
  const sent = (report.curves[0]?.levels ?? []).reduce((sum, { requests }) => sum + requests, 0)
  // A request takes eight tokens: 125 of them cost a dollar, the warm-up and those in flight beside them.
  expect(sent).toBeLessThanOrEqual(131)
})

test.each([
  ['a comparison', ['--until', 'delta.latency.p99<1ms'], 'a sweep has no baseline'],
  ['throughput', ['--until', 'throughput.rps>100'], 'no highest load keeps it'],
  ['a metric that does not exist', ['--until', 'ttfts.p99<1ms'], "did you mean 'ttft.p99'?"],
  ['the wrong direction', ['--until', 'latency.p99>1ms'], 'has an upper limit'],
  ['a time of tokens without streams', ['--until', 'ttft.p99<200ms'], 'only streams have it'],
  ['goodput without targets', ['--until', 'goodput>99%'], 'needs the targets of an SLO category'],
  ['goodput of an unknown category', ['--until', 'goodput.chat-shirt>99%'], "did you mean 'chat-short'?"],
  ['two categories', ['--until', 'goodput.chat-short>99%', '--slo', 'batch'], 'name two categories'],
  ['a time without a search', ['--search-time', '5s'], 'has no effect without --until'],
])('refuses %s', async (_name, args, message) => {
  const { code, stderr } = await kt(['bench', 'sweep', '--url', 'http://127.0.0.1:9', ...args])
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain(message)
  expect(code).toBe(2)
})
