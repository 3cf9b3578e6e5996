/** The entry of the thread behind wake-probe.ts: it sleeps, and counts how much longer that took, until it is ended. */
import { parentPort, workerData } from 'node:worker_threads'
import { now } from './clock.ts'

const SLEEP_MS = 2
/** The error of a sleep on an idle machine. */
const USUAL_US = 500

const { late } = workerData as { late: Float64Array }
const nothing = new Int32Array(new SharedArrayBuffer(4))

parentPort?.postMessage(0)
for (;;) {
  const startUs = now()
  Atomics.wait(nothing, 0, 0, SLEEP_MS)
  const lateUs = now() - startUs - SLEEP_MS * 1_000
  if (lateUs > USUAL_US) late[0] = (late[0] ?? 0) + lateUs
}
