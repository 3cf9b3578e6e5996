/**
 * Many texts that are kept once, for the main thread and all that send: their bytes, and where each begins. A few
 * stand in shared memory, and whoever sends them has them at hand. More of them than that stand in a file of their
 * own, which has no name and goes with the process: each is read when it is sent, from the system's cache of files, so
 * that a large dataset takes no memory. That costs some 2 us a request.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/system-reason.ts'
import { randomFrom } from '../stats/random.ts'

/** More bytes than that go to a file. */
const IN_MEMORY = 4 * 1024 * 1024
const BLOCK = 1024 * 1024

/** Plain data that crosses a thread without a copy. */
export interface TextStore {
  /** Of each text: its first byte, and how many it has. */
  starts: Float64Array
  lengths: Uint32Array
  kept: { bytes: Uint8Array } | { file: number }
}

export class TextWriter {
  #lengths = new Uint32Array(1024)
  #count = 0
  #block = Buffer.allocUnsafe(BLOCK)
  #used = 0
  #flushed: Buffer[] = []
  #flushedBytes = 0
  #file: number | undefined

  get count(): number {
    return this.#count
  }

  add(text: string): void {
    const length = Buffer.byteLength(text)
    if (length > BLOCK - this.#used) this.#flush()
    if (length > BLOCK) this.#keep(Buffer.from(text))
    else this.#used += this.#block.write(text, this.#used)
    if (this.#count === this.#lengths.length) {
      const longer = new Uint32Array(2 * this.#count)
      longer.set(this.#lengths)
      this.#lengths = longer
    }
    this.#lengths[this.#count++] = length
  }

  finish(): TextStore {
    this.#flush()
    const lengths = new Uint32Array(new SharedArrayBuffer(4 * this.#count))
    lengths.set(this.#lengths.subarray(0, this.#count))
    const starts = new Float64Array(new SharedArrayBuffer(8 * this.#count))
    let at = 0
    for (let i = 0; i < lengths.length; i++) {
      starts[i] = at
      at += lengths[i] ?? 0
    }
    return { starts, lengths, kept: this.#file === undefined ? this.#share() : closeWhenUnused(this.#file) }
  }

  #flush(): void {
    const filled = this.#block.subarray(0, this.#used)
    if (this.#file === undefined) this.#block = Buffer.allocUnsafe(BLOCK)
    this.#used = 0
    this.#keep(filled)
  }

  #keep(bytes: Buffer): void {
    this.#flushedBytes += bytes.length
    if (this.#file === undefined) this.#flushed.push(bytes)
    else writeAll(this.#file, bytes)
    if (this.#file !== undefined || this.#flushedBytes <= IN_MEMORY) return
    this.#file = openNameless()
    for (const block of this.#flushed) writeAll(this.#file, block)
    this.#flushed = []
  }

  #share(): { bytes: Uint8Array } {
    const bytes = new Uint8Array(new SharedArrayBuffer(this.#flushedBytes))
    let at = 0
    for (const block of this.#flushed) {
      bytes.set(block, at)
      at += block.length
    }
    return { bytes }
  }
}

/**
 * In a process that makes many runs, each store gives its space back. Threads read for as long as it is in use here.
 */
const unused = new FinalizationRegistry<number>((file) => closeSync(file))

function closeWhenUnused(file: number): { file: number } {
  const kept = { file }
  unused.register(kept, file)
  return kept
}

/** Reads the text at a place of the store. */
export function textReader({ starts, lengths, kept }: TextStore): (place: number) => string {
  if ('bytes' in kept) {
    const { buffer, byteOffset, byteLength } = kept.bytes
    const bytes = Buffer.from(buffer, byteOffset, byteLength)
    return (place) => {
      const start = starts[place] ?? 0
      return bytes.toString('utf8', start, start + (lengths[place] ?? 0))
    }
  }
  let scratch = Buffer.allocUnsafe(BLOCK)
  return (place) => {
    const length = lengths[place] ?? 0
    if (length > scratch.length) scratch = Buffer.allocUnsafe(length)
    readAll(kept.file, scratch, length, starts[place] ?? 0)
    return scratch.toString('utf8', 0, length)
  }
}

/** So many places out of `count`, drawn without repetition and in a drawn order; all of them where there are fewer. */
export function drawPlaces(count: number, wanted: number, seed: number): Uint32Array {
  const random = randomFrom(seed)
  const places = Uint32Array.from({ length: count }, (_, i) => i)
  const drawn = Math.min(count, wanted)
  for (let i = 0; i < drawn; i++) {
    const other = i + Math.floor(random() * (count - i))
    const place = places[i] ?? 0
    places[i] = places[other] ?? 0
    places[other] = place
  }
  return places.slice(0, drawn)
}

/** The texts at these places, in their order; nothing of the texts is copied. */
export function pickTexts({ starts, lengths, kept }: TextStore, places: Uint32Array): TextStore {
  const picked = {
    starts: new Float64Array(new SharedArrayBuffer(8 * places.length)),
    lengths: new Uint32Array(new SharedArrayBuffer(4 * places.length)),
    kept,
  }
  places.forEach((place, i) => {
    picked.starts[i] = starts[place] ?? 0
    picked.lengths[i] = lengths[place] ?? 0
  })
  return picked
}

/** How many bytes the texts have; of those that were picked, their own. */
export function bytesOf({ lengths }: TextStore): number {
  let bytes = 0
  for (const length of lengths) bytes += length
  return bytes
}

/** The same texts in memory, for a machine that has no such file. */
export function heldInMemory(store: TextStore): TextStore {
  const { lengths, kept } = store
  if ('bytes' in kept) return store
  const bytes = Buffer.from(new SharedArrayBuffer(bytesOf(store)))
  const starts = new Float64Array(new SharedArrayBuffer(8 * lengths.length))
  let at = 0
  for (const [place, length] of lengths.entries()) {
    starts[place] = at
    readAll(kept.file, bytes.subarray(at, at + length), length, store.starts[place] ?? 0)
    at += length
  }
  return { starts, lengths, kept: { bytes } }
}

function openNameless(): number {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'kt-texts-'))
    try {
      return openSync(join(folder, 'texts'), 'wx+', 0o600)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  } catch (error) {
    throw noSpace(error)
  }
}

function writeAll(file: number, bytes: Buffer): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
  } catch (error) {
    closeSync(file)
    throw noSpace(error)
  }
}

function noSpace(error: unknown): UserError {
  return new UserError(
    `cannot keep the prompts in a file under ${tmpdir()}: ${systemReason(error)}`,
    'More than 4 MB of prompts are kept there: make space, or name another folder in TMPDIR.',
  )
}

function readAll(file: number, into: Buffer, length: number, start: number): void {
  for (let at = 0; at < length; ) {
    const read = readSync(file, into, at, length - at, start + at)
    if (read === 0) throw new Error('the file of prompts has become shorter')
    at += read
  }
}
