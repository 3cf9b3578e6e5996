// A fleet of three hosts, each a network namespace with a clock of its own: a real broker, workers that reach it
// through a relay with delays, jitter and cuts, a coordinator and a target. Load goes between these namespaces only.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { readHistogram } from '../../../src/report/histogram-text.ts'
import { type BenchReport, benchReportSchema } from '../../../src/report/schema.ts'
import { orderIntervalUs } from '../../../src/stats/quantile-interval.ts'
import { findPeer } from '../../setup/peers/find.ts'
import { type Host, makeNetwork, type Network, whyNoHosts } from '../../support/hosts/network.ts'
import { tempDir } from '../../support/temp-dir.ts'

const KT = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))
const BROKER_PORT = 4_222
const TARGET_PORT = 41_001
const nats = await findPeer('nats-server')
const whyNot = whyNoHosts() ?? (nats.ok ? undefined : nats.why)
const WORKERS = [
  ['w1', 1_000, { thereMs: 1, backMs: 6, jitterMs: 1 }],
  ['w2', 0, {}],
  ['w3', 77_000, { thereMs: 12, backMs: 3, jitterMs: 3 }],
] as const

const dir = tempDir()
let network: Network
let coordinator: Host
let brokerHost: Host
let target: Host
const workers = new Map<string, { host: Host; way: { address: string; port: number }; process: ChildProcess }>()

/** Resolves when a process has written what matches; its output is read to its end. */
function said(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = ''
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (pattern.test(text)) resolve()
    })
  }
  child.once('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)))
  promise.catch(() => {})
  return promise
}

async function startWorker(name: string): Promise<void> {
  const worker = workers.get(name)
  if (!worker) throw new Error(`no host of ${name}`)
  const { address, port } = worker.way
  worker.process = worker.host.start(
    ...([process.execPath, KT, 'fleet', 'worker', '--nats', `nats://${address}:${port}`, '--name', name] as const),
  )
  await said(worker.process, / waits at /)
}

