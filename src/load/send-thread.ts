/**
 * The entry of a sending thread: runs the engine on its share of the plan, reports progress, and hands over the record.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { now } from '../system/clock.ts'
import { collect, v8FlagsSet } from '../system/helper-threads.ts'
import { makeThisThreadRealtime, thisThreadFifoPriority } from '../system/realtime.ts'
import { watchSelf } from '../system/self-monitor.ts'
import { Engine } from './engine.ts'
import { FinishedBlocks } from './finished-blocks.ts'
import { planJitWarmup } from './jit-warmup.ts'
import type { Progress, RunRecord } from './merge.ts'
import { RecentRequestTimes, SampleBatches } from './samples.ts'
import type { FromSender, ToSender } from './senders.ts'
import type { ThreadData } from './sending-threads.ts'

const PROGRESS_EVERY_MS = 250
/** Blocks that are over are told once in so many times: about once a second. */
const BLOCKS_EVERY = 4
/** So that the first request of a phase is ready when it is due, as those after it. */
const START_AHEAD_US = 2_000

const { plan, worker, jitWarmup, samples: wanted, live, settings } = workerData as ThreadData
const post = (message: FromSender, transfer: ArrayBuffer[] = []): void => parentPort?.postMessage(message, transfer)

if (plan.realtime) makeThisThreadRealtime()

let startUs = now()
let measuringFromUs = Number.NaN
let watch = watchSelf()
let begin: ((startUs: number) => void) | undefined
let interimDone: ((goOn: boolean) => void) | undefined
/** The record of the last interim analysis: where that analysis ends the run, the report is of the same record. */
let analysed: RunRecord | undefined
/** The engine of the JIT warm-up, while there is one. */
let warmup: Engine | undefined

const batches = wanted
  ? new SampleBatches((rows, lost) => {
      post({ type: 'samples', rows, lost, startUs: measuringFromUs }, [rows.buffer as ArrayBuffer])
    })
  : undefined
const requestTimes = plan.arms.map(() => new RecentRequestTimes())
const engine = new Engine(plan, now, worker, {
  begin: () => {
    finished?.phaseOver()
    if (worker.count === 1) return Promise.resolve(now() + START_AHEAD_US)
    post({ type: 'ready' })
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
    analysed = record()
    post({ type: 'interim', blocks, record: analysed })
    const goOn = await new Promise<boolean>((resolve) => {
      interimDone = resolve
    })
    if (goOn) analysed = undefined
    return goOn
  },
  held: (arm, untilUs) => post({ type: 'held', arm, untilUs }),
  dropped: (arm, why) => post({ type: 'dropped', arm, why }),
  stopped: (reason) => post({ type: 'stopping', reason }),
  ended: (request, result) => {
    requestTimes[request.arm]?.add(request.requestIndex, result.sentUs, result.endUs)
    batches?.add(request.arm, request.block, request.requestIndex, request.released.intendedUs, result)
  },
})

const finished = live && new FinishedBlocks(engine.recorders, live)

parentPort?.on('message', (message: ToSender) => {
  switch (message.type) {
    case 'taken':
      batches?.taken()
      break
    case 'begin':
      begin?.(message.startUs)
      break
    case 'interim-done':
      interimDone?.(message.goOn)
      break
    case 'hold':
      engine.holdArm(message.arm, message.untilUs)
      break
    case 'drop':
      engine.dropped.drop(message.arm, message.why)
      break
    case 'stop':
      engine.stop(message.reason, message.drainUs)
      warmup?.stop(message.reason, 0)
      // The engine may be waiting for the other threads, which will not come.
      begin?.(now())
      interimDone?.(true)
      break
    default:
      message satisfies never
  }
})

let ticks = 0
const ticker = setInterval(() => {
  post({ type: 'progress', progress: progress() })
  ticks++
  if (finished && ticks % BLOCKS_EVERY === 0) tellBlocks(finished)
  batches?.flush()
}, PROGRESS_EVERY_MS)

for (const warmupPlan of jitWarmup ? planJitWarmup(plan, jitWarmup) : []) {
  warmup = new Engine(warmupPlan, now)
  if (!engine.stopReason) await warmup.run()
}
warmup = undefined
if (jitWarmup) collect()

startUs = now()
await engine.run()
clearInterval(ticker)
batches?.flush(true)
engine.series.end()
const last = record()
post({
  type: 'done',
  record: analysed ? { ...last, self: analysed.self, measuredUs: analysed.measuredUs } : last,
})
watch.end()
parentPort?.close()

function tellBlocks(over: FinishedBlocks): void {
  const blocks = over.take()
  if (blocks.length > 0) post({ type: 'blocks', blocks })
}

function progress(): Progress {
  const total = { sent: 0, done: 0, failed: 0 }
  for (const { sent, done, failed } of engine.recorders) {
    total.sent += sent
    total.done += done
    total.failed += failed
  }
  return {
    phase: warmup ? 'jit-warmup' : Number.isNaN(measuringFromUs) ? 'warm-up' : 'measuring',
    elapsedUs: now() - (Number.isNaN(measuringFromUs) ? startUs : measuringFromUs),
    doneByArm: engine.recorders.map(({ done }) => done),
    ...total,
    failures: engine.recorders.map(({ outcomes: { OK: _, ...failures } }) => failures),
    inFlight: engine.inFlight,
    achievedToOffered: engine.kept.achievedToOffered(engine.recorders),
    watched: engine.recorders.map(({ abort }) => abort?.counts ?? []),
    heldUs: Math.max(0, ...engine.recorders.map(({ hold }) => hold.untilUs - now())),
    lastSecond: engine.series.seconds.at(-1) ?? null,
  }
}

function record(): RunRecord {
  // Read before the histograms are encoded: encoding takes tens of milliseconds of CPU time that no request cost.
  const self = watch.reading()
  const measuredUs = now() - measuringFromUs
  return {
    arms: engine.recorders.map((recorder, arm) => ({ ...recorder.toRecord(), dropped: engine.dropped.of[arm] })),
    opened: engine.opened,
    series: engine.series.seconds,
    sendLag: engine.kept.sendLag.pack(),
    achievedToOffered: engine.kept.achievedToOffered(engine.recorders),
    self,
    runtime: {
      ...settings,
      v8Flags: [...new Set([...settings.v8Flags, ...v8FlagsSet()])],
      fifoPriority: thisThreadFifoPriority(),
    },
    workers: [],
    stopReason: engine.stopReason ?? null,
    measuredUs,
    requestTimes: requestTimes.map((times) => times.rows()),
  }
}
