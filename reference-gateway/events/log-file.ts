/**
 * A file of lines, such as events, one JSON object each. A file that would grow past max_size becomes <path>.1,
 * <path>.1 becomes <path>.2, and so on up to max_files. Where the path is a link, the file is renamed and not the
 * link. A named pipe works as well: it is written without blocking and never rotated. A descriptor of the process,
 * such as /dev/stdout, is never rotated either.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, realpath, rename, rm } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { systemReason } from '../../src/parse/system-reason.ts'
import type { FileConfig } from '../config/config-file.ts'

const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK
const DESCRIPTOR = /^\/(?:dev|proc)\//
/** How often a write to a full pipe is repeated. */
const PIPE_FULL_MS = 50

export class LogFile {
  readonly #config: FileConfig
  /** For reports. */
  readonly #name: string
  readonly #report: (problem: string) => void
  #handle: FileHandle | undefined
  #bytes = 0
  #rotates = false
  /** The file that the configured path leads to. */
  #file = ''
  #problem = ''
  #closed = false

  constructor(config: FileConfig, name: string, report: (problem: string) => void) {
    this.#config = config
    this.#name = name
    this.#report = report
  }

  async append(lines: Buffer): Promise<void> {
    try {
      if (this.#rotates && this.#bytes > 0 && this.#bytes + lines.length > this.#config.max_size) await this.#rotate()
      const handle = this.#handle ?? (await this.#open())
      await this.#write(handle, lines)
      this.#bytes += lines.length
      this.#tell('')
    } catch (error) {
      this.#tell(`${this.#name} ${this.#config.path}: ${systemReason(error)}`)
      await this.#shut()
      throw error
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#shut()
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.#config.path, APPEND, 0o600)
    const stat = await handle.stat()
    this.#handle = handle
    this.#bytes = stat.size
    this.#rotates = stat.isFile() && !DESCRIPTOR.test(this.#config.path)
    if (this.#rotates) this.#file = await realpath(this.#config.path)
    return handle
  }

  async #write(handle: FileHandle, lines: Buffer): Promise<void> {
    for (let written = 0; written < lines.length; ) {
      try {
        written += (await handle.write(lines, written)).bytesWritten
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || this.#closed) throw error
        await wait(PIPE_FULL_MS, undefined, { ref: false })
      }
    }
  }

  async #rotate(): Promise<void> {
    await this.#shut()
    const path = this.#file
    const most = this.#config.max_files
    await rm(`${path}.${most}`, { force: true })
    for (let n = most - 1; n >= 0; n--) {
      await rename(n === 0 ? path : `${path}.${n}`, `${path}.${n + 1}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
    }
  }

  async #shut(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close().catch(() => {})
  }

  /** Reports each change of the problem once. */
  #tell(problem: string): void {
    if (problem !== this.#problem && problem !== '') this.#report(`${problem}; lines are dropped, trying again`)
    this.#problem = problem
  }
}
