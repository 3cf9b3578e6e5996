/** Rows of a Parquet file, read in a thread of their own (parquet-thread.ts). */
import { type Failure, UserError } from '../../errors.ts'
import type { JsonObject } from '../../wire/json.ts'
import { messagesOf } from './from-thread.ts'

/** What the thread says, in this order: rows, again and again, then one of the others. */
export type FromParquetThread = { rows: JsonObject[] } | { failed: string } | { missing: Failure } | { done: true }

export function* parquetRows(path: string): Generator<JsonObject> {
  for (const message of messagesOf<FromParquetThread>('parquet-thread', path)) {
    if ('done' in message) return
    if ('missing' in message) throw new UserError(message.missing.why, message.missing.next ?? '')
    if ('failed' in message) throw unreadable(path, message.failed)
    yield* message.rows
  }
}

function unreadable(path: string, why: string): UserError {
  return new UserError(
    `${path}: cannot read it as Parquet: ${why}`,
    'Is the file whole? Compression by snappy, gzip, zstd and brotli is read.',
  )
}
