/**
 * One stretch of uninterrupted load on one arm: asks the schedule what is due, releases it into free slots, and ends when all
 * that was sent has ended. Closed and open loop, think time, ramps and the cool-down are parameters of this loop, never copies
 * of it. A request that is due but finds no free slot waits, and its wait counts: `intended` is when it was due (open loop) or
 * when its slot became free (closed loop).
 */

import { interleave, shareOfBlocks } from '../schedule/blocks.ts'
import type { Clock } from '../system/clock.ts'
import type { Pacing } from './pacing.ts'
import type { PhasePlan, RunPlan } from './plan.ts'

/** A request as the schedule released it. */
export interface ReleasedRequest {
  /** The how-many-th of the stretch. */
  index: number
  /** After the start of the stretch. */
  dueUs: number
  intendedUs: number
  /** False in the cool-down, and for the first request of a rested connection: sent for the load it makes, and left out. */
  measured: boolean
  /** It was due before there was a slot for it. */
  waited: boolean
  /** The waker called for it, and for none before it. */
  woken: boolean
}

export interface LoadPhaseHost {
  clock: Clock
  wakeAt(us: number): void
  /** How long before it is due a request is to be sent, to be ready for its socket when it is. */
  sendLeadTimeUs(): number
  stopped(): boolean
  /** Sends it, not before `nowUs`; the stretch must hear of its end through `freed`. It may be sent and left out: `measured` says so after. */
  send(released: ReleasedRequest, nowUs: number): void
  /** Due, and the run is over before it found a slot. */
  neverSent(released: ReleasedRequest, atUs: number): void
}

export class LoadPhase {
  /** When the last measured request was to leave, and left; what was in flight may take until `drainUntilUs`. */
  offeredUs = 0
  achievedUs = 0
  drainUntilUs = Number.POSITIVE_INFINITY
  mostInFlight = 0
  /** When the first request that counts was sent; Infinity before. */
  measuredFromUs = Number.POSITIVE_INFINITY
  /** How many have ended. */
  answered = 0
  readonly #pacing: Pacing
  readonly #startUs: number
  readonly #host: LoadPhaseHost
  /** Closed loop: when each free slot became (or becomes) free, after the start. */
  readonly #freeSince: number[] = []
  #released = 0
  /** Of those, how many count towards no limit of requests. */
  #leftOut = 0
  #busy = 0
  #coolFromUs = Number.NaN
  #waitedForSlot = false
  #resolve: () => void = () => {}

