/**
 * One phase of uninterrupted load: its pacing (schedule, slots, what follows the measured part) and the loop that runs
 * by it. The loop asks the schedule what is due, releases it into free slots, and ends when everything sent has ended.
 * Closed and open loop, think time, ramps, conversations and the cool-down are parameters of this loop, never copies of
 * it: where requests belong to sessions, the schedule says when a session begins, and a source of turns what is due
 * next in those that are under way. A request
 * that is due but finds no free slot waits, and its wait counts: `intended` is when it was due (open loop) or when its
 * slot became free (closed loop).
 */
import type { Clock } from '../system/clock.ts'
import type { Pacing } from './pacing.ts'
import type { Session } from './sessions.ts'

/** A request as the schedule released it. */
export interface ReleasedRequest {
  /** Its number in the phase, from 0; that of its session, where it belongs to one. */
  index: number
  /** After the start of the phase. */
  dueUs: number
  intendedUs: number
  /**
   * False for requests that are sent only for the load they make: those of the cool-down, and the first one of a
   * connection that was idle.
   */
  measured: boolean
  /** It was due before a slot was free. */
  waited: boolean
  /** The precision timer woke the loop for this very request. */
  woken: boolean
  /** The session that it goes on with; undefined where it begins one, or belongs to none. */
  session?: Session | undefined
}

/** What is due in sessions that are under way. */
interface TurnSource {
  /** On the host's clock; Infinity where none waits. */
  readonly nextUs: number
  /** Sessions that wait for their next turn. */
  readonly waiting: number
  /** Sessions with a request in flight, or in a pause. */
  readonly underWay: number
  /** No other session may begin now. */
  readonly full: boolean
  take(): Session
}

interface LoadPhaseHost {
  /** Where requests belong to sessions. */
  turns?: TurnSource | undefined
  clock: Clock
  wakeAt(us: number): void
  /** Lead time before a request's due time at which its sending begins, so that it is ready for its socket when due. */
  sendLeadTimeUs(): number
  stopped(): boolean
  /** Request `index` has nobody to go to any more: its turn passes. */
  skipped?(index: number): boolean
  /**
   * Until when the target of request `index` told to send nothing, on the host's clock; a time that is over where it
   * told nothing.
   */
  heldUntilUs(index: number): number
  /**
   * Sends the request, not before `nowUs`. The host reports its end to `slotFreed`. It may set `released.measured` to
   * false to exclude the request from the figures.
   */
  send(released: ReleasedRequest, nowUs: number): void
  /** The request was due, but the run is over before a slot became free. */
  neverSent(released: ReleasedRequest, atUs: number): void
  /** Open loop: the request was due while its target had told to wait, and is not sent. */
  heldBack(released: ReleasedRequest): void
}

export class LoadPhase {
  /**
   * Open loop: for how long measured requests were due, the gap after the last one included; NaN while some still are.
   */
  dueUs = Number.NaN
  /** When the last measured request left, after the start. */
  #leftUs = 0
  /** Until then requests in flight may end. */
  drainUntilUs = Number.POSITIVE_INFINITY
  mostInFlight = 0
  /** When the first measured request was sent; Infinity before that. */
  measuredFromUs = Number.POSITIVE_INFINITY
  /** The number of requests that have ended. */
  answered = 0
  readonly #pacing: Pacing
  readonly #startUs: number
  readonly #host: LoadPhaseHost
  /** Closed loop: when each free slot became free, or will after its think time; from the start of the phase. */
  readonly #freeSince: number[] = []
  /** What the schedule released; turns of sessions that are under way are not its affair. */
  #released = 0
  /** Released requests that count towards no limit of requests. */
  #excluded = 0
  #busy = 0
  #coolFromUs = Number.NaN
  #waitedForSlot = false
  #waitedForSession = false
  #resolve: () => void = () => {}

  constructor(pacing: Pacing, startUs: number, host: LoadPhaseHost) {
    this.#pacing = pacing
    this.#startUs = startUs
    this.#host = host
  }

