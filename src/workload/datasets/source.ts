/** The bytes of a dataset, piece by piece, of a file, gzipped or not, or a pipe; and what its beginning says of it. */
import { closeSync, openSync, readSync } from 'node:fs'
import { type Failure, UserError } from '../../errors.ts'
import { systemReason } from '../../parse/system-reason.ts'
import { isRegularFile } from '../traces/source.ts'
import { messagesOf } from './from-thread.ts'

const PIECE_BYTES = 256 * 1024
const BOM = Buffer.from('\uFEFF')

/** What the thread says that unpacks a file: its pieces, then one of the others. */
export type FromGunzipThread = { piece: Uint8Array } | { failed: Failure } | { done: true }

export interface DatasetSource {
  path: string
  /** Its name, without what says that it is packed. */
  name: string
  /** Its first bytes, without a mark of their order. */
  head: Buffer
  /** All pieces, once. Each is valid until the next one is taken. */
  pieces(): Generator<Buffer>
}

export function openSource(path: string): DatasetSource {
  const packed = openPieces(path, readFrom(path))
  if (!begins(packed.head, GZIP)) return packed
  packed.close()
  // Of a pipe the bytes that were read are gone.
  if (!isRegularFile(path))
    throw new UserError(`${path}: it is compressed (gzip)`, 'Unpack it first: gunzip -c FILE | …')
  return { ...openPieces(path, unpack(path)), name: path.replace(/\.gz$/i, '') }
}

const GZIP = [0x1f, 0x8b]

function begins(head: Buffer, bytes: readonly number[]): boolean {
  return bytes.every((byte, i) => head[i] === byte)
}

function openPieces(path: string, read: Generator<Buffer>): DatasetSource & { close(): void } {
  const first = read.next()
  const head = Buffer.from(first.done ? [] : first.value)
  const kind = unreadableKind(head)
  if (kind) {
    read.return(undefined)
    throw new UserError(`${path}: ${kind[0]}`, kind[1])
  }
  const bare = head.subarray(0, BOM.length).equals(BOM) ? head.subarray(BOM.length) : head
  return {
    path,
    name: path,
    head: bare,
    close: () => void read.return(undefined),
    *pieces() {
      try {
        if (bare.length > 0) yield bare
        yield* read
      } finally {
        read.return(undefined)
      }
    },
  }
}

/** What kt does not read, by its first bytes. */
function unreadableKind(head: Buffer): [why: string, next: string] | undefined {
  if (begins(head, [0x28, 0xb5, 0x2f, 0xfd])) return ['it is compressed (zstd)', 'Unpack it first: unzstd FILE.']
  if (begins(head, [0x50, 0x4b, 0x03, 0x04])) return ['it is a zip archive', 'Unpack it first: unzip FILE.']
  if (begins(head, [0xff, 0xfe]) || begins(head, [0xfe, 0xff])) {
    return ['its text is UTF-16', 'Save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE.']
  }
  return undefined
}

function* unpack(path: string): Generator<Buffer> {
  for (const message of messagesOf<FromGunzipThread>('gunzip-thread', path)) {
    if ('done' in message) return
    if ('failed' in message) throw new UserError(message.failed.why, message.failed.next ?? '')
    yield Buffer.from(message.piece.buffer, message.piece.byteOffset, message.piece.byteLength)
  }
}

function* readFrom(path: string): Generator<Buffer> {
  const file = attempt(path, () => openSync(path, 'r'))
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    for (;;) {
      const length = attempt(path, () => fill(file, piece))
      if (length === 0) return
      yield piece.subarray(0, length)
    }
  } finally {
    closeSync(file)
  }
}

/** A pipe gives a few bytes at a time. */
function fill(file: number, piece: Buffer): number {
  let length = 0
  while (length < piece.length) {
    const read = readSync(file, piece, length, piece.length - length, null)
    if (read === 0) break
    length += read
  }
  return length
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw new UserError(
      `cannot read the prompts ${path}: ${systemReason(error)}`,
      'Check the path and its permissions.',
    )
  }
}
