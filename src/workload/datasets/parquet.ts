/**
 * Rows of a Parquet file. They are read in a thread of their own (parquet-thread.ts), since the library only reads
 * later, and whoever reads options needs them now; and since the thread's memory goes with it.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { type Failure, UserError } from '../../errors.ts'
import type { JsonObject } from '../../wire/json.ts'

/** A group of rows is decoded as a whole, which may take a while. */
const LONGEST_MS = 120_000

/** What the thread says, in this order: rows, again and again, then one of the others. */
export type FromParquetThread = { rows: JsonObject[] } | { failed: string } | { missing: Failure } | { done: true }

/** Places in the numbers that both threads share: messages posted, and messages taken. */
export const [POSTED, TAKEN] = [0, 1]

export interface ParquetThreadData {
  path: string
  counts: Int32Array
}

export function* parquetRows(path: string): Generator<JsonObject> {
  const { port1: port, port2: theirs } = new MessageChannel()
  const counts = new Int32Array(new SharedArrayBuffer(8))
  const workerData: ParquetThreadData & { port: typeof theirs } = { path, counts, port: theirs }
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const thread = new Worker(new URL(`parquet-thread.${extension}`, import.meta.url), {
    workerData,
    transferList: [theirs],
  })
  // While this thread waits it hears of nothing: a thread that fails says so on the port.
  thread.unref()
  try {
    for (let taken = 0; ; taken++) {
      if (Atomics.wait(counts, POSTED, taken, LONGEST_MS) === 'timed-out')
        throw new Error('the Parquet thread is stuck')
      const message: FromParquetThread = receiveMessageOnPort(port)?.message
      if ('done' in message) return
      if ('missing' in message) throw new UserError(message.missing.why, message.missing.next ?? '')
      if ('failed' in message) throw unreadable(path, message.failed)
      yield* message.rows
      Atomics.add(counts, TAKEN, 1)
      Atomics.notify(counts, TAKEN)
    }
  } finally {
    port.close()
    thread.terminate()
  }
}

function unreadable(path: string, why: string): UserError {
  return new UserError(
    `${path}: cannot read it as Parquet: ${why}`,
    'Is the file whole? Compression by snappy, gzip, zstd and brotli is read.',
  )
}