  /** For how long measured requests still left after the time in which they were due. */
  get lateUs(): number {
    return Math.max(0, this.#leftUs - this.dueUs)
  }

  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve
      this.pump()
    })
  }

  /** A request of this phase has ended. With `goesOn` its session does not end with it, and keeps its slot. */
  slotFreed(endUs: number, goesOn = false): void {
    this.#busy--
    this.answered++
    if (!this.#pacing.open && !goesOn) this.#freeSince.push(endUs - this.#startUs + this.#pacing.thinkUs)
    this.pump()
  }

  /** Releases every request that is due, and sets the timer for the next one. */
  pump(woken = false): void {
    const leadTimeUs = this.#host.sendLeadTimeUs()
    const { slotsAt, durationUs, coolDownUs, drainUs, owedUs } = this.#pacing
    for (let first = woken; ; first = false) {
      const sinceStartUs = this.#host.clock() - this.#startUs
      const stopped = this.#host.stopped()
      if (sinceStartUs < -leadTimeUs && !stopped) {
        this.#host.wakeAt(this.#startUs - leadTimeUs)
        return
      }
      const elapsedUs = Math.max(0, sinceStartUs)
      const due = this.#due(elapsedUs)
      if (!stopped && this.#turnIsNext(due, elapsedUs)) {
        if (!this.#sendTurn(sinceStartUs, leadTimeUs, first)) return
        continue
      }
      // Sessions may go on, until the time is up.
      if (due === undefined && this.#host.turns && this.#busy > 0 && !stopped && elapsedUs < durationUs) {
        if (Number.isFinite(durationUs)) this.#host.wakeAt(this.#startUs + durationUs)
        return
      }
      if (due === undefined) {
        const overUs = Number.isFinite(durationUs) ? durationUs + this.#excludedUs() + coolDownUs : elapsedUs
        if (this.drainUntilUs === Number.POSITIVE_INFINITY) this.drainUntilUs = this.#startUs + overUs + drainUs
        this.#finishIfDone()
        return
      }
      // After its duration a phase still owes the requests that were due, but not for longer than the drain.
      if (stopped || elapsedUs > durationUs + this.#excludedUs() + coolDownUs + owedUs) {
        this.#countNeverSent(elapsedUs)
        if (Number.isNaN(this.dueUs)) this.dueUs = elapsedUs
        this.#finishIfDone()
        return
      }
      if (!due.known) {
        this.#host.wakeAt(this.#startUs + due.atUs)
        return
      }
      if (this.#host.skipped?.(this.#released)) {
        this.#released++
        continue
      }
      const heldUntilUs = this.#host.heldUntilUs(this.#released) - this.#startUs
      if (this.#pacing.open) {
        const earlyUs = due.atUs - sinceStartUs
        if (earlyUs > leadTimeUs) {
          this.#host.wakeAt(this.#startUs + due.atUs - leadTimeUs)
          return
        }
        if (due.atUs < heldUntilUs) {
          const released = this.#notSent(due)
          if (due.measured) this.#host.heldBack(released)
          continue
        }
        if (this.#host.turns?.full) {
          if (earlyUs > 0) this.#host.wakeAt(this.#startUs + due.atUs)
          else this.#waitedForSession = true
          return
        }
        if (this.#busy >= slotsAt(elapsedUs).count) {
          if (earlyUs > 0) this.#host.wakeAt(this.#startUs + due.atUs)
          else this.#waitedForSlot = true
          return
        }
        this.#waitedForSlot ||= this.#waitedForSession
        this.#waitedForSession = false
        this.#release(due.atUs, this.#startUs + due.atUs, due.measured, first)
      } else {
        const untilUs = this.#openSlots(elapsedUs)
        // The wait that the target told is no latency: a slot counts as free from its end on.
        const freeUs = this.#freeSince.length > 0 ? Math.max(this.#freeSince[0] ?? 0, heldUntilUs) : undefined
        if (freeUs === undefined || freeUs > elapsedUs + leadTimeUs) {
          const nextUs = Math.min((freeUs ?? Number.POSITIVE_INFINITY) - leadTimeUs, untilUs, this.#endUs(elapsedUs))
          if (Number.isFinite(nextUs)) this.#host.wakeAt(this.#startUs + nextUs)
          return
        }
        this.#freeSince.shift()
        this.#release(elapsedUs, this.#startUs + freeUs, due.measured, first)
      }
    }
  }

  /**
   * The next request of the measured part, then of the cool-down; undefined when there is none. One that is not known
   * yet is asked for again at `atUs`.
   */
  #due(elapsedUs: number): { atUs: number; measured: boolean; known: boolean } | undefined {
    const { schedule, unlimited, coolDownUs, open } = this.#pacing
    const next = schedule(elapsedUs, this.#released, this.#excluded)
    if (next.kind !== 'end') return { atUs: next.atUs, measured: true, known: next.kind === 'due' }
    if (Number.isNaN(this.dueUs)) this.dueUs = this.#dueEndUs(elapsedUs)
    if (coolDownUs === 0) return undefined
    const cooling = unlimited(elapsedUs, this.#released)
    if (cooling.kind !== 'due') return undefined
    if (Number.isNaN(this.#coolFromUs)) this.#coolFromUs = open ? cooling.atUs : elapsedUs
    return cooling.atUs < this.#coolFromUs + coolDownUs
      ? { atUs: cooling.atUs, measured: false, known: true }
      : undefined
  }

  /** When the measured part was over: its duration, or the instant at which one more request would have been due. */
  #dueEndUs(elapsedUs: number): number {
    const { unlimited, durationUs } = this.#pacing
    const next = unlimited(elapsedUs, this.#released)
    return Math.min(durationUs + this.#excludedUs(), next.atUs ?? elapsedUs)
  }

  /** Open loop: the time in which the excluded requests were due, which comes on top of the duration. */
  #excludedUs(): number {
    const { unlimited, open } = this.#pacing
    if (!open || this.#excluded === 0) return 0
    const first = unlimited(0, this.#excluded)
    return first.kind === 'due' ? first.atUs : 0
  }

  /** Closed loop: when the schedule ends by itself, even if no slot becomes free. */
  #endUs(elapsedUs: number): number {
    const { durationUs, coolDownUs } = this.#pacing
    const endUs = elapsedUs < durationUs ? durationUs : this.#coolFromUs + coolDownUs
    return endUs > elapsedUs ? endUs : Number.POSITIVE_INFINITY
  }

  /**
   * Closed loop: opens or takes away slots until there are as many as the schedule wants now. The slots of the start
   * are spread over one think time, so that they do not run in step. Returns when the number may change.
   */
  #openSlots(elapsedUs: number): number {
    const { count, untilUs } = this.#pacing.slotsAt(elapsedUs)
    const spreadUs = this.#busy + this.#released === 0 ? this.#pacing.thinkUs / count : 0
    const since = this.#released === 0 && this.#freeSince.length === 0 ? 0 : elapsedUs
    // A session has one slot, through its pauses, and where several of its requests are in flight.
    const used = this.#host.turns?.underWay ?? this.#busy
    for (let i = 0; used + this.#freeSince.length < count; i++) this.#freeSince.push(since + i * spreadUs)
    while (used + this.#freeSince.length > count && this.#freeSince.length > 0) this.#freeSince.pop()
    return untilUs
  }

  /** Whether a turn of a session that is under way is due before what the schedule has next. */
  #turnIsNext(due: { atUs: number } | undefined, elapsedUs: number): boolean {
    const { turns } = this.#host
    if (!turns || turns.waiting === 0) return false
    const { open, durationUs, owedUs } = this.#pacing
    const turnUs = turns.nextUs - this.#startUs
    if (turnUs >= durationUs || elapsedUs > durationUs + owedUs) return false
    if (due === undefined || turns.full) return true
    return turnUs <= (open ? due.atUs : (this.#freeSince[0] ?? Number.POSITIVE_INFINITY))
  }

  /** Sends the turn, or waits for its time or a slot: false then. */
  #sendTurn(sinceStartUs: number, leadTimeUs: number, woken: boolean): boolean {
    const { turns, wakeAt } = this.#host
    if (!turns) return false
    const atUs = turns.nextUs - this.#startUs
    if (atUs - sinceStartUs > leadTimeUs) {
      wakeAt(turns.nextUs - leadTimeUs)
      return false
    }
    if (this.#pacing.open && this.#busy >= this.#pacing.slotsAt(sinceStartUs).count) {
      if (atUs > sinceStartUs) wakeAt(turns.nextUs)
      else this.#waitedForSlot = true
      return false
    }
    this.#release(atUs, this.#startUs + atUs, true, woken, turns.take())
    return true
  }

  #release(dueUs: number, intendedUs: number, measured: boolean, woken: boolean, session?: Session): void {
    const { clock, send } = this.#host
    const index = session?.index ?? this.#released++
    this.#busy++
    const atUs = Math.max(clock(), intendedUs)
    if (measured) {
      // The schedule's lateness is that of what it released itself.
      if (!session) this.#leftUs = atUs - this.#startUs
      if (this.#busy > this.mostInFlight) this.mostInFlight = this.#busy
    }
    const waited = this.#waitedForSlot
    this.#waitedForSlot = false
    const released = { index, dueUs, intendedUs, measured, waited, woken, session }
    send(released, atUs)
    if (released.measured) this.measuredFromUs = Math.min(this.measuredFromUs, atUs)
    else if (measured) this.#excluded++
  }

  /** Requests that were due and could not be sent are counted, and stay in the latency tail. */
  #countNeverSent(elapsedUs: number): void {
    if (!this.#pacing.open) return
    for (;;) {
      const due = this.#due(elapsedUs)
      if (!due?.measured || due.atUs > elapsedUs) return
      this.#leftUs = elapsedUs
      this.#host.neverSent(this.#notSent(due), this.#startUs + elapsedUs)
    }
  }

  #notSent({ atUs, measured }: { atUs: number; measured: boolean }): ReleasedRequest {
    const intendedUs = this.#startUs + atUs
    return { index: this.#released++, dueUs: atUs, intendedUs, measured, waited: true, woken: false }
  }

  #finishIfDone(): void {
    if (this.#busy === 0) this.#resolve()
  }
}
