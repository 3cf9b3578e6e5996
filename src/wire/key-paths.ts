/**
 * Numbers for the keys of JSON: equal for the same key however it is written, and for no other key; and the paths that
 * keys form. A provider chooses its keys, so nothing may take one key for another: bytes are compared.
 */
import { unescapeJson } from './json.ts'
import { MAX_DEPTH } from './json-walk.ts'

/** The number of every key that was not given to `known`. */
const UNKNOWN = 0

/** No known key has a larger number. */
export const MAX_KEYS = 127
/** A power of two. */
const SLOTS = 1024
const ids = new Map<string, number>()
/** Numbers of known keys, each in the first free slot from its own on. */
const slots = new Uint8Array(SLOTS)
/** The bytes of the known keys in the order of their numbers, and where those of each end. */
const letters = new Uint8Array(MAX_KEYS * 32)
const ends = new Int32Array(MAX_KEYS + 1)

/** Gives a number to a key that has a meaning or occurs often. Called while modules load, before any key is read. */
export function known(name: string): number {
  const given = ids.get(name)
  if (given !== undefined) return given
  const bytes = Buffer.from(name)
  const id = ids.size + 1
  const start = ends[id - 1] ?? 0
  ids.set(name, id)
  letters.set(bytes, start)
  ends[id] = start + bytes.length
  let slot = slotOf(bytes, 0, bytes.length)
  while (slots[slot] !== UNKNOWN) slot = nextSlot(slot)
  slots[slot] = id
  return id
}

/** The number of the known key between `from` and `to`, or 0. `escaped`: it is written with backslashes. */
export function knownKey(bytes: Buffer, from: number, to: number, escaped: boolean): number {
  if (escaped) return ids.get(nameOf(bytes, from, to, escaped)) ?? UNKNOWN
  for (let slot = slotOf(bytes, from, to); ; slot = nextSlot(slot)) {
    const id = slots[slot] ?? UNKNOWN
    if (id === UNKNOWN || liesAt(id, bytes, from, to)) return id
  }
}

/**
 * The first slot to try, from what is cheap to read: the key's length and its ends. `liesAt` compares the whole key.
 */
function slotOf(bytes: Buffer, from: number, to: number): number {
  return (to - from + 7 * (bytes[from] ?? 0) + 31 * (bytes[to - 1] ?? 0)) & (SLOTS - 1)
}

function nextSlot(slot: number): number {
  return (slot + 1) & (SLOTS - 1)
}

function liesAt(id: number, bytes: Buffer, from: number, to: number): boolean {
  const start = ends[id - 1] ?? 0
  const length = to - from
  if ((ends[id] ?? 0) - start !== length) return false
  for (let i = 0; i < length; i++) if (bytes[from + i] !== letters[start + i]) return false
  return true
}

function nameOf(bytes: Buffer, from: number, to: number, escaped: boolean): string {
  const written = bytes.toString('utf8', from, to)
  return escaped ? unescapeJson(written) : written
}

/** The numbers of all keys of one stream: unknown keys are numbered as they come. */
export class KeyNumbers {
  readonly #others = new Map<string, number>()

  numberOf(bytes: Buffer, from: number, to: number, escaped: boolean): number {
    const name = nameOf(bytes, from, to, escaped)
    const given = ids.get(name) ?? this.#others.get(name)
    if (given !== undefined) return given
    const id = ids.size + this.#others.size + 1
    this.#others.set(name, id)
    return id
  }
}

/** One level for each depth at which an index may stand, one for the choice's index, and one for the event's type. */
export const TYPE_LEVEL = MAX_DEPTH + 2
const LEVELS = TYPE_LEVEL + 1

/** A path of keys: the same steps lead to the same object, other steps to another. */
export class KeyPath {
  readonly id: number
  readonly #next = new Map<number, KeyPath>()
  readonly #made: { count: number }

  constructor(made = { count: 0 }) {
    this.#made = made
    this.id = made.count++
  }

  /** `step`: the number of a key, or a step that is no key's number (0 or less). */
  to(step: number): KeyPath {
    const known = this.#next.get(step)
    if (known) return known
    const made = new KeyPath(this.#made)
    this.#next.set(step, made)
    return made
  }

  /** The step that an index makes at its level: no key's number, and no step of another level. */
  toIndex(index: number, level: number): KeyPath {
    return this.to(-(index * LEVELS + level))
  }
}
