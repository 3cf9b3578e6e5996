/**
 * What the provider really did, one record a nonce and attempt, on the host's monotonic clock; kt joins it with its own
 * record after a run. Bounded: the oldest records make room, and a nonce is forgotten with its last record.
 */
import type { Fault } from './faults.ts'

export interface TruthRecord {
  readonly nonce: string
  /** 1 the first time a nonce is seen; above 1 something between kt and the provider retried. */
  readonly attempt: number
  /** The number of the connection that it came on: what lies in front opens one for many requests, or one for each. */
  readonly connection: number
  /** The request's last body byte. */
  readonly receivedUs: number
  /** The instants just before the first and the latest write; null before there was one. */
  firstWriteUs: number | null
  lastWriteUs: number | null
  /** Content tokens written so far. */
  tokens: number
  /** null until the answer has begun. */
  status: number | null
  readonly stream: boolean
  /** The client left before the answer was whole. */
  aborted: boolean
  /** What went wrong on purpose. */
  fault: Fault | null
}

const CAPACITY = 200_000
const RECORDS_A_CHUNK = 500

export class TruthLog {
  readonly #capacity: number
  #ring: TruthRecord[] = []
  #next = 0
  #attempts = new Map<string, number>()

  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity
  }

  begin(nonce: string, connection: number, receivedUs: number, stream: boolean): TruthRecord {
    const attempt = (this.#attempts.get(nonce) ?? 0) + 1
    this.#attempts.set(nonce, attempt)
    const record: TruthRecord = {
      nonce,
      attempt,
      connection,
      receivedUs,
      firstWriteUs: null,
      lastWriteUs: null,
      tokens: 0,
      status: null,
      stream,
      aborted: false,
      fault: null,
    }
    const oldest = this.#ring[this.#next]
    if (oldest && this.#attempts.get(oldest.nonce) === oldest.attempt) this.#attempts.delete(oldest.nonce)
    this.#ring[this.#next] = record
    this.#next = (this.#next + 1) % this.#capacity
    return record
  }

  /** Oldest first. */
  records(): TruthRecord[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)]
  }

  /** NDJSON in pieces of some hundred records, for a reader that takes its time. */
  *ndjson(): Generator<string> {
    const records = this.records()
    for (let from = 0; from < records.length; from += RECORDS_A_CHUNK) {
      const lines = records.slice(from, from + RECORDS_A_CHUNK).map((record) => JSON.stringify(record))
      yield `${lines.join('\n')}\n`
    }
  }

  clear(): void {
    this.#ring = []
    this.#next = 0
    this.#attempts = new Map()
  }
}