  constructor(pacing: Pacing, startUs: number, host: LoadPhaseHost) {
    this.#pacing = pacing
    this.#startUs = startUs
    this.#host = host
  }

  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve
      this.pump()
    })
  }

  /** A request of this stretch has ended. */
  slotFreed(endUs: number): void {
    this.#busy--
    this.answered++
    if (!this.#pacing.open) this.#freeSince.push(endUs - this.#startUs + this.#pacing.thinkUs)
    this.pump()
  }

  /** Releases everything that is due, and arranges to be woken when more is. */
  pump(woken = false): void {
    const headStartUs = this.#host.sendLeadTimeUs()
    const { slotsAt, durationUs, coolDownUs, drainUs, owedUs } = this.#pacing
    for (let first = woken; ; first = false) {
      const elapsedUs = this.#host.clock() - this.#startUs
      const stopped = this.#host.stopped()
      if (elapsedUs < 0 && !stopped) {
        this.#host.wakeAt(this.#startUs)
        return
      }
      const due = this.#due(elapsedUs)
      if (due === undefined) {
        const overUs = Number.isFinite(durationUs) ? durationUs + coolDownUs : elapsedUs
        if (this.drainUntilUs === Number.POSITIVE_INFINITY) this.drainUntilUs = this.#startUs + overUs + drainUs
        this.#finishIfDone()
        return
      }
      // Past its duration a stretch owes what was due, but not for longer than the drain.
      if (stopped || elapsedUs > durationUs + coolDownUs + owedUs) {
        this.#countUnsent(elapsedUs)
        this.#finishIfDone()
        return
      }
      if (this.#pacing.open) {
        const earlyUs = due.atUs - elapsedUs
        if (earlyUs > headStartUs) {
          this.#host.wakeAt(this.#startUs + due.atUs - headStartUs)
          return
        }
        if (this.#busy >= slotsAt(elapsedUs).count) {
          if (earlyUs > 0) this.#host.wakeAt(this.#startUs + due.atUs)
          else this.#waitedForSlot = true
          return
        }
        this.#release(due.atUs, this.#startUs + due.atUs, due.measured, first)
      } else {
        const untilUs = this.#openSlots(elapsedUs)
        const freeUs = this.#freeSince[0]
        if (freeUs === undefined || freeUs > elapsedUs + headStartUs) {
          const nextUs = Math.min((freeUs ?? Number.POSITIVE_INFINITY) - headStartUs, untilUs, this.#endUs(elapsedUs))
          if (Number.isFinite(nextUs)) this.#host.wakeAt(this.#startUs + nextUs)
          return
        }
        this.#freeSince.shift()
        this.#release(elapsedUs, this.#startUs + freeUs, due.measured, first)
      }
    }
  }

  /** The next request: of the measured part, then of the cool-down; undefined when there is none. */
  #due(elapsedUs: number): { atUs: number; measured: boolean } | undefined {
    const { schedule, unlimited, coolDownUs, open } = this.#pacing
    const pace = schedule(elapsedUs, this.#released, this.#leftOut)
    if (pace.kind === 'due') return { atUs: pace.atUs, measured: true }
    if (coolDownUs === 0) return undefined
    const next = unlimited(elapsedUs, this.#released)
    if (next.kind === 'end') return undefined
    if (Number.isNaN(this.#coolFromUs)) this.#coolFromUs = open ? next.atUs : elapsedUs
    return next.atUs < this.#coolFromUs + coolDownUs ? { atUs: next.atUs, measured: false } : undefined
  }

  /** Closed loop: when the schedule ends by itself, though no slot becomes free. */
  #endUs(elapsedUs: number): number {
    const { durationUs, coolDownUs } = this.#pacing
    const endUs = elapsedUs < durationUs ? durationUs : this.#coolFromUs + coolDownUs
    return endUs > elapsedUs ? endUs : Number.POSITIVE_INFINITY
  }

  /** Closed loop: as many slots as there are to be now. Those of the start are spread over one think time, out of step. */
  #openSlots(elapsedUs: number): number {
    const { count, untilUs } = this.#pacing.slotsAt(elapsedUs)
    const spreadUs = this.#busy + this.#released === 0 ? this.#pacing.thinkUs / count : 0
    const since = this.#released === 0 && this.#freeSince.length === 0 ? 0 : elapsedUs
    for (let i = 0; this.#busy + this.#freeSince.length < count; i++) this.#freeSince.push(since + i * spreadUs)
    while (this.#busy + this.#freeSince.length > count && this.#freeSince.length > 0) this.#freeSince.pop()
    return untilUs
  }

  #release(dueUs: number, intendedUs: number, measured: boolean, woken: boolean): void {
    const { clock, send } = this.#host
    const index = this.#released++
    this.#busy++
    const atUs = Math.max(clock(), intendedUs)
    if (measured) {
      this.offeredUs = dueUs
      this.achievedUs = Math.max(dueUs, atUs - this.#startUs)
      if (this.#busy > this.mostInFlight) this.mostInFlight = this.#busy
    }
    const waited = this.#waitedForSlot
    this.#waitedForSlot = false
    const released = { index, dueUs, intendedUs, measured, waited, woken }
    send(released, atUs)
    if (released.measured) this.measuredFromUs = Math.min(this.measuredFromUs, atUs)
    else if (measured) this.#leftOut++
  }

  /** What was due and could not be sent is counted and stays in the tail. */
  #countUnsent(elapsedUs: number): void {
    if (!this.#pacing.open) return
    for (;;) {
      const due = this.#due(elapsedUs)
      if (!due?.measured || due.atUs > elapsedUs) return
      const released = {
        index: this.#released++,
        dueUs: due.atUs,
        intendedUs: this.#startUs + due.atUs,
        measured: true,
        waited: true,
        woken: false,
      }
      this.offeredUs = due.atUs
      this.achievedUs = Math.max(due.atUs, elapsedUs)
      this.#host.neverSent(released, this.#startUs + elapsedUs)
    }
  }

  #finishIfDone(): void {
    if (this.#busy === 0) this.#resolve()
  }
}

/**
 * Cuts a run into segments. One arm runs in one segment, so that an open loop never pauses; several arms take turns, a block
 * each, in random order within every pair of blocks. Paired by request, both run in one segment. A look ends a segment.
 */

export function planPhases(plan: RunPlan): PhasePlan[] {
  const { arms, blocks, pairing, workload, interimAnalyses = [] } = plan
  const all = arms.map((_, index) => index)
  const pauses = interimAnalyses.filter((look) => look < blocks)
  if (arms.length === 1 || pairing === 'request') {
    const ends = [...pauses, blocks]
    return ends.map((end, i) => {
      const firstBlock = ends[i - 1] ?? 0
      return {
        ...part(plan, all, firstBlock, end - firstBlock),
        ...(end < blocks ? { interimAnalysisAfter: end } : {}),
      }
    })
  }
  return interleave(all, blocks, workload.seed).map(({ arm, block }, i) => ({
    ...part(plan, [arm], block, 1),
    ...((i + 1) % arms.length === 0 && pauses.includes(block + 1) ? { interimAnalysisAfter: block + 1 } : {}),
  }))
}

function part(
  { arms, blocks: all, requests, durationUs, excludeIdleFirst = true }: RunPlan,
  used: readonly number[],
  firstBlock: number,
  blocks: number,
): PhasePlan {
  return {
    arms: used,
    firstBlock,
    blocks,
    requests: requests === undefined ? undefined : shareOfBlocks(requests, all, firstBlock, blocks),
    durationUs: durationUs === undefined ? undefined : (durationUs / all) * blocks * used.length,
    excludeIdleFirst: excludeIdleFirst && used.length < arms.length,
  }
}

/** The block of the `index`-th request of a segment, due `dueUs` after the segment's start. */
export function findBlock(segment: PhasePlan, index: number, dueUs: number): number {
  const { arms, firstBlock, blocks, requests, durationUs } = segment
  const done = requests === undefined ? dueUs / (durationUs ?? 1) : index / (requests * arms.length)
  return firstBlock + Math.min(blocks - 1, Math.floor(done * blocks))
}
