// What goes wrong in a fleet of real processes on a real broker: nothing is sent or counted twice, nothing is lost
// without a word, and no process is left.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import type { SimulatedProvider } from '../../../src/provider/server.ts'
import { type BenchReport, benchReportSchema } from '../../../src/report/schema.ts'
import { type Broker, brokerProgram, startBroker, whyNoBroker } from '../../support/broker.ts'
import { type Ended, type KtProcess, kt, startKt } from '../../support/kt.ts'
import { quickProvider } from '../../support/provider.ts'
import { tempDir } from '../../support/temp-dir.ts'

let broker: Broker
let provider: SimulatedProvider
const dir = tempDir()
const workers: KtProcess[] = []

beforeEach(async ({ skip }) => {
  if (whyNoBroker !== undefined) skip(whyNoBroker)
  broker = await startBroker()
  provider = await quickProvider({ ttftMs: 20 })
})
afterEach(async () => {
  for (const { child } of workers) child.kill('SIGTERM')
  await Promise.all(workers.splice(0).map(({ ended }) => ended))
  await provider?.close(0)
  await broker?.close()
})

async function startWorkers(...names: string[]): Promise<KtProcess[]> {
  const started = names.map((name) => startKt(['fleet', 'worker', '--nats', broker.address, '--name', name]))
  workers.push(...started)
  await Promise.all(started.map((worker) => worker.saidOnStdout(/ waits at /)))
  return started
}

function startBench(...more: string[]): KtProcess {
  const load = ['--rps', '100', '--no-jit-warmup', '--warmup', '0', '--no-color']
  const report = ['--output', dir.file('r.json')]
  return startKt(['bench', '--fleet', broker.address, '--url', provider.url, ...load, ...report, ...more])
}

const readReport = (): BenchReport => benchReportSchema.parse(JSON.parse(readFileSync(dir.file('r.json'), 'utf8')))

/** The requests that the provider answered: what was sent, by the one who got it. */
async function answered(): Promise<number> {
  const stats = await fetch(new URL('/__kt/stats', provider.url))
  const { requests } = JSON.parse(await stats.text())
  return requests
}

/** Resolves when the load is under way. */
async function underWay(bench: KtProcess): Promise<void> {
  const over = bench.ended.then(({ stderr }) => Promise.reject(new Error(stderr)))
  while ((await answered()) < 20) await Promise.race([sleep(50), over])
}

function sent({ arms }: BenchReport): number {
  const [{ totals, blocks }] = arms
  const outcomes = Object.values(totals.outcomes).reduce((sum, count) => sum + count, 0)
  expect(totals.sent).toBe(outcomes)
  expect(blocks.reduce((sum, block) => sum + block.sent, 0)).toBe(outcomes)
  return outcomes
}

test('a worker that is killed: the others stop, and nothing is decided, by its name', async () => {
  const [, second] = await startWorkers('w1', 'w2', 'w3')
  const bench = startBench('--duration', '60s', '--threshold', 'errors.rate<50%')
  await underWay(bench)
  second?.child.kill('SIGKILL')
  const { code, stdout } = await bench.ended
  expect(code).toBe(EXIT.inconclusive)
  const report = readReport()
  expect(report.gate?.verdict).toBe('inconclusive')
  expect(report.fleet?.faults).toEqual([expect.stringMatching(/^worker w2: it was not heard of for \d+ s$/)])
  expect(report.fleet?.workers.map(({ sent }) => sent === null)).toEqual([false, true, false])
  expect(stdout).toContain('worker w2')
  expect(sent(report)).toBeLessThan(await answered())
})

test('a worker that stands still for a while is named, and its blocks are marked', async () => {
  const [first] = await startWorkers('w1', 'w2')
  const bench = startBench('--duration', '6s')
  await underWay(bench)
  first?.child.kill('SIGSTOP')
  await sleep(2_000)
  first?.child.kill('SIGCONT')
  expect((await bench.ended).code).toBe(EXIT.inconclusive)
  const report = readReport()
  const [, stoodS] = /worker w1: it stood still for ([\d.]+) s/.exec(report.fleet?.faults.join() ?? '') ?? []
  // A busy machine lets it go on later.
  expect(Number(stoodS)).toBeGreaterThanOrEqual(1)
  expect(report.arms[0].blocks.filter(({ machine, sent }) => (machine?.heldUp ?? 0) >= sent).length).toBeGreaterThan(3)
  // One request came before, to validate the address.
  expect(sent(report)).toBe((await answered()) - 1)
  expect(sent(report)).toBe(600)
})

test('the broker is gone and back: the run goes on, and every request is counted once', async () => {
  await startWorkers('w1', 'w2')
  const bench = startBench('--duration', '6s')
  await underWay(bench)
  await broker.stop()
  await sleep(1_500)
  await broker.start()
  const { code, stderr } = await bench.ended
  expect(code, stderr).toBe(EXIT.passed)
  const report = readReport()
  expect(report.fleet?.faults).toEqual([])
  expect(sent(report)).toBe(600)
  expect(await answered()).toBe(601)
})

test('the coordinator is killed: workers stop by themselves, and what they measured is collected', async () => {
  await startWorkers('w1', 'w2')
  const bench = startBench('--duration', '60s')
  await underWay(bench)
  bench.child.kill('SIGKILL')
  await Promise.all(workers.map((worker) => worker.said(/is over: the coordinator was not heard of any longer/)))
  const stopped = await answered()
  const status = await kt(['fleet', 'status', '--nats', broker.address, '--json'])
  const { workers: listed, kept } = JSON.parse(status.stdout)
  expect(listed.map(({ name, run }: { name: string; run: null }) => [name, run])).toEqual([
    ['w1', null],
    ['w2', null],
  ])
  const [run = ''] = kept
  const collect = (): Promise<Ended> =>
    kt(['fleet', 'collect', run, '--nats', broker.address, '--output', dir.file('r.json')])
  expect((await collect()).code).toBe(EXIT.inconclusive)
  const report = readReport()
  expect(report.interrupted).toBe(true)
  expect(report.fleet?.faults).toEqual(['the coordinator was lost'])
  expect(await answered()).toBe(stopped)
  expect(sent(report)).toBe(stopped - 1)
  const again = await collect()
  expect([again.code, again.stderr]).toEqual([EXIT.usage, expect.stringContaining(`keeps nothing of run ${run}`)])
})

test('Ctrl-C of a fleet on this machine: the report of what was measured, and no process is left', async () => {
  const load = ['--url', provider.url, '--rps', '100', '--duration', '60s', '--output', dir.file('r.json')]
  const bench = startKt(['bench', '--fleet', 'local:2', ...load], { KT_NATS_SERVER: brokerProgram })
  await underWay(bench)
  const children = readFileSync(`/proc/${bench.child.pid}/task/${bench.child.pid}/children`, 'utf8').trim().split(' ')
  expect(children).toHaveLength(3)
  bench.ctrlC()
  expect((await bench.ended).code).toBe(EXIT.interrupted)
  expect(sent(readReport())).toBeGreaterThan(0)
  for (const pid of children) expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
})
