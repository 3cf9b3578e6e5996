/** The entry of the thread that reads a Parquet file, a group of rows at a time, and hands rows over in small lots. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { loadOptional } from '../../system/optional-package.ts'
import type { JsonObject } from '../../wire/json.ts'
import { inThread } from './from-thread.ts'
import type { FromParquetThread } from './parquet.ts'

const ROWS_AT_ONCE = 500

const { path, post } = inThread<FromParquetThread>()

try {
  const library = await loadOptional(['hyparquet'], 'Parquet', () => import('hyparquet'))
  if (library.ok) await readGroups(library.value)
  else post({ missing: library })
} catch (error) {
  post({ failed: error instanceof Error ? error.message : String(error) })
}

async function readGroups({
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
}: typeof import('hyparquet')): Promise<void> {
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file)
  // Snappy is the library's own.
  const compressors = {
    GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
    ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes),
    BROTLI: (bytes: Uint8Array) => brotliDecompressSync(bytes),
  }
  let rowStart = 0
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows)
    const rows = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd })
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
      post({ rows: rows.slice(at, at + ROWS_AT_ONCE).map((row) => asJson(row) as JsonObject) })
    }
    rowStart = rowEnd
  }
  post({ done: true })
}

/** Numbers of 64 bits are numbers here, and bytes are text, as Python's writers leave them. */
function asJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(asJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, asJson(each)]))
}
