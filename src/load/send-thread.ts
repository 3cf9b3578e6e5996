/** A thread that sends: runs the engine on its share of the plan, says how far it is, and hands over the record. */
import { parentPort, workerData } from 'node:worker_threads'
import { now } from '../system/clock.ts'
import { collect } from '../system/helper-threads.ts'
import { watchSelf } from '../system/self-monitor.ts'
import { Engine } from './engine.ts'
import { planJitWarmup } from './jit-warmup.ts'
import type { FromSendThread, Progress, RunRecord, ThreadData, ToSendThread } from './merge.ts'
import { SampleBatches } from './samples.ts'

/** When the latest requests of an arm left and ended, for joining with the provider's own record after the run: bounded. */

const MOST = 20_000

const COLUMNS = 3

class Timed {
  readonly #rows = new Float64Array(MOST * COLUMNS)
  #count = 0

  add(index: number, sentUs: number, endUs: number): void {
    const at = (this.#count++ % MOST) * COLUMNS
    this.#rows[at] = index
    this.#rows[at + 1] = sentUs
    this.#rows[at + 2] = endUs
  }

  /** Index, sent, end of each. */
  rows(): Float64Array {
    return this.#rows.slice(0, Math.min(this.#count, MOST) * COLUMNS)
  }
}

const PROGRESS_EVERY_MS = 250

const { plan, worker, stage, samples: wanted } = workerData as ThreadData

const say = (message: FromSendThread, transfer: ArrayBuffer[] = []): void => parentPort?.postMessage(message, transfer)

let startUs = now()

let measuringFromUs = Number.NaN

let watch = watchSelf()

let begin: ((startUs: number) => void) | undefined

let looked: ((goOn: boolean) => void) | undefined

/** The record that the last look was at: where it ends the run, the report is of the same. */
let seen: RunRecord | undefined

const batches = wanted
  ? new SampleBatches((rows, lost) => {
      say({ type: 'samples', rows, lost, startUs: measuringFromUs }, [rows.buffer as ArrayBuffer])
    })
  : undefined

const timed = plan.arms.map(() => new Timed())

const engine = new Engine(plan, now, worker, {
  begin: () => {
    if (worker.count === 1) return Promise.resolve(now())
    say({ type: 'ready' })
    return new Promise((resolve) => {
      begin = resolve
    })
  },
  measuring: (atUs) => {
    watch.end()
    watch = watchSelf()
    measuringFromUs = atUs
  },
  continueAfter: async (blocks) => {
    seen = record()
    say({ type: 'look', blocks, record: seen })
    const goOn = await new Promise<boolean>((resolve) => {
      looked = resolve
    })
    if (goOn) seen = undefined
    return goOn
  },
  stopped: (reason) => say({ type: 'stopping', reason }),
  ended: (flight, result) => {
    timed[flight.arm]?.add(flight.requestIndex, result.sentUs, result.endUs)
    batches?.add(flight.arm, flight.block, flight.requestIndex, flight.released.intendedUs, result)
  },
})

/** While there is one, what is rehearsed. */
let rehearsal: Engine | undefined

parentPort?.on('message', (message: ToSendThread) => {
  if (message.type === 'taken') batches?.taken()
  else if (message.type === 'begin') begin?.(message.startUs)
  else if (message.type === 'looked') looked?.(message.goOn)
  else {
    engine.stop(message.reason, message.drainUs)
    rehearsal?.stop(message.reason, 0)
    // It may be waiting for the others, who will not come.
    begin?.(now())
    looked?.(true)
  }
})

const ticker = setInterval(() => {
  say({ type: 'progress', progress: progress() })
  batches?.flush()
}, PROGRESS_EVERY_MS)

for (const act of stage ? planJitWarmup(plan, stage) : []) {
  rehearsal = new Engine(act, now)
  if (!engine.stopReason) await rehearsal.run()
}

rehearsal = undefined

if (stage) collect()

startUs = now()

await engine.run()

clearInterval(ticker)

batches?.flush(true)

engine.series.end()

const last = record()

say({ type: 'done', record: seen ? { ...last, self: seen.self, measuredUs: seen.measuredUs } : last })

watch.end()

parentPort?.close()

function progress(): Progress {
  const total = { sent: 0, done: 0, failed: 0 }
  for (const { sent, done, failed } of engine.recorders) {
    total.sent += sent
    total.done += done
    total.failed += failed
  }
  return {
    phase: rehearsal ? 'rehearsal' : Number.isNaN(measuringFromUs) ? 'warm-up' : 'measuring',
    elapsedUs: now() - (Number.isNaN(measuringFromUs) ? startUs : measuringFromUs),
    ...total,
    inFlight: engine.inFlight,
    lastSecond: engine.series.seconds.at(-1) ?? null,
  }
}

function record(): RunRecord {
  // Read before the histograms are encoded, which takes tens of milliseconds of CPU that no request cost.
  const self = watch.reading()
  const measuredUs = now() - measuringFromUs
  return {
    arms: engine.recorders.map((recorder) => recorder.toRecord()),
    opened: engine.opened,
    series: engine.series.seconds,
    sendLag: engine.sendLag.encode(),
    achievedToOffered: plan.load.mode === 'open' && engine.achievedUs > 0 ? engine.offeredUs / engine.achievedUs : null,
    self,
    workers: [],
    stopReason: engine.stopReason ?? null,
    measuredUs,
    requestTimes: timed.map((some) => some.rows()),
  }
}
