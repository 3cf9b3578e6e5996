/**
 * The one way to write a file that a user names. A regular file is written to a temporary name and then renamed, so
 * that a reader never sees half of it. Anything else (device, FIFO, socket, descriptor) gets the bytes directly, and
 * nothing that the name stands for is replaced: a link stays a link, a device a device.
 */
import { randomUUID } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/system-reason.ts'
import { resolveOutputTarget, STDOUT } from './output-target.ts'
import { assertOpen, openOutputWriter, type WritableTarget } from './output-writer.ts'

/**
 * Finds out before a run whether `path` can be written after it. A FIFO is not opened: its reader would see the end
 * of file.
 */
export function assertWritable(path: string, flag = '--output'): void {
  const target = resolveWritableTarget(path, flag)
  try {
    switch (target.kind) {
      case 'file':
        probe(target.path)
        break
      case 'descriptor':
        assertOpen(target.fd)
        break
      case 'device':
      case 'fifo':
      case 'socket':
        accessSync(path, constants.W_OK)
        break
      default:
        target satisfies never
    }
  } catch (error) {
    throw unwritable(path, error, flag)
  }
}

export async function writeOutput(path: string, content: string | Uint8Array, flag = '--output'): Promise<void> {
  const target = resolveWritableTarget(path, flag)
  try {
    if (target.kind === 'file') replace(target.path, content)
    else await writeThrough(target, content)
  } catch (error) {
    throw unwritable(path, error, flag)
  }
}

const BEGINNING_BYTES = 200

/** Says so where a report will replace a file that holds something else: a name may be mistyped. */
export function noteForeign(path: string, note: (line: string) => void): void {
  const target = resolveWritableTarget(path)
  if (target.kind !== 'file') return
  const beginning = beginningOf(target.path)
  if (beginning === '' || /"schema":\s*"kt\./.test(beginning)) return
  note(`kt: ${path} is there and holds no report of kt: it is replaced at the end`)
}

/** '' where there is no file, or nothing in it. */
function beginningOf(path: string): string {
  const buffer = Buffer.alloc(BEGINNING_BYTES)
  try {
    const fd = openSync(path, 'r')
    try {
      return buffer.toString('utf8', 0, readSync(fd, buffer))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}

/** Writes a file that must not be there yet. */
export function writeNewFile(path: string, text: string): void {
  try {
    const fd = openSync(path, 'wx')
    try {
      writeFileSync(fd, text)
    } catch (error) {
      // Half a file would be taken for one that is there already.
      rmSync(path, { force: true })
      throw error
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    const there = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    throw new UserError(
      there ? `${path} is there already, and is not replaced` : `cannot write ${path}: ${systemReason(error)}`,
      there ? 'Give another name, or move it away.' : 'Give a path in a folder that exists and can be written.',
    )
  }
}

/** Refuses a folder, and a path that leads nowhere. */
export function resolveWritableTarget(path: string, flag = '--output'): WritableTarget {
  try {
    const target = resolveOutputTarget(path)
    if (target.kind === 'folder') throw Object.assign(new Error('a folder'), { code: 'EISDIR' })
    return target
  } catch (error) {
    throw unwritable(path, error, flag)
  }
}

export function isStdout(path: string, flag?: string): boolean {
  const target = resolveWritableTarget(path, flag)
  return target.kind === 'descriptor' && target.fd === STDOUT
}

export function unwritable(path: string, error: unknown, flag: string): UserError {
  if (error instanceof UserError) return error
  return new UserError(
    `cannot write ${path === '-' ? 'stdout' : path}: ${systemReason(error)}`,
    `Give ${flag} a path in a folder that exists, can be written and has room.`,
  )
}

async function writeThrough(target: WritableTarget, content: string | Uint8Array): Promise<void> {
  const writer = await openOutputWriter(target)
  try {
    await writer.write(content)
  } finally {
    await writer.close()
  }
}

function probe(path: string): void {
  const former = formerFile(path)
  const temporary = temporaryName(path)
  try {
    writeFileSync(temporary, '', { flag: 'wx' })
  } catch (error) {
    if (!former || !isFixed(error)) throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}

function replace(path: string, content: string | Uint8Array): void {
  const former = formerFile(path)
  const temporary = temporaryName(path)
  try {
    // A new file takes over the mode of the former one only below: until then nobody but the owner may read it.
    writeFileSync(temporary, content, { flag: 'wx', mode: former ? 0o600 : 0o666 })
    if (former) copyOwnership(temporary, former)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    if (!former || !isFixed(error)) throw error
    writeFileSync(path, content)
  }
}

interface Former {
  mode: number
  uid: number
  gid: number
}

/** The rename would replace even a file that may not be written, so the permission is asked first. */
function formerFile(path: string): Former | undefined {
  const former = statSync(path, { throwIfNoEntry: false })
  if (former) accessSync(path, constants.W_OK)
  return former
}

function copyOwnership(path: string, { mode, uid, gid }: Former): void {
  try {
    chownSync(path, uid, gid)
  } catch {
    // Only root can give a file away. The mode is kept all the same.
  }
  chmodSync(path, mode & 0o7777)
}

/** The file may be written but not its folder, or the file is a mount: only its content can change. */
function isFixed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS', 'EBUSY'].includes(String(error.code))
}

/**
 * A temporary name beside the file. It is random, so that nobody can plant it, and short, whatever the length of the
 * name.
 */
function temporaryName(path: string): string {
  return join(dirname(path), `.kt-${randomUUID()}.part`)
}
