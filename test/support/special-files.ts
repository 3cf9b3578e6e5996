/** Files that are no regular ones, made in a test's own folder. Devices and disks take root. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const posix = process.platform !== 'win32'
export const isRoot = process.getuid?.() === 0

export function mkfifo(path: string): string {
  execFileSync('mkfifo', [path])
  return path
}

/** Minor numbers of Linux's memory devices: what is written to one is dropped, or meets a full disk. */
const MEMORY = { null: 3, full: 7 }

export function mknod(path: string, device: keyof typeof MEMORY): string {
  execFileSync('mknod', [path, 'c', '1', String(MEMORY[device])])
  return path
}

/** Whether devices can be made here and open: some containers take even that from root. */
export const canMakeDevices =
  process.platform === 'linux' &&
  isRoot &&
  works((folder) => {
    execFileSync('sh', ['-c', 'mknod "$0" c 1 3 && echo > "$0"', join(folder, 'null')], { stdio: 'ignore' })
  })

export const canMount =
  process.platform === 'linux' && isRoot && works((folder) => smallDisk(join(folder, 'disk')).remove())

/** A disk of 8 KB. */
export function smallDisk(folder: string): { remove(): void } {
  mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', folder], { stdio: 'ignore' })
  return { remove: () => void execFileSync('umount', [folder]) }
}

function works(attempt: (folder: string) => void): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'kt-special-'))
  try {
    attempt(folder)
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
