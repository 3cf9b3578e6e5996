/**
 * What the name of an output file stands for. Links are followed to what they lead to, because a write must replace
 * neither a link nor a device.
 */
import { readlinkSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'

export type OutputTarget =
  /** A regular file, or a name that is still free: the end of all links. */
  | { kind: 'file'; path: string }
  /** A descriptor that is open already: '-', /dev/stdout, /dev/fd/3, /proc/self/fd/3. */
  | { kind: 'descriptor'; fd: number }
  | { kind: 'fifo' | 'device' | 'socket'; path: string }
  | { kind: 'folder' }

export const STDOUT = 1
export const STDERR = 2

/** Throws the system's error where the path cannot be followed. */
export function resolveOutputTarget(path: string): OutputTarget {
  if (path === '-') return { kind: 'descriptor', fd: STDOUT }
  // statSync must throw for an empty name, which is not the name of a new file.
  const there = statSync(path, { throwIfNoEntry: path === '' })
  if (there?.isDirectory() || path.endsWith('/')) return { kind: 'folder' }
  const end = follow(path)
  if (typeof end === 'number') return { kind: 'descriptor', fd: end }
  if (there === undefined || there.isFile()) return { kind: 'file', path: end }
  return { kind: specialKind(there), path }
}

function specialKind(there: Stats): 'fifo' | 'device' | 'socket' {
  if (there.isFIFO()) return 'fifo'
  return there.isSocket() ? 'socket' : 'device'
}

/**
 * The end of the links, or the descriptor they lead to. realpath cannot do it: it fails where the end does not exist
 * yet, and it resolves /dev/stdout to the file behind it. Links in a circle were refused by statSync before.
 */
function follow(path: string): string | number {
  for (let next = path; ; ) {
    const folder = realpathSync(dirname(next))
    const name = basename(next)
    if (holdsDescriptors(folder) && /^\d+$/.test(name)) return Number(name)
    const end = join(folder, name)
    const link = linkAt(end)
    if (link === undefined) return end
    next = isAbsolute(link) ? link : `${folder}/${link}`
  }
}

/** /dev/fd is a link to /proc/self/fd on Linux, and a folder of its own elsewhere. */
function holdsDescriptors(folder: string): boolean {
  return folder === '/dev/fd' || folder.replace(/\/task\/\d+/, '') === `/proc/${process.pid}/fd`
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
