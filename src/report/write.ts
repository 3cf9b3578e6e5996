/** Writes a report so that a reader never sees half of one: a temporary file beside it, then a rename. */
import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/file.ts'

/** Finds out before a run whether `path` can be written after it. */
export function assertWritable(path: string, flag = '--output'): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw unwritable(path, 'it is a folder', flag)
    const probe = temporary(path)
    closeSync(openSync(probe, 'w'))
    rmSync(probe)
  } catch (error) {
    throw error instanceof UserError ? error : unwritable(path, systemReason(error), flag)
  }
}

export function writeAtomically(path: string, text: string, flag = '--output'): void {
  const half = temporary(path)
  try {
    writeFileSync(half, text)
    renameSync(half, path)
  } catch (error) {
    rmSync(half, { force: true })
    throw unwritable(path, systemReason(error), flag)
  }
}

function temporary(path: string): string {
  return `${path}.${process.pid}.part`
}

function unwritable(path: string, reason: string, flag: string): UserError {
  return new UserError(
    `cannot write ${path}: ${reason}`,
    `Give ${flag} a path in a folder that exists and can be written.`,
  )
}
