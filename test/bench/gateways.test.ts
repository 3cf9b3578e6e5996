// Several gateways in one run, over real sockets: known delays are ranked right, equal gateways are not told apart, and
// what fails or dies leaves the others alone.
import { once } from 'node:events'
import { Agent, type RequestListener, request } from 'node:http'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { benchWith } from '../../src/api/bench.ts'
import { type BenchInput, bench } from '../../src/api/index.ts'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { liveLines } from '../../src/output/live-view.ts'
import { makePage } from '../../src/output/table.ts'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import { httpServer, type TestServer } from '../support/engine.ts'
import { type KtProcess, startKt } from '../support/kt.ts'
import { quickProvider } from '../support/provider.ts'
import { laterRefusalOf } from '../support/refusal.ts'

let provider: SimulatedProvider
const servers: TestServer[] = []
const started: KtProcess[] = []
beforeAll(async () => {
  provider = await quickProvider({ ttftMs: 3, gapMs: 0 })
})
afterAll(async () => {
  for (const { child } of started) child.kill('SIGTERM')
  await Promise.all([...servers.map((server) => server.close()), ...started.map(({ ended }) => ended)])
  await provider.close()
})

/** Passes each request on after `delayMs`; `seen` hears of it before. */
async function gateway(delayMs: number, seen: RequestListener = () => {}): Promise<TestServer> {
  const agent = new Agent({ keepAlive: true })
  const server = await httpServer((req, res) => {
    seen(req, res)
    if (res.writableEnded || res.destroyed) return
    const { method, headers } = req
    const forward = (): void => {
      const up = request(new URL(req.url ?? '', provider.url), { method, headers, agent }, (answer) => {
        res.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(res)
      })
      up.on('error', () => res.destroy())
      req.pipe(up)
    }
    setTimeout(forward, delayMs)
  })
  servers.push(server)
  return server
}

const armsOf = (named: Record<string, TestServer>) =>
  Object.entries(named).map(([name, { origin }]) => `${name}=${origin}`)

function measure(named: Record<string, TestServer>, input: BenchInput) {
  const arm = armsOf(named)
  return bench({ arm, jitWarmup: false, floor: false, maxTokens: 4, compareAnswers: false, ...input })
}

const DELAYS = { far: 40, near: 2, middle: 15 }

describe.each<[string, BenchInput]>([
  ['closed loop', { requests: 100, concurrency: 2 }],
  ['open loop of streams', { requests: 100, rps: 120, stream: true }],
])('%s', (_, input) => {
  it('ranks gateways by what they add, which agrees with what was added', async () => {
    const [far, near, middle] = await Promise.all(Object.values(DELAYS).map((ms) => gateway(ms)))
    if (!far || !near || !middle) throw new Error('a gateway did not start')
    const url = provider.url.replace(/\/v1.*$/, '')
    const { report } = await measure({ far, near, middle }, { ...input, baselineUrl: url })
    expect(report.arms.map(({ name, baseline }) => [name, baseline])).toEqual([
      ['far', undefined],
      ['near', undefined],
      ['middle', undefined],
      ['direct', true],
    ])
    expect(new Set(report.arms.map(({ totals }) => totals.sent))).toEqual(new Set([100]))
    const { of, gateways = [], differences = [] } = report.ranking ?? {}
    expect(of).toBe('overhead')
    expect(gateways.map(({ name, rankP50 }) => [name, rankP50])).toEqual([
      ['near', [1, 1]],
      ['middle', [2, 2]],
      ['far', [3, 3]],
    ])
    for (const { quantile, lower, higher, differenceMs } of differences) {
      if (quantile !== 'p50') continue
      const added = DELAYS[higher as keyof typeof DELAYS] - DELAYS[lower as keyof typeof DELAYS]
      expect(Math.abs(differenceMs - added)).toBeLessThan(0.5 * added)
    }
  })
})

