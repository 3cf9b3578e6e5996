// A thread that replaces what it holds, slowly, and then has nothing to do, and prints how often V8 went through its
// whole heap in each of the two times; with `full-only`, as kt starts threads.
import { constants, type NodeGCPerformanceDetail, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { collect, collectOnlyWhenFull } from '../../src/system/helper-threads.ts'

const HELD = 300
/** Less than three times what is held: a heap that may grow to four times its size takes it all. */
const REPLACED = 900
const AT_ONCE = 4
const PAUSE_MS = 5
/** V8 looks for memory to give back every eight seconds, and takes none while much was allocated in the five before. */
const IDLE_MS = 20_000
const LOOK_MS = 200

/** The types of Node leave `detail` out. */
type GcEntry = PerformanceEntry & { detail: NodeGCPerformanceDetail }

if (isMainThread) {
  const fullOnly = process.argv.includes('full-only')
  if (fullOnly) collectOnlyWhenFull()
  new Worker(import.meta.filename, { workerData: { fullOnly } }).on('message', (counts) =>
    process.stdout.write(JSON.stringify(counts)),
  )
} else {
  let collections = 0
  new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as GcEntry[]) {
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections++
    }
  }).observe({ entryTypes: ['gc'] })
  const held: number[][] = []
  const fill = async (pieces: number): Promise<void> => {
    for (let i = 0; i < pieces; i++) {
      held[i % HELD] = new Array(4_096).fill(0.5)
      if (i % AT_ONCE === 0) await delay(PAUSE_MS)
    }
  }
  const counted = async (work: Promise<unknown>): Promise<number> => {
    const before = collections
    await work
    // The observer is told a moment later.
    await delay(PAUSE_MS)
    return collections - before
  }
  // What is to come has come when it came once; what is not to come is waited for in vain.
  const idleTime = async (): Promise<void> => {
    const before = collections
    const patienceMs = workerData.fullOnly ? IDLE_MS : 3 * IDLE_MS
    for (let waitedMs = 0; waitedMs < patienceMs && collections === before; waitedMs += LOOK_MS) await delay(LOOK_MS)
  }
  await fill(HELD)
  collect()
  await delay(PAUSE_MS)
  const busy = await counted(fill(REPLACED))
  const idle = await counted(idleTime())
  parentPort?.postMessage({ busy, idle })
}
