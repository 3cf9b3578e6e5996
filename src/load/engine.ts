/**
 * The one request path: a schedule says when, the workload what, a lane how; the recorder keeps what happened. Closed and open
 * loop, one arm and several, warm-up and measurement, one worker and many are parameters of this path, never copies of it.
 */
import { type Deadlines, findMissedDeadline } from '../client/deadlines.ts'
import { AbortedByClient } from '../client/failure.ts'
import { Inbox } from '../client/inbox.ts'
import { neverSent, type RequestResult } from '../client/request-result.ts'
import { armsByRequest, share } from '../schedule/blocks.ts'
import { Histogram } from '../stats/histogram.ts'
import type { Clock } from '../system/clock.ts'
import { requestMaker } from '../workload/workload.ts'
import { findBlock, LoadPhase, planPhases, type ReleasedRequest } from './load-phase.ts'
import { ALONE, buildPacing, buildWarmupPacing, type Pacing, type WorkerShare } from './pacing.ts'
import type { PhasePlan, RunPlan } from './plan.ts'
import { SendLeadTime, startPrecisionTimer } from './precision-timer.ts'
import { ArmRecorder } from './recorder.ts'
import { Series } from './series.ts'
import { InFlightRequest, SlotPool } from './slot-pool.ts'

/** After this many failures without one success the target is taken for dead. */
const GIVE_UP_AFTER = 1_000
const DEADLINE_CHECK_MS = 10
/** Requests that do not count are numbered from here on, so that the measured ones of all arms are the same. */
const LEFT_OUT_FROM = 2 ** 40

export type StopReason = 'interrupted' | 'token-budget' | 'target-dead'

export interface EngineHooks {
  /** Before each stretch of load, warm-up ones too: resolves to the instant at which it begins. */
  begin?(): Promise<number>
  /** The warm-up is over. */
  measuring?(startUs: number): void
  stopped?(reason: StopReason): void
  /** So many blocks of each arm are done: is there need of more? */
  continueAfter?(blocks: number): Promise<boolean>
  /** A measured request has ended. */
  ended?(flight: InFlightRequest, result: RequestResult): void
}

export class Engine {
  readonly recorders: ArmRecorder[]
  /** How late requests of the open loop were handed to their socket, a wait for a slot and the opening of a connection left out. */
  sendLag = new Histogram()
  /** Time the open loop's sending should have taken and took; their ratio is achieved/offered. */
  offeredUs = 0
  achievedUs = 0
  series: Series
  stopReason: StopReason | undefined
  readonly #plan: RunPlan
  readonly #clock: Clock
  readonly #worker: WorkerShare
  readonly #hooks: EngineHooks
  readonly #make: ReturnType<typeof requestMaker>
  readonly #lanes: SlotPool[]
  readonly #idle: InFlightRequest[][]
  /** Every flight there is, in the air or not. */
  #flights: InFlightRequest[] = []
  inFlight = 0
  /** Of the measured requests, by arm. */
  readonly #nextIndex: number[]
  readonly #nextLeftOut: number[]
  readonly #deadlines: Deadlines
  /** By category, where each has its own timeout. */
  readonly #deadlinesOf: readonly Deadlines[]
  /** By arm and part of the workload, where parts have headers of their own. */
  readonly #partHeaders: string[][][] | undefined
  readonly #headStart = new SendLeadTime()
  #stretch: LoadPhase | undefined
  #drainUntilUs = Number.POSITIVE_INFINITY
  /** Of the last measured request; before any, the warm-up runs. */
  #lastEndUs = Number.NaN

