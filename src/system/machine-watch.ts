/**
 * What the machine withheld from a run while it was measured, from the kernel's own accounts: how long threads of kt,
 * and of local targets, were ready and waited for a core (schedstat), CPU pressure (PSI), time that the hypervisor took
 * (steal) and that the control group's limit took (throttling). All of them only ever grow, so that a reading every few
 * milliseconds gives them for any span. Where the kernel tells no run-queue wait, a probe thread measures how late it
 * wakes instead.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { now } from './clock.ts'
import { childrenOf, type ProcStat, readProcStat } from './proc-stat.ts'
import { throttledUs } from './self-monitor.ts'
import { type Probe, startProbe, type Waited } from './wake-probe.ts'

/** Of one span of a run, such as a block. */
export interface MachineEvidence {
  spanMs: number
  /** Sum over the threads of kt; of the probe, where the kernel does not tell. */
  waitMs: number
  /** Sum over the threads of the targets; null where none runs on this machine. */
  targetsWaitMs: number | null
  /** Share of the span in which some task of the machine waited for a core; null where the kernel does not tell. */
  pressure: number | null
  stealMs: number | null
  throttledMs: number | null
  /** Time in windows in which a thread of kt or of a target was held up for a tenth of the window or more. */
  starvedMs: number
  /** How many runs of such windows there were. */
  starvedSpells: number
  source: 'schedstat' | 'probe'
}

export interface MachineWatch {
  /** Microseconds of the host's clock. */
  between(fromUs: number, toUs: number): MachineEvidence
  end(): void
}

const EVERY_MS = 25
/** New threads are looked for this often. */
const THREADS_EVERY = 20
/**
 * A window is starved in which one thread waited for a core for more than this share of it: a request that needs the
 * thread then may be held up. Many short waits of many threads are a machine at work, and no request meets them all.
 */
const STARVED_SHARE = 0.1
/** USER_HZ, which Linux shows to every program as 100 whatever it ticks at. */
const US_A_TICK = 10_000

interface Reading {
  atUs: number
  waitUs: number
  targetsWaitUs: number
  pressureUs: number
  stealUs: number
  throttledUs: number
  /** The longest waits of one thread of kt and of one of the targets since the reading before. */
  longestUs: number
}

type Counter = Exclude<keyof Reading, 'atUs' | 'longestUs'>

/**
 * Watches from now on. `targets`: process ids of what is measured; their children count too. `root`: where /proc and
 * /sys are.
 */
export async function watchMachine(targets: readonly number[], root = ''): Promise<MachineWatch> {
  const proc = `${root}/proc`
  const own = new RunQueueWait(proc, [process.pid])
  const others = new RunQueueWait(proc, targets)
  const probe: Probe | undefined = own.known ? undefined : await startProbe()
  const readings: Reading[] = []
  const read = (): void => {
    const kt = probe ? probe.read() : own.read()
    const targets = others.known ? others.read() : { waitUs: Number.NaN, longestUs: 0 }
    readings.push({
      atUs: now(),
      waitUs: kt.waitUs,
      targetsWaitUs: targets.waitUs,
      longestUs: kt.longestUs + targets.longestUs,
      pressureUs: numberIn(`${proc}/pressure/cpu`, /^some .*total=(\d+)/m),
      stealUs: numberIn(`${proc}/stat`, /^cpu +(?:\d+ +){7}(\d+)/m) * US_A_TICK,
      throttledUs: throttledUs(root) ?? Number.NaN,
    })
  }
  read()
  const timer = setInterval(read, EVERY_MS)
  timer.unref()
  return {
    between(fromUs, toUs) {
      if ((readings.at(-1)?.atUs ?? 0) < toUs) read()
      return evidence(readings, fromUs, toUs, probe ? 'probe' : 'schedstat')
    },
    end() {
      clearInterval(timer)
      own.close()
      others.close()
      probe?.end()
    },
  }
}

function evidence(
  readings: readonly Reading[],
  fromUs: number,
  toUs: number,
  source: MachineEvidence['source'],
): MachineEvidence {
  const sum: Record<Counter, number> = { waitUs: 0, targetsWaitUs: 0, pressureUs: 0, stealUs: 0, throttledUs: 0 }
  let [starvedUs, spells, inSpell] = [0, 0, false]
  for (let i = firstAfter(readings, fromUs); i < readings.length; i++) {
    const [before, after] = [readings[i - 1], readings[i]]
    if (!before || !after || before.atUs >= toUs) break
    const windowUs = after.atUs - before.atUs
    const insideUs = Math.min(after.atUs, toUs) - Math.max(before.atUs, fromUs)
    if (insideUs <= 0 || windowUs <= 0) continue
    const grown = (counter: Counter): number => after[counter] - before[counter]
    for (const counter of Object.keys(sum) as Counter[]) sum[counter] += (grown(counter) * insideUs) / windowUs
    const heldUs = after.longestUs + known(grown('stealUs')) + known(grown('throttledUs'))
    const starved = heldUs > STARVED_SHARE * windowUs
    if (starved) starvedUs += insideUs
    if (starved && !inSpell) spells++
    inSpell = starved
  }
  const spanUs = toUs - fromUs
  return {
    spanMs: toMs(spanUs),
    waitMs: toMs(sum.waitUs),
    targetsWaitMs: orNull(sum.targetsWaitUs),
    pressure: Number.isNaN(sum.pressureUs) ? null : Math.min(1, Math.round((sum.pressureUs / spanUs) * 1e3) / 1e3),
    stealMs: orNull(sum.stealUs),
    throttledMs: orNull(sum.throttledUs),
    starvedMs: toMs(starvedUs),
    starvedSpells: spells,
    source,
  }
}

