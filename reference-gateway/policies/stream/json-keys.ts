/**
 * The keys of JSON as small numbers, equal for the same key however it is written and for no other, and the places that
 * keys lead to. A provider chooses its keys, so nothing here may take one for another: bytes are compared.
 */

/** The number of what `known` does not name. */
const UNKNOWN = 0

const MOST_KEYS = 127
/** A power of two. */
const SLOTS = 512
const ids = new Map<string, number>()
/** Numbers of known keys, each in the first free slot from its own on. */
const slots = new Uint8Array(SLOTS)
/** The bytes of the known keys in the order of their numbers, and where those of each end. */
const letters = new Uint8Array(MOST_KEYS * 32)
const ends = new Int32Array(MOST_KEYS + 1)

/** Gives a key that has a meaning, or comes often, its number. Called while modules load, before any key is read. */
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

/** From what of a key is quickly had: its length and its ends. Whether it is the key, `liesAt` tells. */
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

/** "r\u006fle" is the key "role". */
function nameOf(bytes: Buffer, from: number, to: number, escaped: boolean): string {
  const written = bytes.toString('utf8', from, to)
  if (!escaped) return written
  try {
    return String(JSON.parse(`"${written}"`))
  } catch {
    return written
  }
}

/** The numbers of all keys of one stream: those that nothing here knows are numbered as they come. */
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

/** A place in an event: the same steps lead to the same object, other steps to another. */
export class Place {
  readonly id: number
  readonly #next = new Map<number, Place>()
  readonly #made: { count: number }

  constructor(made = { count: 0 }) {
    this.#made = made
    this.id = made.count++
  }

  /** `step`: the number of a key, or whatever is no such number (0 or less). */
  to(step: number): Place {
    const known = this.#next.get(step)
    if (known) return known
    const made = new Place(this.#made)
    this.#next.set(step, made)
    return made
  }
}
