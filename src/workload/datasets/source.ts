/** The bytes of a dataset, piece by piece, of a file or a pipe; and what its beginning says of it. */
import { closeSync, openSync, readSync } from 'node:fs'
import { UserError } from '../../errors.ts'
import { systemReason } from '../../parse/file.ts'

const PIECE_BYTES = 256 * 1024
const BOM = Buffer.from('\uFEFF')

export interface DatasetSource {
  path: string
  /** Its first bytes, without a mark of their order. */
  head: Buffer
  /** All pieces, once. Each is valid until the next one is taken. */
  pieces(): Generator<Buffer>
}

export function openSource(path: string): DatasetSource {
  const read = readFrom(path)
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
    head: bare,
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
  const begins = (...bytes: number[]): boolean => bytes.every((byte, i) => head[i] === byte)
  if (begins(0x1f, 0x8b)) return ['it is compressed (gzip)', 'Unpack it first: gunzip FILE.']
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return ['it is compressed (zstd)', 'Unpack it first: unzstd FILE.']
  if (begins(0x50, 0x4b, 0x03, 0x04)) return ['it is a zip archive', 'Unpack it first: unzip FILE.']
  if (begins(0xff, 0xfe) || begins(0xfe, 0xff)) {
    return ['its text is UTF-16', 'Save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE.']
  }
  return undefined
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
