/** The thread that sends: runs the engine on the plan it was given, says how far it is, and hands over the record. */
import { parentPort, workerData } from 'node:worker_threads'
import { now } from '../system/clock.ts'
import { watchSelf } from '../system/self-monitor.ts'
import { Engine } from './engine.ts'
import type { FromWorker, Progress, ToWorker } from './messages.ts'
import type { RunPlan } from './plan.ts'

const PROGRESS_EVERY_MS = 250

const plan = workerData as RunPlan
const say = (message: FromWorker): void => parentPort?.postMessage(message)

const startUs = now()
let measuringFromUs = Number.NaN
let endWatch = watchSelf()
const engine = new Engine(plan, now, undefined, {
  measuring: (startUs) => {
    endWatch()
    endWatch = watchSelf()
    measuringFromUs = startUs
  },
})

parentPort?.on('message', (message: ToWorker) => engine.stop('interrupted', message.drainUs))

const ticker = setInterval(() => say({ type: 'progress', progress: progress() }), PROGRESS_EVERY_MS)
await engine.run()
clearInterval(ticker)
engine.series.end()
say({
  type: 'done',
  record: {
    arms: engine.recorders.map((recorder) => recorder.toRecord()),
    opened: engine.opened,
    series: engine.series.seconds,
    sendLag: engine.sendLag.encode(),
    achievedToOffered: plan.load.mode === 'open' && engine.achievedUs > 0 ? engine.offeredUs / engine.achievedUs : null,
    self: endWatch(),
    stopReason: engine.stopReason ?? null,
    measuredUs: now() - measuringFromUs,
  },
})
parentPort?.close()

function progress(): Progress {
  const total = { sent: 0, done: 0, failed: 0 }
  for (const { sent, done, failed } of engine.recorders) {
    total.sent += sent
    total.done += done
    total.failed += failed
  }
  return {
    phase: Number.isNaN(measuringFromUs) ? 'warm-up' : 'measuring',
    elapsedUs: now() - (Number.isNaN(measuringFromUs) ? startUs : measuringFromUs),
    ...total,
    inFlight: engine.inFlight,
    lastSecond: engine.series.seconds.at(-1) ?? null,
  }
}
