/**
 * The one request path: a schedule says when, the workload what, a lane how; the recorder keeps what happened. Closed and open
 * loop, one arm and several, warm-up and measurement, one worker and many are parameters of this path, never copies of it.
 */
import { type Deadlines, overdue } from '../client/deadlines.ts'
import { type Exchange, unsent } from '../client/exchange.ts'
import { GivenUp } from '../client/failure.ts'
import { share } from '../schedule/blocks.ts'
import { Histogram } from '../stats/histogram.ts'
import type { Clock } from '../system/clock.ts'
import { requestMaker } from '../workload/workload.ts'
import { Flight } from './flight.ts'
import { Lanes } from './lanes.ts'
import { ALONE, type Pacing, pacingOf, type WorkerShare, warmupPacing } from './pacing.ts'
import type { RunPlan, Segment } from './plan.ts'
import { Recorder } from './recorder.ts'
import { blockOf, segmentsOf } from './segments.ts'
import { Series } from './series.ts'
import { type Released, Stretch } from './stretch.ts'
import { startWaker } from './waker.ts'

/** After this many failures without one success the target is taken for dead. */
const GIVE_UP_AFTER = 1_000
const DEADLINE_CHECK_MS = 10

export type StopReason = 'interrupted' | 'token-budget' | 'target-dead'

export interface EngineHooks {
  /** Before each stretch of load, warm-up ones too: resolves to the instant at which it begins. */
  begin?(): Promise<number>
  /** The warm-up is over. */
  measuring?(startUs: number): void
  stopped?(reason: StopReason): void
  /** A measured request has ended. */
  ended?(flight: Flight, result: Exchange): void
}

