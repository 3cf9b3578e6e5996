// A thread that collects, has nothing to do for a while, and collects again; with `full-only`, as kt starts threads.
import { setTimeout as delay } from 'node:timers/promises'
import { isMainThread, Worker } from 'node:worker_threads'
import { collect, collectOnlyWhenFull } from '../../src/system/helper-threads.ts'

if (isMainThread) {
  if (process.argv.includes('full-only')) collectOnlyWhenFull()
  new Worker(import.meta.filename)
} else {
  collect()
  await delay(600)
  collect()
}
