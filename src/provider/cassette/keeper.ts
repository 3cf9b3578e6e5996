/**
 * Writes a cassette: a line for each answer that is whole, appended in one write, so that whatever ends the process
 * leaves a file that is good up to its last whole line. What an earlier end left of a line is cut away first.
 */
import { isUtf8 } from 'node:buffer'
import { existsSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import { systemReason } from '../../parse/system-reason.ts'
import { CASSETTE, type CassetteHead, type RecordedAnswer, type RecordedChunk, readCassette } from './cassette.ts'

export class CassetteKeeper {
  /** Answers in the file that were there before. */
  readonly before: number
  readonly notes: readonly string[]
  kept = 0
  /** Why the file takes no more. */
  fault: UserError | undefined
  readonly #path: string
  readonly #file: FileHandle
  #bytes: number
  /** One write after another. */
  #last: Promise<void> = Promise.resolve()

  private constructor(path: string, file: FileHandle, found: { bytes: number; answers: number; notes: string[] }) {
    this.#path = path
    this.#file = file
    this.#bytes = found.bytes
    this.before = found.answers
    this.notes = found.notes
  }

  /** Goes on with the cassette at `path`, or begins one. */
  static async open(path: string, head: Omit<CassetteHead, 'schema'>): Promise<CassetteKeeper> {
    try {
      const found = findCassette(path)
      const file = await open(path, 'a')
      const keeper = new CassetteKeeper(path, file, found)
      if (found.notes.length > 0) await file.truncate(found.bytes)
      if (found.bytes === 0) await keeper.#append(JSON.stringify({ schema: CASSETTE, ...head }))
      if (keeper.fault) throw keeper.fault
      return keeper
    } catch (error) {
      throw error instanceof UserError ? error : unwritable(path, error)
    }
  }

  /** Resolves when the system has the line, or `fault` says why not. */
  add(answer: RecordedAnswer): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (this.fault) return
      await this.#append(JSON.stringify(answer))
      if (!this.fault) this.kept++
    })
    return this.#last
  }

  async close(): Promise<void> {
    await this.#last
    await this.#file.close().catch((error) => {
      this.fault ??= unwritable(this.#path, error)
    })
  }

  async #append(line: string): Promise<void> {
    const bytes = Buffer.from(`${line}\n`)
    try {
      await this.#file.appendFile(bytes)
      this.#bytes += bytes.length
    } catch (error) {
      this.fault = unwritable(this.#path, error)
      // A disk that is full has taken a part of it.
      await this.#file.truncate(this.#bytes).catch(() => undefined)
    }
  }
}

function findCassette(path: string): { bytes: number; answers: number; notes: string[] } {
  const nothing = { bytes: 0, answers: 0, notes: [] }
  if (!existsSync(path)) return nothing
  const { size } = statSync(path)
  if (size === 0) return nothing
  const { answers, wholeBytes, notes } = readCassette(path, false)
  return { bytes: wholeBytes, answers: answers.length, notes }
}

function unwritable(path: string, error: unknown): UserError {
  return new UserError(
    `--output: cannot write ${path}: ${systemReason(error)}`,
    'Give a file in a folder that can be written to.',
  )
}

/** A piece of a body as it stands in a cassette: text where it is UTF-8. */
export function writeChunk(ms: number, bytes: Buffer): RecordedChunk {
  return isUtf8(bytes) ? { ms, text: bytes.toString() } : { ms, base64: bytes.toString('base64') }
}