it('does not tell equal gateways apart, has a row for one that fails, and drops one that dies', async () => {
  const [one, two] = [await gateway(2), await gateway(2)]
  const sick = await gateway(0, (_, res) => res.writeHead(500).end('{}'))
  let answered = 0
  const mortal: TestServer = await gateway(0, () => {
    if (++answered === 60) void mortal.close()
  })
  const notes: string[] = []
  const { report, exitCode, verdict } = await bench(
    {
      arm: armsOf({ one, two, sick, mortal }),
      ...{ duration: '2s', rps: 60, threads: 2, jitWarmup: false, threshold: 'latency.p50<10s', maxTokens: 4 },
    },
    { note: (line) => notes.push(line) },
  )
  const totals = new Map(report.arms.map((arm) => [arm.name, arm]))
  expect(totals.get('sick')).toMatchObject({ totals: { successful: 0, outcomes: { KT_HTTP_5XX: expect.any(Number) } } })
  expect(totals.get('sick')).not.toHaveProperty('dropped')
  expect(totals.get('mortal')?.dropped).toMatchObject({ why: expect.stringMatching(/^\d+ requests in a row found no/) })
  expect(totals.get('mortal')?.totals.sent).toBeLessThan(totals.get('one')?.totals.sent ?? 0)
  expect(notes.join('\n')).toMatch(/mortal is dropped, and the others go on: \d+ requests in a row found no connection/)
  expect(notes.filter((note) => note.includes('is dropped')).length).toBe(1)
  const ranking = report.ranking
  expect(ranking?.gateways.map(({ name }) => name).sort()).toEqual(['one', 'two'])
  expect(ranking?.differences.map(({ proven }) => proven)).toEqual([false, false])
  expect(verdict?.checks.map(({ arm, verdict: of }) => [arm, of])).toEqual([
    ['one', 'pass'],
    ['two', 'pass'],
    ['sick', 'inconclusive'],
    ['mortal', 'inconclusive'],
  ])
  expect(exitCode).toBe(4)
})

it('goes on by request where one of several arms dies', async () => {
  const [one, two] = [await gateway(1), await gateway(1)]
  let answered = 0
  const mortal: TestServer = await gateway(0, () => {
    if (++answered === 20) void mortal.close()
  })
  const values = {
    arm: armsOf({ one, mortal, two }),
    ...{ duration: '1500ms', concurrency: '3', pairing: 'request', 'max-tokens': '4', 'jit-warmup': false },
  }
  let screen: string[] = []
  const { report } = await benchWith(parseBenchOptions({ values }), {
    ...{ argv: [], note: () => {}, live: true, interrupt: new AbortController().signal },
    progress: (view, extent, live) => {
      if (live) screen = liveLines(live(), view, extent, { width: 100, height: 40 }, makePage(100, false).c)
    },
  })
  expect(screen[0]).toMatch(/^one, mortal, two /)
  expect(screen.join('\n')).toMatch(/\nfailed {3}.*mortal: .*KT_CONNECT/)
  expect(screen.join('\n')).toMatch(/\n(one|two) overhead\.p99/)
  const [first, dead, last] = report.arms
  expect(dead?.dropped?.why).toMatch(/found no connection/)
  expect(first.totals.failed + (last?.totals.failed ?? 0)).toBe(0)
  const after = first.blocks.filter(({ startedAtS }) => startedAtS > (dead?.dropped?.atS ?? 0) + 0.3)
  expect(after.length).toBeGreaterThan(0)
})

async function listening(...args: string[]): Promise<{ process: KtProcess; url: string }> {
  const process = startKt([...args, '--port', '0', '--json'])
  started.push(process)
  const { stdout } = process.child
  if (!stdout) throw new Error('a server without output')
  const [line] = await once(createInterface({ input: stdout }), 'line')
  return { process, url: z.object({ url: z.string() }).parse(JSON.parse(String(line))).url }
}

it('refuses a gateway behind another one, and drops one whose process ends', async () => {
  const start = (upstream: string) =>
    listening('gateway', 'start', '--upstream', `${upstream}/v1`, '--admin-port', '0', '--no-jit-warmup')
  const own = provider.url.replace(/\/v1.*$/, '')
  const [last, beside] = await Promise.all([start(own), start(own)])
  const first = await start(last.url)
  const options = { requests: 20, jitWarmup: false }
  const { message } = await laterRefusalOf(() => bench({ ...options, arm: [`first=${first.url}`, `last=${last.url}`] }))
  expect(message).toBe('the requests of the arm first arrive at the arm last, which is measured too')
  const { pid } = beside.process.child
  const { report } = await bench(
    { arm: [`last=${last.url}`, `beside=${beside.url}`], armPid: `beside=${pid}`, ...options, requests: 2_000 },
    { progress: ({ phase, done }) => phase === 'measuring' && done > 20 && beside.process.child.kill('SIGKILL') },
  )
  expect(report.arms.map(({ name, dropped }) => [name, dropped !== undefined])).toEqual([
    ['last', false],
    ['beside', true],
  ])
})

it('ends where none of them answers', async () => {
  const [one, two] = [
    await gateway(0, (_, res) => res.writeHead(401).end('{}')),
    await gateway(0, (_, res) => res.writeHead(500).end('{}')),
  ]
  const { report, exitCode } = await measure({ one, two }, { requests: 50 })
  expect(report.arms.map(({ totals }) => totals.sent)).toEqual([1, 1])
  expect(exitCode).toBe(4)
})
