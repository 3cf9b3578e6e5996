/**
 * The entry of the thread behind precision-timer.ts. It sleeps in Atomics.wait until the due time in shared memory,
 * then posts a message. The sleep costs no CPU, ends within about a tenth of a millisecond, and cannot be delayed by
 * what the sending thread is doing.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { now } from '../system/clock.ts'
import { makeThisThreadRealtime } from '../system/realtime.ts'

const { signal, due, realtime } = workerData as { signal: Int32Array; due: Float64Array; realtime: boolean }
if (realtime) makeThisThreadRealtime()

parentPort?.postMessage(0)
for (;;) {
  const seen = Atomics.load(signal, 0)
  const waitUs = (due[0] ?? Number.POSITIVE_INFINITY) - now()
  if (waitUs > 0) {
    // A new due time, or the end (a due time in the past), interrupts the wait.
    if (Atomics.wait(signal, 0, seen, waitUs / 1_000) !== 'timed-out') continue
    if ((due[0] ?? 0) - now() > 0) continue
  }
  if (due[0] === Number.NEGATIVE_INFINITY) break
  due[0] = Number.POSITIVE_INFINITY
  parentPort?.postMessage(0)
}