/** The first reading after `atUs` that has one before it. */
function firstAfter(readings: readonly Reading[], atUs: number): number {
  let [low, high] = [1, readings.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((readings[middle]?.atUs ?? 0) > atUs) high = middle
    else low = middle + 1
  }
  return low
}

function known(value: number): number {
  return Number.isNaN(value) ? 0 : value
}

function toMs(us: number): number {
  return Math.round(us) / 1_000
}

function orNull(us: number): number | null {
  return Number.isNaN(us) ? null : toMs(us)
}

/** How long all threads of some processes, and of the processes that they started, have waited for a core. */
class RunQueueWait {
  readonly #proc: string
  readonly #pids: readonly number[]
  /** Open files of the threads: opening each of them anew would cost ten times as much. */
  readonly #threads = new Map<string, { file: number; baseUs: number; us: number }>()
  readonly #text = Buffer.alloc(128)
  #goneUs = 0
  #reads = 0

  constructor(proc: string, pids: readonly number[]) {
    this.#proc = proc
    this.#pids = pids
    this.#find()
  }

  get known(): boolean {
    return this.#threads.size > 0
  }

  read(): Waited {
    if (++this.#reads % THREADS_EVERY === 0) this.#find()
    let [waitUs, longestUs] = [this.#goneUs, 0]
    for (const [path, thread] of this.#threads) {
      const waitedUs = this.#waitedUs(thread.file)
      if (waitedUs === undefined) {
        this.#forget(path)
      } else {
        longestUs = Math.max(longestUs, waitedUs - thread.baseUs - thread.us)
        thread.us = waitedUs - thread.baseUs
      }
      waitUs += thread.us
    }
    return { waitUs, longestUs }
  }

  close(): void {
    for (const path of [...this.#threads.keys()]) this.#forget(path)
  }

  /**
   * Undefined where the thread has ended, or the kernel does not count. The file's numbers are the time on a core and
   * the wait for one, in nanoseconds.
   */
  #waitedUs(file: number): number | undefined {
    try {
      const length = readSync(file, this.#text, 0, this.#text.length, 0)
      const [ran, waited] = this.#text.toString('latin1', 0, length).split(' ')
      return ran === '0' || waited === undefined ? undefined : Number(waited) / 1_000
    } catch {
      return undefined
    }
  }

  /** What a thread has waited counts on after its end. */
  #forget(path: string): void {
    const thread = this.#threads.get(path)
    if (!thread) return
    closeSync(thread.file)
    this.#goneUs += thread.us
    this.#threads.delete(path)
  }

  #watch(path: string): void {
    try {
      const file = openSync(`${path}/schedstat`, 'r')
      const baseUs = this.#waitedUs(file)
      if (baseUs === undefined) closeSync(file)
      else this.#threads.set(path, { file, baseUs, us: 0 })
    } catch {
      // It has ended, or the kernel does not tell.
    }
  }

  /** A thread may give way from some time on: kt lowers its helpers when a run starts. */
  #find(): void {
    for (const paths of this.#pids.flatMap((pid) => processesOf(this.#proc, pid))) {
      const threads = paths.flatMap(readThread)
      const anyRealtime = threads.some(({ fifoPriority }) => fifoPriority !== null)
      for (const { path, ...thread } of threads) {
        if (givesWay(thread, anyRealtime)) this.#forget(path)
        else if (!this.#threads.has(path)) this.#watch(path)
      }
    }
  }
}

/**
 * Whether a thread is meant to wait, and no request waits for it: it runs at a lowered priority, as the helper threads
 * of kt and its servers do (helper-threads.ts), or it is an ordinary one of a process whose requests are the business
 * of real-time threads (realtime.ts).
 */
function givesWay({ nice, fifoPriority }: ProcStat, anyRealtime: boolean): boolean {
  return nice > 0 || (anyRealtime && fifoPriority === null)
}

/** Nothing where the thread has ended. */
function readThread(path: string): (ProcStat & { path: string })[] {
  try {
    return [{ path, ...readProcStat(path) }]
  } catch {
    return []
  }
}

/** The threads of a process and of those that it has started, by process. */
function processesOf(proc: string, pid: number): string[][] {
  try {
    const threads = readdirSync(`${proc}/${pid}/task`).map((id) => `${proc}/${pid}/task/${id}`)
    const below = pid === process.pid ? [] : childrenOf(pid, proc)
    return [threads, ...below.flatMap((id) => processesOf(proc, id))]
  } catch {
    return []
  }
}

/** NaN where the file, or the number in it, is not there. */
function numberIn(path: string, pattern: RegExp): number {
  try {
    return Number(pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? Number.NaN)
  } catch {
    return Number.NaN
  }
}