describe('a fleet of hosts in namespaces', () => {
  beforeAll(async () => {
    if (whyNot !== undefined || !nats.ok) return
    network = await makeNetwork()
    coordinator = await network.host('coordinator', { clockAheadS: 5_000 })
    brokerHost = await network.host('broker')
    target = await network.host('target')
    const where = ['--addr', brokerHost.address, '--port', String(BROKER_PORT)]
    await said(
      brokerHost.start(nats.program.command, ...where, '--jetstream', '--store_dir', dir.file('kept')),
      /Server is ready/,
    )
    const latency = ['--ttft', 'lognormal(150ms,0.5)', '--token-gap', '0ms', '--tokens', '1']
    const listen = ['--host', target.address, '--port', String(TARGET_PORT)]
    await said(target.start(process.execPath, KT, 'provider', 'start', ...listen, ...latency), /http:/)
    for (const [name, clockAheadS, way] of WORKERS) {
      const host = await network.host(name, { clockAheadS })
      const to = await network.way(host, brokerHost, BROKER_PORT, way)
      workers.set(name, { host, way: to, process: coordinator.start('true') })
      await startWorker(name)
    }
  })
  afterAll(async () => {
    if (whyNot !== undefined) return
    expect(await network.close()).toEqual([])
    dir.remove()
  })
  beforeEach(({ skip }) => {
    if (whyNot !== undefined) skip(whyNot)
  })

  function startBench(name: string, ...more: string[]) {
    const fleet = ['--fleet', `nats://${brokerHost.address}:${BROKER_PORT}`, '--fleet-grace', '4s']
    const load = ['--url', `http://${target.address}:${TARGET_PORT}`, '--rps', '120', '--no-jit-warmup', '--no-floor']
    const report = ['--warmup', '0', '--output', dir.file(`${name}.json`), '--no-color']
    const child = coordinator.start(process.execPath, KT, 'bench', ...fleet, ...load, ...report, ...more)
    const output = said(child, /^never$/)
    const ended = once(child, 'close').then(async ([code]) => {
      const why = await output.then(String, String)
      const read = (): BenchReport =>
        benchReportSchema.parse(JSON.parse(readFileSync(dir.file(`${name}.json`), 'utf8')))
      return { code, why, read }
    })
    return { child, ended }
  }

  /**
   * A machine that others use holds a host up for a second now and then, which the run says. No other fault is there.
   */
  function exitOf(report: BenchReport | undefined): number {
    const faults = report?.fleet?.faults ?? []
    expect(faults.filter((fault) => !/ it (?:stood still for|began) [\d.]+ s/.test(fault))).toEqual([])
    return faults.length > 0 ? EXIT.inconclusive : EXIT.passed
  }

  /** What the target has answered. */
  async function answered(): Promise<number> {
    const address = `http://${target.address}:${TARGET_PORT}/__kt/stats`
    const script = `fetch('${address}').then((answer) => answer.text()).then(console.log)`
    return JSON.parse(await coordinator.node('-e', script)).requests
  }

  function sent({ arms }: BenchReport): number {
    const [{ totals }] = arms
    expect(Object.values(totals.outcomes).reduce((sum, count) => sum + count, 0)).toBe(totals.sent)
    return totals.sent
  }

  /** 99 % intervals of percentiles of the latency. */
  function intervals({ arms }: BenchReport): [number, number][] {
    const { latencyMs } = arms[0]
    if (!latencyMs) throw new Error('a report without latencies')
    const histogram = readHistogram(latencyMs.histogram)
    return [0.1, 0.5, 0.9, 0.99].map((q) => orderIntervalUs(histogram, q, 0.99))
  }

  /** Three hosts and then one of them, with the same load in all; the percentiles whose intervals lie apart. */
  async function threeAndOne(): Promise<{ reports: BenchReport[]; apart: number[] }> {
    const reports: BenchReport[] = []
    for (const size of ['3', '1']) {
      const before = await answered()
      const { code, why, read } = await startBench(`of-${size}`, '--duration', '4s', '--fleet-size', size).ended
      const report = read()
      expect(code, why).toBe(exitOf(report))
      expect(report.fleet?.workers).toHaveLength(Number(size))
      // One request before the run validates the address.
      expect([sent(report), (await answered()) - before]).toEqual([480, 481])
      reports.push(report)
    }
    const [three = [], one = []] = reports.map(intervals)
    const apart = three.flatMap(([low, high], i) => {
      const [otherLow = 0, otherHigh = 0] = one[i] ?? []
      return low > otherHigh || high < otherLow ? [i] : []
    })
    return { reports, apart }
  }

  test('three hosts measure what one does, and their clocks are known within the bounds', async () => {
    // What else the machine does may be more in one run than in the next, and then in another pair it is not.
    let pair = await threeAndOne()
    for (let again = 0; again < 2 && pair.apart.length > 0; again++) pair = await threeAndOne()
    expect(pair.apart).toEqual([])
    for (const { name, offsetMs, offsetErrorMs } of pair.reports[0]?.fleet?.workers ?? []) {
      const trueMs = 1_000 * (coordinator.clockAheadS - (workers.get(name)?.host.clockAheadS ?? Number.NaN))
      // The report has microseconds.
      expect(Math.abs((offsetMs ?? Number.NaN) - trueMs), name).toBeLessThanOrEqual((offsetErrorMs ?? 0) + 0.001)
    }
  })

  test('a network cut for less than the grace period: the run is whole, each request counted once', async () => {
    const before = await answered()
    const bench = startBench('healed', '--duration', '5s')
    while ((await answered()) - before < 50) await sleep(100)
    const { host } = workers.get('w3') ?? {}
    if (!host) throw new Error('no third worker')
    await network.cut(host)
    await sleep(1_500)
    await network.heal(host)
    const { code, why, read } = await bench.ended
    expect(code, why).toBe(exitOf(read()))
    expect([sent(read()), (await answered()) - before]).toEqual([600, 601])
  })

  test('a network that stays cut: nothing is decided, by the name of the worker, which stops by itself', async () => {
    const before = await answered()
    const bench = startBench('cut', '--duration', '60s', '--threshold', 'errors.rate<50%')
    while ((await answered()) - before < 50) await sleep(100)
    const { host } = workers.get('w3') ?? {}
    if (!host) throw new Error('no third worker')
    await network.cut(host)
    const { code, why, read } = await bench.ended
    expect(code, why).toBe(EXIT.inconclusive)
    expect(read().fleet?.faults).toEqual([expect.stringMatching(/^worker w3: it was not heard of/)])
    let [last, stopped] = [-1, await answered()]
    for (let looks = 0; looks < 60 && last !== stopped; looks++) {
      await sleep(500)
      ;[last, stopped] = [stopped, await answered()]
    }
    expect(last).toBe(stopped)
    expect(sent(read())).toBeLessThan(stopped - before)
    await network.heal(host)
  })
})
