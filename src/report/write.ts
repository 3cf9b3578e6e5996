/**
 * The one way to write a file that a user names. A reader never sees half of a regular file: it is written aside, then
 * renamed. What is not a regular file is written through, and nothing that the name stands for is replaced: a link
 * stays a link, a device a device.
 */
import { randomUUID } from 'node:crypto'
import { accessSync, chmodSync, chownSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/file.ts'
import { assertOpen, type OpenPlace, openOutlet } from './outlet.ts'
import { placeOf, STDOUT } from './place.ts'
import type { BenchReport } from './schema.ts'

/** Finds out before a run whether `path` can be written after it. A FIFO is not opened: its reader would see an end. */
export function assertWritable(path: string, flag = '--output'): void {
  const place = placeToWrite(path, flag)
  try {
    if (place.kind === 'file') probe(place.path)
    else if (place.kind === 'descriptor') assertOpen(place.fd)
    else accessSync(path, constants.W_OK)
  } catch (error) {
    throw unwritable(path, error, flag)
  }
}

export async function writeOutput(path: string, text: string, flag = '--output'): Promise<void> {
  const place = placeToWrite(path, flag)
  try {
    if (place.kind === 'file') replace(place.path, text)
    else await writeThrough(place, text)
  } catch (error) {
    throw unwritable(path, error, flag)
  }
}

/** A folder is refused, and so is a path that leads nowhere. */
export function placeToWrite(path: string, flag = '--output'): OpenPlace {
  try {
    const place = placeOf(path)
    if (place.kind === 'folder') throw Object.assign(new Error('a folder'), { code: 'EISDIR' })
    return place
  } catch (error) {
    throw unwritable(path, error, flag)
  }
}

export function isStdout(path: string, flag?: string): boolean {
  const place = placeToWrite(path, flag)
  return place.kind === 'descriptor' && place.fd === STDOUT
}

export function unwritable(path: string, error: unknown, flag: string): UserError {
  if (error instanceof UserError) return error
  return new UserError(
    `cannot write ${path === '-' ? 'stdout' : path}: ${systemReason(error)}`,
    `Give ${flag} a path in a folder that exists, can be written and has room.`,
  )
}

async function writeThrough(place: OpenPlace, text: string): Promise<void> {
  const outlet = await openOutlet(place)
  try {
    await outlet.write(text)
  } finally {
    await outlet.close()
  }
}

function probe(path: string): void {
  const former = formerFile(path)
  const half = aside(path)
  try {
    writeFileSync(half, '', { flag: 'wx' })
  } catch (error) {
    if (!former || !isFixed(error)) throw error
  } finally {
    rmSync(half, { force: true })
  }
}

function replace(path: string, text: string): void {
  const former = formerFile(path)
  const half = aside(path)
  try {
    // What the former file kept to its owner is open to nobody else meanwhile.
    writeFileSync(half, text, { flag: 'wx', mode: former ? 0o600 : 0o666 })
    if (former) takeAfter(half, former)
    renameSync(half, path)
  } catch (error) {
    rmSync(half, { force: true })
    if (!former || !isFixed(error)) throw error
    writeFileSync(path, text)
  }
}

interface Former {
  mode: number
  uid: number
  gid: number
}

/** A rename would also replace a file that may not be written: that is asked first. */
function formerFile(path: string): Former | undefined {
  const former = statSync(path, { throwIfNoEntry: false })
  if (former) accessSync(path, constants.W_OK)
  return former
}

function takeAfter(path: string, { mode, uid, gid }: Former): void {
  try {
    chownSync(path, uid, gid)
  } catch {
    // Only root can give a file away; all else of it is kept.
  }
  chmodSync(path, mode & 0o7777)
}

/** The file may be written, but its folder not, or it is a mount of its own: its content alone can change. */
function isFixed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS', 'EBUSY'].includes(String(error.code))
}

/** A name of its own length and not to be guessed: one that is long or planted would not do. */
function aside(path: string): string {
  return join(dirname(path), `.kt-${randomUUID()}.part`)
}

/** One report with two arms as two reports with one each, which keep the pair's id: what `--split` writes and compare takes apart. */

/** Undefined when the report holds one arm. The series, which both arms share, goes to neither. */
export function splitReport(report: BenchReport): { baseline: BenchReport; gateway: BenchReport } | undefined {
  const { baseline } = report.arms
  if (!baseline) return undefined
  const { name, url, role, ...figures } = baseline
  // They are of the first arm.
  const { categories: _c, slo: _s, ...shared } = report
  const { pairId, mode, pairing, primary } = report.arms
  const turns = { pairId, mode, ...(pairing ? { pairing } : {}) }
  const blocksOf = (arm: typeof name) => report.blocks.filter((block) => block.arm === arm)
  const { gateway: _, ...target } = report.target
  const named = baseline.signals?.gateway
  return {
    baseline: {
      ...shared,
      ...figures,
      target: {
        ...target,
        url,
        role: role ?? (name === 'direct' ? 'direct' : named ? 'gateway' : 'unknown'),
        ...(named ? { gateway: named } : {}),
      },
      arms: { ...turns, primary: name },
      blocks: blocksOf(name),
      series: [],
      gate: null,
    },
    gateway: {
      ...report,
      arms: { ...turns, primary, baselineUrl: url },
      blocks: blocksOf(primary),
      series: [],
      gate: null,
    },
  }
}