  constructor(plan: RunPlan, clock: Clock, worker: WorkerShare = ALONE, hooks: EngineHooks = {}) {
    const { arms, workload } = plan
    this.#plan = plan
    this.#clock = clock
    this.#worker = worker
    this.#hooks = hooks
    this.series = new Series(clock())
    this.#make = requestMaker(workload)
    // Promises are kept or broken by the target, not by what it is compared with.
    this.recorders = arms.map(({ name }, arm) => new ArmRecorder(name, arm === 0 ? workload.categories : undefined))
    const inbox = new Inbox(clock)
    this.#lanes = arms.map(({ origin, path, headers }) => {
      return new SlotPool(origin, { path, headers: Object.entries(headers).flat() }, clock, inbox, plan.connection)
    })
    this.#idle = arms.map(() => [])
    this.#nextIndex = arms.map(() => worker.index)
    this.#nextLeftOut = arms.map(() => LEFT_OUT_FROM + worker.index)
    this.#deadlines = { ...plan.deadlines, totalUs: plan.timeoutUs }
    this.#deadlinesOf = (plan.categoryTimeoutsUs ?? []).map((totalUs) => ({ ...plan.deadlines, totalUs }))
    if (workload.parts.some((part) => part.headers)) {
      this.#partHeaders = arms.map(({ headers }) => {
        return workload.parts.map((part) => Object.entries({ ...headers, ...part.headers }).flat())
      })
    }
  }

  /** Connections opened so far, by arm. */
  get opened(): number[] {
    return this.#lanes.map((lanes) => lanes.opened)
  }

  /** Sends everything the plan asks for and resolves when the last request has ended. */
  async run(): Promise<void> {
    const waker = await startPrecisionTimer(this.#clock, () => this.#stretch?.pump(true))
    const deadlines = setInterval(() => this.#giveUpLate(), DEADLINE_CHECK_MS)
    try {
      await this.#warmUp(waker.wakeAt)
      this.sendLag = new Histogram()
      this.offeredUs = 0
      this.achievedUs = 0
      const segments = planPhases(this.#plan)
      for (const [i, segment] of segments.entries()) {
        const startUs = await this.#begin()
        if (i === 0) {
          this.series = new Series(startUs, this.#worker.count > 1)
          this.#hooks.measuring?.(startUs)
        }
        if (this.stopReason) break
        const coolDownUs = i === segments.length - 1 ? (this.#plan.coolDownUs ?? 0) : 0
        await this.#measure(this.#localShare(segment), startUs, coolDownUs, waker.wakeAt)
        const { interimAnalysisAfter } = segment
        if (interimAnalysisAfter === undefined || this.stopReason) continue
        if ((await this.#hooks.continueAfter?.(interimAnalysisAfter)) === false) break
      }
    } finally {
      clearInterval(deadlines)
      await waker.close()
      await Promise.all(this.#lanes.map((lanes) => lanes.close()))
    }
  }

  /** Sends no more; what is in flight has `drainUs` to end, then counts as given up. */
  stop(reason: StopReason, drainUs: number): void {
    if (this.stopReason === undefined) {
      this.stopReason = reason
      this.#hooks.stopped?.(reason)
    }
    this.#drainUntilUs = Math.min(this.#drainUntilUs, this.#clock() + drainUs)
    this.#stretch?.pump()
  }

  async #begin(): Promise<number> {
    return this.#hooks.begin ? this.#hooks.begin() : this.#clock()
  }

  async #warmUp(wakeAt: (us: number) => void): Promise<void> {
    const { arms, warmup, warmupUs } = this.#plan
    const requests = warmup > 0 ? share(warmup, this.#worker.count, this.#worker.index) : undefined
    if (warmup === 0 && warmupUs === undefined) return
    for (let arm = 0; arm < arms.length; arm++) {
      const startUs = await this.#begin()
      if (this.stopReason) return
      const pacing = buildWarmupPacing(this.#plan, { requests, durationUs: warmupUs }, this.#worker)
      await this.#load([arm], pacing, undefined, startUs, wakeAt)
    }
  }

  async #measure(segment: PhasePlan, startUs: number, coolDownUs: number, wakeAt: (us: number) => void): Promise<void> {
    const pacing = buildPacing(this.#plan, segment, this.#worker, coolDownUs)
    const stretch = await this.#load(segment.arms, pacing, segment, startUs, wakeAt)
    if (pacing.open) {
      this.offeredUs += stretch.offeredUs
      this.achievedUs += stretch.achievedUs
    }
    const endUs = coolDownUs > 0 ? this.#lastEndUs : this.#clock()
    const activeUs = Math.max(0, endUs - (segment.excludeIdleFirst ? stretch.measuredFromUs : startUs))
    for (const arm of segment.arms) {
      const recorder = this.#recorder(arm)
      recorder.mostInFlight = Math.max(recorder.mostInFlight, stretch.mostInFlight)
      recorder.activeUs += activeUs
    }
  }

  #localShare(segment: PhasePlan): PhasePlan {
    const { count, index } = this.#worker
    const { requests } = segment
    return { ...segment, requests: requests === undefined ? undefined : share(requests, count, index) }
  }

  /** One stretch of load, on one arm or on two that alternate; what is not measured (no segment) is only counted. */
  async #load(
    arms: readonly number[],
    pacing: Pacing,
    segment: PhasePlan | undefined,
    startUs: number,
    wakeAt: (us: number) => void,
  ): Promise<LoadPhase> {
    const [arm = 0] = arms
    const alternating = arms.length > 1 ? armsByRequest(this.#plan.workload.seed) : undefined
    const armOf = (index: number): number => (alternating ? (arms[alternating(index)] ?? arm) : arm)
    const stretch: LoadPhase = new LoadPhase(pacing, startUs, {
      clock: this.#clock,
      wakeAt,
      sendLeadTimeUs: () => this.#headStart.us,
      stopped: () => this.stopReason !== undefined,
      // An open loop takes another connection later only because others are slow: leaving that out would hide it.
      send: (released, nowUs) => {
        const resting = segment?.excludeIdleFirst === true && !(pacing.open && stretch.answered > 0)
        this.#send(armOf(released.index), segment, released, nowUs, resting)
      },
      neverSent: (released, atUs) => {
        if (!segment) return
        const block = findBlock(segment, released.index, released.dueUs)
        const arm = armOf(released.index)
        const recorder = this.#recorder(arm)
        // It would have been the next one of its arm.
        const category = this.#make.categoryOf(this.#take(this.#nextIndex, arm))
        recorder.released(block, atUs, category)
        recorder.ended(neverSent(atUs), released.intendedUs, '', { block, category })
      },
    })
    this.#stretch = stretch
    await stretch.run()
    this.#stretch = undefined
    return stretch
  }

  /** `resting`: the first request of a connection in this segment is sent and left out. */
  #send(arm: number, segment: PhasePlan | undefined, released: ReleasedRequest, nowUs: number, resting: boolean): void {
    const recorder = this.#recorder(arm)
    const flight = this.#idle[arm]?.pop() ?? this.#newFlight(arm)
    if (resting && released.measured && flight.phase !== segment) {
      released.measured = false
      flight.part = 'idleFirst'
    } else flight.part = !segment ? 'warmup' : released.measured ? 'measured' : 'coolDown'
    const measured = flight.part === 'measured'
    const index = this.#take(measured ? this.#nextIndex : this.#nextLeftOut, arm)
    const { nonce, body, stream, part, category } = this.#make(this.#plan.arms[arm]?.tag ?? '', index)
    flight.nonce = nonce
    flight.requestIndex = index
    flight.category = category
    flight.released = released
    flight.phase = segment
    flight.recorder = measured ? recorder : undefined
    flight.active = true
    this.inFlight++
    if (segment && measured) {
      flight.block = findBlock(segment, released.index, released.dueUs)
      recorder.released(flight.block, nowUs, category)
      this.series.sent(nowUs)
    } else if (flight.part === 'warmup' || flight.part === 'idleFirst') recorder[flight.part].sent++
    flight.sample = flight.recorder?.sampleAnswer(index)
    const headers = this.#partHeaders?.[arm]?.[part]
    if (headers) flight.slot.setHeaders(headers)
    flight.slot.start(body, stream, nowUs, flight.sample)
  }

  #take(next: number[], arm: number): number {
    const index = next[arm] ?? 0
    next[arm] = index + this.#worker.count
    return index
  }

  #newFlight(arm: number): InFlightRequest {
    const lanes = this.#lanes[arm]
    if (!lanes) throw new Error(`no arm ${arm}`)
    const flight = new InFlightRequest(
      arm,
      (user) => lanes.createSlot(user),
      (flight, result) => this.#ended(flight, result),
    )
    this.#flights.push(flight)
    return flight
  }

  #ended(flight: InFlightRequest, result: RequestResult): void {
    flight.active = false
    this.inFlight--
    if (!flight.slot.dead) this.#idle[flight.arm]?.push(flight)
    else this.#flights = this.#flights.filter((other) => other !== flight)
    const { recorder, slot } = flight
    if (flight.released.woken && slot.reused) this.#headStart.learn(flight.released.intendedUs, slot.readyUs)
    if (recorder) {
      const { intendedUs, waited } = flight.released
      this.#lastEndUs = result.endUs
      this.series.ended(result.endUs, result.endUs - intendedUs, result.outcome === 'OK')
      if (this.#plan.load.mode === 'open' && !waited) this.sendLag.record(flight.slot.handedOverUs - intendedUs)
      recorder.inFlightUs += result.endUs - flight.slot.dispatchedUs
      recorder.ended(result, intendedUs, flight.nonce, flight, flight.sample)
      this.#hooks.ended?.(flight, result)
      this.#checkLimits()
    } else if (flight.part === 'warmup' || flight.part === 'idleFirst') {
      this.#recorder(flight.arm).excluded(result, flight.part)
      this.#checkLimits()
    }
    this.#stretch?.slotFreed(result.endUs)
  }

  #recorder(arm: number): ArmRecorder {
    const recorder = this.recorders[arm]
    if (!recorder) throw new Error(`no recorder for arm ${arm}`)
    return recorder
  }

  #checkLimits(): void {
    const { tokenBudget } = this.#plan
    let failed = 0
    let done = 0
    let tokens = 0
    for (const recorder of this.recorders) {
      failed += recorder.failed
      done += recorder.done
      tokens += recorder.tokensSpent
    }
    const budget = tokenBudget === undefined ? undefined : tokenBudget / this.#worker.count
    if (budget !== undefined && tokens >= budget) this.stop('token-budget', this.#plan.timeoutUs)
    if (failed >= GIVE_UP_AFTER && failed === done) this.stop('target-dead', this.#plan.timeoutUs)
  }

  #giveUpLate(): void {
    const nowUs = this.#clock()
    const drained = nowUs >= Math.min(this.#drainUntilUs, this.#stretch?.drainUntilUs ?? Number.POSITIVE_INFINITY)
    for (const { active, slot, category } of this.#flights) {
      if (!active) continue
      const late = findMissedDeadline(slot, nowUs, this.#deadlinesOf[category] ?? this.#deadlines)
      if (late) slot.abort(late)
      else if (drained) slot.abort(new AbortedByClient('KT_ABORTED_AT_DEADLINE', 'the run was over'))
    }
  }
}
