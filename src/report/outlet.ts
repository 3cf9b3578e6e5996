/**
 * Writes through what a name stands for: a device, a FIFO, a socket or an open descriptor gets the bytes and stays what
 * it is. A regular file that is written bit by bit is opened the same way.
 */
import { close, constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { connect } from 'node:net'
import type { Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { EXIT, UserError } from '../errors.ts'
import { type Place, STDERR, STDOUT } from './place.ts'

export interface Outlet {
  /** Resolves when the system has it all. To be called again only then. */
  write(text: string): Promise<void>
  close(): Promise<void>
}

export type OpenPlace = Exclude<Place, { kind: 'folder' }>

const THROUGH = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
/** A FIFO that nobody reads is tried again this often. */
const NO_READER_MS = 50
/** A pipe that is full. */
const FULL_MS = 5

const writeSome = promisify(write)
const closeDescriptor = promisify(close)

export async function openOutlet(place: OpenPlace): Promise<Outlet> {
  switch (place.kind) {
    case 'file':
      return ofDescriptor(openSync(place.path, 'w'), closeDescriptor)
    case 'device':
      return ofDescriptor(openSync(place.path, THROUGH), closeDescriptor)
    case 'fifo':
      return ofDescriptor(await openFifo(place.path), closeDescriptor)
    case 'socket':
      return await ofSocket(place.path)
    case 'descriptor':
      assertOpen(place.fd)
      if (place.fd === STDOUT) return ofStream(process.stdout)
      if (place.fd === STDERR) return ofStream(process.stderr)
      return ofDescriptor(place.fd)
  }
}

/** Throws EBADF unless `fd` is open, is written to, and is no inner thing of the runtime, which has no type at all. */
export function assertOpen(fd: number): void {
  const there = fstatSync(fd)
  const takesBytes = there.isFile() || there.isFIFO() || there.isSocket() || there.isCharacterDevice()
  if (!takesBytes && !there.isBlockDevice()) throw Object.assign(new Error('not a file'), { code: 'EBADF' })
  writeSync(fd, '')
}

function ofDescriptor(fd: number, end: (fd: number) => Promise<void> = async () => {}): Outlet {
  return { write: (text) => writeAll(fd, Buffer.from(text)), close: () => end(fd) }
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

function ofStream(stream: Writable, end: () => Promise<void> = async () => {}): Outlet {
  return {
    write: (text) =>
      new Promise((resolve, reject) => stream.write(text, (error) => (error ? reject(error) : resolve()))),
    close: end,
  }
}

async function ofSocket(path: string): Promise<Outlet> {
  const socket = connect(path)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  // What goes wrong from here on, the write that it stops tells.
  socket.on('error', () => {}).resume()
  return ofStream(socket, () => new Promise((resolve) => socket.end(() => resolve(void socket.destroy()))))
}

/** Waits for a reader, as a shell does. Opening would wait by itself, but keep the process from hearing Ctrl-C. */
async function openFifo(path: string): Promise<number> {
  const given = new AbortController()
  const giveUp = (): void => given.abort()
  process.once('SIGINT', giveUp).once('SIGTERM', giveUp)
  try {
    for (let told = false; !given.signal.aborted; told = true) {
      try {
        return openSync(path, THROUGH)
      } catch (error) {
        if (!hasCode(error, 'ENXIO')) throw error
      }
      if (!told) process.stderr.write(`kt: waiting for a reader of ${path}\n`)
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
