/**
 * What a fleet worker hands over: its results, in their order, each sent again until the stream of the run has it.
 * Every result has a number, so that the broker and the coordinator take it once however often it is sent.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Link } from './link.ts'
import * as protocol from './protocol.ts'

/** Longer each time: a broker that thousands send to at once has more to do the more often they send again. */
export const KEPT_WITHIN_MS = 2_000
export const KEPT_WITHIN_MOST_MS = 16_000
export const RETRY_MS = 200
/** A result that the broker does not take for so long is given up. */
const KEEP_TRYING_MS = 600_000
/** Left of the broker's largest message for what goes around a piece. */
const AROUND = 4_096

export class Outbox {
  readonly #link: Link
  readonly #of: { run: string; index: number }
  readonly #isReleased: () => boolean
  readonly #giveUp: (why: string) => void
  #kept: Promise<unknown> = Promise.resolve()
  #sent = 0

  /** After `isReleased` nobody wants results any longer. */
  constructor(
    link: Link,
    of: { run: string; index: number },
    isReleased: () => boolean,
    giveUp: (why: string) => void,
  ) {
    this.#link = link
    this.#of = of
    this.#isReleased = isReleased
    this.#giveUp = giveUp
  }

  put(result: protocol.WorkerResult): void {
    const { run, index } = this.#of
    const number = this.#sent++
    const most = (this.#link.nc.info?.max_payload ?? 2 ** 20) - AROUND
    const all = [...protocol.pieces(protocol.write(result), most)]
    const subject = protocol.SUBJECTS.results(run, index)
    this.#kept = this.#kept.then(async () => {
      for (const [part, bytes] of all.entries()) {
        const msgID = `${run}.${index}.${number}.${part}`
        const piece = protocol.write({ number, part, parts: all.length, bytes })
        await this.#keepTrying((timeout) => this.#link.js.publish(subject, piece, { msgID, timeout }))
      }
    })
  }

  /** A result is still being made. */
  awaits(result: Promise<unknown>): void {
    this.#kept = Promise.all([this.#kept, result])
  }

  /** All of it is kept, what came in meanwhile too. */
  async handedOver(): Promise<void> {
    for (let last: unknown; last !== this.#kept; ) {
      last = this.#kept
      await this.#kept
    }
  }

  async #keepTrying(attempt: (timeoutMs: number) => Promise<unknown>): Promise<void> {
    const untilMs = performance.now() + KEEP_TRYING_MS
    let timeoutMs = KEPT_WITHIN_MS
    while (!this.#isReleased() && performance.now() < untilMs) {
      try {
        await attempt(timeoutMs)
        return
      } catch {
        timeoutMs = Math.min(2 * timeoutMs, KEPT_WITHIN_MOST_MS)
        await sleep(RETRY_MS)
      }
    }
    // Without its results the worker is lost to the run, and says so by its silence.
    if (!this.#isReleased()) this.#giveUp('the broker took no results')
  }
}