export class Engine {
  readonly recorders: Recorder[]
  /** How late the open loop handed requests over, a wait for a slot left out. */
  sendLag = new Histogram()
  /** Time the open loop's sending should have taken and took; their ratio is achieved/offered. */
  offeredUs = 0
  achievedUs = 0
  series: Series
  stopReason: StopReason | undefined
  /** Connections opened, by arm; known when the run has ended. */
  opened: number[] = []
  readonly #plan: RunPlan
  readonly #clock: Clock
  readonly #worker: WorkerShare
  readonly #hooks: EngineHooks
  readonly #make: ReturnType<typeof requestMaker>
  readonly #lanes: Lanes[]
  readonly #idle: Flight[][]
  /** In the order of dispatch. */
  readonly #inFlight = new Set<Flight>()
  readonly #nextIndex: number[]
  readonly #deadlines: Deadlines
  #stretch: Stretch | undefined
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
    this.recorders = arms.map((arm) => new Recorder(arm.name))
    this.#lanes = arms.map(({ origin, path, headers }) => {
      return new Lanes(origin, { path, headers: Object.entries(headers).flat() }, clock, plan.connection)
    })
    this.#idle = arms.map(() => [])
    this.#nextIndex = arms.map(() => worker.index)
    this.#deadlines = { ...plan.deadlines, totalUs: plan.timeoutUs }
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  /** Sends everything the plan asks for and resolves when the last request has ended. */
  async run(): Promise<void> {
    const waker = await startWaker(this.#clock, () => this.#stretch?.pump())
    const deadlines = setInterval(() => this.#giveUpLate(), DEADLINE_CHECK_MS)
    try {
      await this.#warmUp(waker.wakeAt)
      this.sendLag = new Histogram()
      this.offeredUs = 0
      this.achievedUs = 0
      const segments = segmentsOf(this.#plan)
      for (const [i, segment] of segments.entries()) {
        const startUs = await this.#begin()
        if (i === 0) {
          this.series = new Series(startUs, this.#worker.count > 1)
          this.#hooks.measuring?.(startUs)
        }
        if (this.stopReason) break
        const coolDownUs = i === segments.length - 1 ? (this.#plan.coolDownUs ?? 0) : 0
        await this.#measure(this.#localShare(segment), startUs, coolDownUs, waker.wakeAt)
      }
    } finally {
      clearInterval(deadlines)
      await waker.close()
      this.opened = this.#lanes.map((lanes) => lanes.opened)
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
      const pacing = warmupPacing(this.#plan, { requests, durationUs: warmupUs }, this.#worker)
      await this.#load(arm, pacing, undefined, startUs, wakeAt)
    }
  }

  async #measure(segment: Segment, startUs: number, coolDownUs: number, wakeAt: (us: number) => void): Promise<void> {
    const recorder = this.#recorder(segment.arm)
    const pacing = pacingOf(this.#plan, segment, this.#worker, coolDownUs)
    const stretch = await this.#load(segment.arm, pacing, segment, startUs, wakeAt)
    if (pacing.open) {
      this.offeredUs += stretch.offeredUs
      this.achievedUs += stretch.achievedUs
    }
    recorder.mostInFlight = Math.max(recorder.mostInFlight, stretch.mostInFlight)
    recorder.activeUs += (coolDownUs > 0 ? this.#lastEndUs : this.#clock()) - startUs
  }

  #localShare(segment: Segment): Segment {
    const { count, index } = this.#worker
    const { requests } = segment
    return { ...segment, requests: requests === undefined ? undefined : share(requests, count, index) }
  }

  /** One stretch of load; what is not measured (no segment) is only counted. */
  async #load(
    arm: number,
    pacing: Pacing,
    segment: Segment | undefined,
    startUs: number,
    wakeAt: (us: number) => void,
  ): Promise<Stretch> {
    const recorder = this.#recorder(arm)
    const stretch = new Stretch(pacing, startUs, {
      clock: this.#clock,
      sendLag: this.sendLag,
      wakeAt,
      stopped: () => this.stopReason !== undefined,
      send: (released, nowUs) => this.#send(arm, recorder, segment, released, nowUs),
      unsent: (released, atUs) => {
        if (!segment) return
        const block = blockOf(segment, released.index, released.dueUs)
        recorder.released(block, atUs)
        recorder.ended(unsent(atUs), released.intendedUs, '', block)
      },
    })
    this.#stretch = stretch
    await stretch.run()
    this.#stretch = undefined
    return stretch
  }

  #send(arm: number, recorder: Recorder, segment: Segment | undefined, released: Released, nowUs: number): void {
    const flight = this.#idle[arm]?.pop() ?? this.#newFlight(arm)
    const index = this.#nextIndex[arm] ?? 0
    this.#nextIndex[arm] = index + this.#worker.count
    const { nonce, body, stream } = this.#make(this.#plan.arms[arm]?.tag ?? '', index)
    flight.nonce = nonce
    flight.requestIndex = index
    flight.released = released
    flight.recorder = segment && released.measured ? recorder : undefined
    this.#inFlight.add(flight)
    if (segment && released.measured) {
      flight.block = blockOf(segment, released.index, released.dueUs)
      recorder.released(flight.block, nowUs)
      this.series.sent(nowUs)
    } else if (!segment) recorder.warmup.sent++
    flight.sample = flight.recorder?.sampleOf(index)
    flight.lane.start(body, stream, nowUs, flight.sample)
  }

  #newFlight(arm: number): Flight {
    const lanes = this.#lanes[arm]
    if (!lanes) throw new Error(`no arm ${arm}`)
    return new Flight(
      arm,
      (user) => lanes.make(user),
      (flight, result) => this.#ended(flight, result),
    )
  }

  #ended(flight: Flight, result: Exchange): void {
    this.#inFlight.delete(flight)
    if (!flight.lane.dead) this.#idle[flight.arm]?.push(flight)
    const { recorder } = flight
    if (recorder) {
      const { intendedUs } = flight.released
      this.#lastEndUs = result.endUs
      this.series.ended(result.endUs, result.endUs - intendedUs, result.outcome === 'OK')
      recorder.inFlightUs += result.endUs - flight.lane.dispatchedUs
      recorder.ended(result, intendedUs, flight.nonce, flight.block, flight.sample)
      this.#hooks.ended?.(flight, result)
      this.#checkLimits()
    } else if (Number.isNaN(this.#lastEndUs)) {
      this.#recorder(flight.arm).warmedUp(result)
      this.#checkLimits()
    }
    this.#stretch?.freed(result.endUs)
  }

  #recorder(arm: number): Recorder {
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
    for (const { lane } of [...this.#inFlight]) {
      const late = overdue(lane, nowUs, this.#deadlines)
      if (late) lane.abort(late)
      else if (drained) lane.abort(new GivenUp('KT_ABORTED_AT_DEADLINE', 'the run was over'))
    }
  }
}
