// Real-time scheduling: which threads have it while kt measures, by the kernel's own account, and what kt says where
// the kernel refuses it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { startServer } from '../../src/bench/embedded.ts'
import { childrenOf, readProcStat } from '../../src/system/proc-stat.ts'
import { mayRunRealtime } from '../../src/system/realtime.ts'
import { parseBench, startKt } from '../support/kt.ts'

const right = mayRunRealtime()
/** The name of a test says why it is skipped. */
const skipped = right.ok ? '' : ` (skipped: ${right.why})`
const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const LOAD = ['--rps', '100', '--duration', '1500ms', '--max-tokens', '2', '--no-jit-warmup', '--json']

const loops: ChildProcess[] = []
afterEach(() => {
  for (const loop of loops.splice(0)) loop.kill('SIGKILL')
})

/** The names of a process's threads that are real-time, and of those that are not. */
function threadsOf(pid: number): { fifo: string[]; others: string[] } {
  const threads = readdirSync(`/proc/${pid}/task`).flatMap((id) => {
    const path = `/proc/${pid}/task/${id}`
    return attempt(() => [{ name: readFileSync(`${path}/comm`, 'utf8').trim(), ...readProcStat(path) }])
  })
  const named = (fifo: boolean) =>
    threads.filter(({ fifoPriority }) => (fifoPriority !== null) === fifo).map(({ name }) => name)
  return { fifo: named(true), others: named(false) }
}

/** kt and the servers that it started, at the moment of a whole run at which most of their threads are real-time. */
async function watchRun(args: string[]) {
  const run = startKt(['bench', ...LOAD, ...args])
  const pid = run.child.pid ?? 0
  const ended = run.ended.then((end) => ({ end }))
  const seen: ReturnType<typeof threadsOf>[][] = []
  for (;;) {
    const now = await Promise.race([ended, sleep(50)])
    if (now) {
      const [own, ...servers] = seen.toSorted((a, b) => countFifo(b) - countFifo(a))[0] ?? []
      return { own: own ?? threadsOf(process.pid), servers, ...now.end }
    }
    // A process that ends meanwhile is not looked at.
    const found = [pid, ...attempt(() => childrenOf(pid))].map((id) => attempt(() => [threadsOf(id)]))
    seen.push(found.flat())
  }
}

function countFifo(processes: readonly { fifo: string[] }[]): number {
  return processes.reduce((sum, { fifo }) => sum + fifo.length, 0)
}

function attempt<T>(read: () => T[]): T[] {
  try {
    return read()
  } catch {
    return []
  }
}

const sleep = (ms: number): Promise<undefined> => new Promise((resolve) => setTimeout(resolve, ms, undefined))

describe('real-time scheduling', () => {
  it.runIf(right.ok)(
    `of the sending threads and the embedded pair: by itself, and of nothing else of them${skipped}`,
    async () => {
      const { own, servers, code, stdout, stderr } = await watchRun([])
      expect(code).toBe(0)
      // The thread that sends, and the one that wakes it.
      expect(own.fifo).toEqual(['WorkerThread', 'WorkerThread'])
      expect(own.others).toContain('V8Worker')
      expect(servers.map(({ fifo }) => fifo)).toEqual([['MainThread'], ['MainThread']])
      for (const { others } of servers) expect(others).toContain('V8Worker')
      expect(threadsOf(process.pid).fifo).toEqual([])
      expect(stderr.split('\n')[0]).toContain('Real-time scheduling (SCHED_FIFO)')
      const { load, client } = parseBench(stdout)
      expect([load.realtime, load.options.realtime, client.runtime?.fifoPriority]).toEqual([true, 'auto', 1])
      expect(client.runtime?.v8Flags).toContain('--heap-growing-percent=300')
    },
  )

  it.runIf(right.ok)(
    `off where it is not wanted, and beside a gateway that is not kt’s own unless asked for${skipped}`,
    async () => {
      const off = await watchRun(['--realtime', 'off'])
      expect([off.own, ...off.servers].flatMap(({ fifo }) => fifo)).toEqual([])
      expect(parseBench(off.stdout).load.realtime).toBe(false)

      const foreign = spawn(process.execPath, [bin, 'provider', 'start', '--port', '0', '--json'])
      loops.push(foreign)
      const url: string = await new Promise((resolve) =>
        foreign.stdout.on('data', (line) => resolve(JSON.parse(String(line)).url)),
      )
      const auto = await watchRun(['--url', url, '--no-floor'])
      expect(auto.own.fifo).toEqual([])
      const asked = await watchRun(['--url', url, '--no-floor', '--realtime', 'on'])
      expect(asked.own.fifo).toHaveLength(2)
      expect(threadsOf(foreign.pid ?? 0).fifo).toEqual([])
    },
  )

  it.runIf(right.ok)(`of every process of a gateway that kt starts, not of their threads${skipped}`, async () => {
    const server = await startServer(['gateway', 'start', '--port', '0', '--workers', '2'], () => {}, true)
    const pids = [server.pid ?? 0, ...childrenOf(server.pid ?? 0)]
    const threads = pids.map(threadsOf)
    await server.close()
    expect(pids).toHaveLength(3)
    expect(threads.map(({ fifo }) => fifo)).toEqual(pids.map(() => ['MainThread']))
  })
})

/** kt without the right, which root gives up for it. */
const WITHOUT = ['--bounding-set', '-sys_nice', '--inh-caps', '-sys_nice']
const canGiveUp = right.ok && spawnSync('setpriv', [...WITHOUT, 'chrt', '--fifo', '1', 'true']).status === 1

function ktWithoutRight(...args: string[]) {
  const words = [...WITHOUT, process.execPath, bin, 'bench', '--requests', '20', '--max-tokens', '2', ...args]
  return spawnSync('setpriv', words, { encoding: 'utf8' })
}

describe.runIf(canGiveUp)('without the right to it', () => {
  it('--realtime on is refused in a sentence', () => {
    const { status, stdout, stderr } = ktWithoutRight('--realtime', 'on')
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^kt: real-time scheduling is not to be had: .*not permitted\n {4}Run as root/)
    expect(status).toBe(2)
  })

  it('the embedded pair is measured as ever, and one line says what it would bring', () => {
    const { status, stdout, stderr } = ktWithoutRight('--json')
    expect(status).toBe(0)
    expect(stderr.split('\n').filter((line) => line.includes('eal-time'))).toEqual([
      expect.stringMatching(/^Without real-time scheduling \(.*\): with it requests leave on time on a busy machine/),
    ])
    expect(parseBench(stdout).load.realtime).toBe(false)
  })
})
