/**
 * The bytes of a trace, piece by piece: of a file, a FIFO or a device, gzipped or not. Never more than a piece of it.
 */
import { constants, createReadStream, openSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { UserError } from '../../errors.ts'
import { systemReason } from '../../parse/system-reason.ts'

/** Of a piece; it also limits how many rows come at once. */
const PIECE_BYTES = 64 * 1024
const GZIP = [0x1f, 0x8b]

/** Whether the file can be read twice. Of a FIFO every byte comes once. */
export function isRegularFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch (error) {
    throw unreadable(path, error)
  }
}

/**
 * A FIFO is opened without waiting for its writer: the system would let nobody end that wait, Ctrl-C neither. Its end
 * comes after a writer has come and gone.
 */
function open(path: string, signal: AbortSignal | undefined): Readable {
  const options = { highWaterMark: PIECE_BYTES, ...(signal ? { signal } : {}) }
  if (!statSync(path).isFIFO()) return createReadStream(path, options)
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return new Socket({ fd, readable: true, writable: false, ...options })
}

/** Ends early when `signal` is aborted. `lines` tells how many lines were read, for the word on a file that is cut. */
export async function* readPieces(path: string, lines: () => number, signal?: AbortSignal): AsyncGenerator<Buffer> {
  let file: Readable | undefined
  try {
    file = open(path, signal)
    const pieces: AsyncIterator<Buffer> = file[Symbol.asyncIterator]()
    const first = await pieces.next()
    if (first.done) return
    if (!GZIP.every((byte, i) => first.value[i] === byte)) {
      yield first.value
      for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value
      return
    }
    yield* unzip(Readable.from(putBack(first.value, pieces)), path, lines)
  } catch (error) {
    if (signal?.aborted) return
    throw error instanceof UserError ? error : unreadable(path, error)
  } finally {
    file?.destroy()
  }
}

async function* putBack(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

async function* unzip(zipped: Readable, path: string, lines: () => number): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES })
  let broken: unknown
  zipped.on('error', (error) => gunzip.destroy(error))
  gunzip.on('error', (error) => {
    broken = error
  })
  try {
    for await (const piece of zipped.pipe(gunzip)) yield piece as Buffer
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (broken !== error || !code.startsWith('Z_')) throw error
    const why = code === 'Z_BUF_ERROR' ? 'the gzip file is cut off here' : 'the gzip file is damaged here'
    throw new UserError(`${path}, line ${lines() + 1}: ${why}`, 'Copy the file again, or unzip what is whole of it.')
  } finally {
    zipped.destroy()
  }
}

function unreadable(path: string, error: unknown): UserError {
  return new UserError(`cannot read the trace ${path}: ${systemReason(error)}`, 'Check the path and its permissions.')
}
