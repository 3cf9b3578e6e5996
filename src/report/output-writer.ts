/**
 * Writes to the target of an output name: a device, a FIFO, a socket or an open descriptor gets the bytes and stays
 * what it is. A regular file that is written piece by piece is opened the same way.
 */
import { close, constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { connect } from 'node:net'
import type { Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { EXIT, UserError } from '../errors.ts'
import { writeNote } from '../system/printable.ts'
import { type OutputTarget, STDERR, STDOUT } from './output-target.ts'

export interface OutputWriter {
  /** Resolves when the system has taken all of it. Do not call again before that. */
  write(content: string | Uint8Array): Promise<void>
  close(): Promise<void>
}

export type WritableTarget = Exclude<OutputTarget, { kind: 'folder' }>

const THROUGH = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
/** Interval of the attempts to open a FIFO that nobody reads yet. */
const NO_READER_MS = 50
/** Interval of the attempts to write to a full pipe. */
const FULL_MS = 5

const writeSome = promisify(write)
const closeDescriptor = promisify(close)

export async function openOutputWriter(target: WritableTarget): Promise<OutputWriter> {
  switch (target.kind) {
    case 'file':
      return descriptorWriter(openSync(target.path, 'w'), closeDescriptor)
    case 'device':
      return descriptorWriter(openSync(target.path, THROUGH), closeDescriptor)
    case 'fifo':
      return descriptorWriter(await openFifo(target.path), closeDescriptor)
    case 'socket':
      return await socketWriter(target.path)
    case 'descriptor':
      assertOpen(target.fd)
      if (target.fd === STDOUT) return streamWriter(process.stdout)
      if (target.fd === STDERR) return streamWriter(process.stderr)
      return descriptorWriter(target.fd)
    default:
      return target satisfies never
  }
}

/**
 * Throws EBADF unless `fd` is open for writing and is a file of some type, which the runtime's own descriptors are
 * not.
 */
export function assertOpen(fd: number): void {
  const there = fstatSync(fd)
  const takesBytes = there.isFile() || there.isFIFO() || there.isSocket() || there.isCharacterDevice()
  if (!takesBytes && !there.isBlockDevice()) throw Object.assign(new Error('not a file'), { code: 'EBADF' })
  writeSync(fd, '')
}

function descriptorWriter(fd: number, end: (fd: number) => Promise<void> = async () => {}): OutputWriter {
  return { write: (content) => writeAll(fd, Buffer.from(content)), close: () => end(fd) }
}

async function writeAll(fd: number, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += (await writeSome(fd, bytes, done)).bytesWritten
    } catch (error) {
      if (!hasCode(error, 'EAGAIN')) throw error
      await wait(FULL_MS)
    }
  }
}

function streamWriter(stream: Writable, end: () => Promise<void> = async () => {}): OutputWriter {
  return {
    write: (content) =>
      new Promise((resolve, reject) => stream.write(content, (error) => (error ? reject(error) : resolve()))),
    close: end,
  }
}

async function socketWriter(path: string): Promise<OutputWriter> {
  const socket = connect(path)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  // A later error is reported by the write that it stops.
  socket.on('error', () => {}).resume()
  return streamWriter(socket, () => new Promise((resolve) => socket.end(() => resolve(void socket.destroy()))))
}

/**
 * Waits for a reader, as a shell does. A blocking open would wait too, but the process could not handle Ctrl-C
 * meanwhile.
 */
async function openFifo(path: string): Promise<number> {
  const interrupted = new AbortController()
  const giveUp = (): void => interrupted.abort()
  process.once('SIGINT', giveUp).once('SIGTERM', giveUp)
  try {
    for (let announced = false; !interrupted.signal.aborted; announced = true) {
      try {
        return openSync(path, THROUGH)
      } catch (error) {
        if (!hasCode(error, 'ENXIO')) throw error
      }
      if (!announced) writeNote(`kt: waiting for a reader of ${path}`)
      await wait(NO_READER_MS)
    }
  } finally {
    process.off('SIGINT', giveUp).off('SIGTERM', giveUp)
  }
  throw new UserError(`cannot write ${path}: nobody reads it`, 'Start its reader first.', EXIT.interrupted)
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
