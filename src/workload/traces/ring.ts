/**
 * The rows of a trace on their way from the thread that reads it to the threads that send: a ring of typed arrays in
 * shared memory. The reader writes ahead of the senders and waits where the ring is full, so that memory does not grow
 * with the file. A sender writes back when a row's request left. Requests in no figure (the warm-up) and those that are
 * asked again take the sizes of any row that is there.
 */
export const RING_ROWS = 65_536
export const RING_IDS = 1_048_576
/** More hashes than come at once: in a piece of a file, or an answer to a fleet worker, with the longest prompt. */
const IDS_AT_ONCE = 262_144
/** A gateway and its baseline have a place each, also where one of them is there alone. */
const FEWEST_ARMS = 2
/** Threads of this machine, or the workers of a fleet. */
const MOST_WORKERS = 16_384
/** Places in the head; those of the workers follow. */
const [WRITTEN, STATE, BLOCK_TOKENS, ID_COUNT, TAKEN] = [0, 1, 2, 3, 4]
const [OVER, FAILED] = [1, 2]

/** Plain data that crosses to the sending threads. */
export interface TraceRing {
  memory: SharedArrayBuffer
}

const BYTES = {
  head: 4 * (TAKEN + MOST_WORKERS),
  due: 8 * (1 + RING_ROWS),
  sizes: 4 * RING_ROWS * 4,
  ids: 4 * RING_IDS,
  leftOfAnArm: 8 * RING_ROWS,
}
/** What an arm adds comes last, so that the length of the memory tells how many there are. */
const BEFORE_LEFT = BYTES.head + BYTES.due + BYTES.sizes + BYTES.ids

/** `arms`: those whose times are written back. */
export function createRing(arms = FEWEST_ARMS): TraceRing {
  // The pages of what is never written are never there.
  return { memory: new SharedArrayBuffer(BEFORE_LEFT + Math.max(FEWEST_ARMS, arms) * BYTES.leftOfAnArm) }
}

/** One thread's view of the ring. */
export class RingRows {
  readonly #head: Int32Array
  /** When the trace ends, and for each row when it is due. */
  readonly #due: Float64Array
  /** For each row and arm when its request left; NaN before. */
  readonly #left: Float64Array
  /** For each row its input and output tokens, where its hashes begin, and how many they are. */
  readonly #sizes: Uint32Array
  readonly #ids: Uint32Array
  /** Arms whose times are written back. */
  readonly arms: number

  constructor({ memory }: TraceRing) {
    const { head, due, sizes } = BYTES
    this.#head = new Int32Array(memory, 0, TAKEN + MOST_WORKERS)
    this.#due = new Float64Array(memory, head, 1 + RING_ROWS)
    this.#sizes = new Uint32Array(memory, head + due, RING_ROWS * 4)
    this.#ids = new Uint32Array(memory, head + due + sizes, RING_IDS)
    this.#left = new Float64Array(memory, BEFORE_LEFT)
    this.arms = this.#left.length / RING_ROWS
  }

  /** Rows that were written so far. */
  get written(): number {
    return Atomics.load(this.#head, WRITTEN)
  }

  /** No further rows come. */
  get over(): boolean {
    return Atomics.load(this.#head, STATE) !== 0
  }

  /** The trace was found to be faulty. */
  get failed(): boolean {
    return Atomics.load(this.#head, STATE) === FAILED
  }

  /** Once it is over: when one more request would have been due. */
  get endUs(): number {
    return this.#due[0] ?? 0
  }

  /** When row `row` is due; NaN where it is not there yet, or never will be. Of a faulty trace no further row is. */
  dueUs(row: number): number {
    const due = row < this.written && Atomics.load(this.#head, STATE) !== FAILED
    return due ? (this.#due[1 + (row % RING_ROWS)] ?? Number.NaN) : Number.NaN
  }

  /** The first row that worker `worker` still needs; it may not be there yet. */
  takenBy(worker: number): number {
    return Atomics.load(this.#head, TAKEN + worker)
  }

  /** Whether hashes that come at once have a place, and those of row `row` and after it keep theirs. */
  hasRoomForIds(row: number): boolean {
    if (row >= this.written) return true
    const begin = this.#sizes[this.#place(row) * 4 + 2] ?? 0
    const held = (Atomics.load(this.#head, ID_COUNT) - begin + RING_IDS) % RING_IDS
    return held <= RING_IDS - IDS_AT_ONCE
  }

  /** Worker `worker` needs no row before this one any longer. */
  take(row: number, worker: number): void {
    Atomics.store(this.#head, TAKEN + worker, row)
  }

  /** The request of this row left. */
  left(arm: number, row: number, atUs: number): void {
    this.#left[arm * RING_ROWS + (row % RING_ROWS)] = atUs
  }

  leftAtUs(arm: number, row: number): number {
    return this.#left[arm * RING_ROWS + (row % RING_ROWS)] ?? Number.NaN
  }

  inputTokens(index: number): number {
    return this.#sizes[this.#place(index) * 4] ?? 0
  }

  outputTokens(index: number): number {
    return this.#sizes[this.#place(index) * 4 + 1] ?? 0
  }

  get blockTokens(): number {
    return Atomics.load(this.#head, BLOCK_TOKENS)
  }

  idCount(index: number): number {
    return this.#sizes[this.#place(index) * 4 + 3] ?? 0
  }

  id(index: number, number: number): number {
    const begin = this.#sizes[this.#place(index) * 4 + 2] ?? 0
    return this.#ids[(begin + number) % RING_IDS] ?? 0
  }

  /** The first row that some of `workers` still needs. */
  taken(workers: number): number {
    let least = this.written
    for (let worker = 0; worker < workers; worker++) {
      least = Math.min(least, this.takenBy(worker))
    }
    return least
  }

  write(dueUs: number, input: number, output: number, ids: ArrayLike<number> | undefined, blockTokens: number): void {
    const row = this.written
    const place = row % RING_ROWS
    const count = ids ? Math.min(ids.length, Math.ceil(input / Math.max(1, blockTokens)), RING_IDS) : 0
    const begin = Atomics.load(this.#head, ID_COUNT)
    for (let i = 0; i < count; i++) this.#ids[(begin + i) % RING_IDS] = ids?.[i] ?? 0
    this.#due[1 + place] = dueUs
    this.#sizes.set([input, output, begin, count], place * 4)
    for (let arm = 0; arm < this.arms; arm++) this.#left[arm * RING_ROWS + place] = Number.NaN
    Atomics.store(this.#head, BLOCK_TOKENS, blockTokens)
    Atomics.store(this.#head, ID_COUNT, (begin + count) % RING_IDS)
    Atomics.store(this.#head, WRITTEN, row + 1)
  }

  end(atUs: number): void {
    this.#due[0] = atUs
    Atomics.store(this.#head, STATE, OVER)
  }

  fail(): void {
    Atomics.store(this.#head, STATE, FAILED)
  }

  /** The place of request `index`, or of some other one where that is not there. */
  #place(index: number): number {
    const { written } = this
    return index % Math.max(1, Math.min(written, RING_ROWS))
  }
}
