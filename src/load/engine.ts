/**
 * The one request path: a schedule decides when a request is sent, the workload what, a request slot how; the recorder
 * keeps what happened. Closed and open loop, arms, warm-up and workers are its parameters, never copies of it.
 */
import { loadHttp2 } from '../client/http2-connection.ts'
import { createNeverSentResult, type RequestResult } from '../client/request-result.ts'
import { armsByRequest, share } from '../schedule/blocks.ts'
import type { Clock } from '../system/clock.ts'
import { wouldRepeat } from '../wire/outcome.ts'
import { requestMaker } from '../workload/request-maker.ts'
import { RingRows } from '../workload/traces/ring.ts'
import { isDrawnToLeave } from './cancellation.ts'
import { DroppedArms } from './dropped-arms.ts'
import type { EngineHooks } from './engine-hooks.ts'
import { InFlightRequests } from './in-flight.ts'
import { KeptSchedule } from './kept-schedule.ts'
import { endsAtWill, limitReached, type StopReason } from './limits.ts'
import { LoadPhase, type ReleasedRequest } from './load-phase.ts'
import { ALONE, buildPacing, buildWarmupPacing, type Pacing, type WorkerShare } from './pacing.ts'
import { findBlock, headsByPart, type PhasePlan, planPhases, type RunPlan, shareOfPhase } from './plan.ts'
import { SendLeadTime, startPrecisionTimer } from './precision-timer.ts'
import { ArmRecorder } from './recorder.ts'
import { RequestNumbers } from './request-numbers.ts'
import { Series } from './series.ts'
import { type Session, Sessions } from './sessions.ts'
import type { InFlightRequest } from './slot-pool.ts'

const DEADLINE_CHECK_MS = 10

export class Engine {
  readonly recorders: ArmRecorder[]
  readonly dropped: DroppedArms
  readonly kept = new KeptSchedule()
  series: Series
  stopReason: StopReason | undefined
  readonly #plan: RunPlan
  readonly #clock: Clock
  readonly #worker: WorkerShare
  readonly #hooks: EngineHooks
  readonly #make: ReturnType<typeof requestMaker>
  readonly #requests: InFlightRequests
  /** Where requests belong to conversations. */
  readonly #sessions: Sessions | undefined
  inFlight = 0
  readonly #numbers: RequestNumbers
  /** By arm and part of the workload, where parts have heads of their own. */
  readonly #partHeads: ReturnType<typeof headsByPart>
  /** The rows of the trace that is replayed, if one is. */
  readonly #rows: RingRows | undefined
  readonly #leadTime = new SendLeadTime()
  #phase: LoadPhase | undefined
  #drainUntilUs = Number.POSITIVE_INFINITY
  /** End of the last measured request; NaN before there was one. */
  #lastEndUs = Number.NaN

  constructor(plan: RunPlan, clock: Clock, worker: WorkerShare = ALONE, hooks: EngineHooks = {}) {
    const { arms, workload, load } = plan
    this.#plan = plan
    this.#clock = clock
    this.#worker = worker
    this.#hooks = hooks
    this.series = new Series(clock())
    this.#make = requestMaker(workload)
    const { conversations } = workload
    const make = workload.asChat ? requestMaker(workload, true) : this.#make
    this.#sessions = conversations && new Sessions(conversations, plan, make, worker)
    this.#rows = load.mode === 'open' && load.trace ? new RingRows(load.trace) : undefined
    // Only the target is judged by categories, not the arm it is compared with.
    const categoriesOf = (arm: number) => (arm === 0 ? workload.categories : undefined)
    this.recorders = arms.map(({ name }, arm) => new ArmRecorder(name, categoriesOf(arm), plan))
    this.#requests = new InFlightRequests(plan, clock, (request, result) => this.#ended(request, result))
    this.#numbers = new RequestNumbers(plan, worker)
    this.dropped = new DroppedArms(plan, clock, (arm, why) => {
      hooks.dropped?.(arm, why)
      if (this.dropped.noneLeft) this.stop('target-dead', 0)
      else this.#phase?.pump()
    })
    this.#partHeads = headsByPart(plan)
  }

  /** Connections opened so far, by arm. */
  get opened(): number[] {
    return this.#requests.opened
  }

  /** Sends everything the plan asks for and resolves when the last request has ended. */
  async run(): Promise<void> {
    if (this.#plan.connection?.http === 'h2') await loadHttp2()
    const timer = await startPrecisionTimer(this.#clock, () => this.#phase?.pump(true), this.#plan.realtime)
    const deadlines = setInterval(() => this.#abortLate(), DEADLINE_CHECK_MS)
    try {
      await this.#warmUp(timer.wakeAt)
      this.kept.restart()
      const phases = planPhases(this.#plan)
      for (const [i, phase] of phases.entries()) {
        const startUs = await (this.#hooks.begin?.() ?? this.#clock())
        if (i === 0) {
          this.series = new Series(startUs, this.#plan.arms.length, this.#worker.count > 1)
          this.#hooks.measuring?.(startUs)
        }
        if (this.stopReason) break
        const coolDownUs = i === phases.length - 1 ? (this.#plan.coolDownUs ?? 0) : 0
        if (!this.dropped.all(phase.arms))
          await this.#measure(shareOfPhase(phase, this.#worker), startUs, coolDownUs, timer.wakeAt)
        const { interimAnalysisAfter } = phase
        if (interimAnalysisAfter === undefined || this.stopReason) continue
        if ((await this.#hooks.continueAfter?.(interimAnalysisAfter)) === false) break
      }
    } finally {
      clearInterval(deadlines)
      await timer.close()
      for (const { hold } of this.recorders) hold.end(this.#clock())
      await this.#requests.close()
    }
  }

  /** Sends nothing more. Requests in flight have `drainUs` to end, then they are aborted. */
  stop(reason: StopReason, drainUs: number): void {
    if (this.stopReason === undefined) {
      this.stopReason = reason
      this.#hooks.stopped?.(reason)
    }
    this.#drainUntilUs = Math.min(this.#drainUntilUs, this.#clock() + drainUs)
    this.#phase?.pump()
  }

  /** Sends nothing to this arm until then. */
  holdArm(arm: number, untilUs: number): void {
    this.recorders[arm]?.hold.extend(untilUs, this.#clock())
  }

  async #warmUp(wakeAt: (us: number) => void): Promise<void> {
    const { arms, warmup, warmupUs } = this.#plan
    const requests = warmup > 0 ? share(warmup, this.#worker.count, this.#worker.index) : undefined
    if (warmup === 0 && warmupUs === undefined) return
    for (let arm = 0; arm < arms.length; arm++) {
      const startUs = await (this.#hooks.begin?.() ?? this.#clock())
      if (this.stopReason) return
      if (this.dropped.of[arm]) continue
      const pacing = buildWarmupPacing(this.#plan, { requests, durationUs: warmupUs }, this.#worker)
      await this.#load([arm], pacing, undefined, startUs, wakeAt)
      const ends = !this.#plan.outlivesArms && this.#recorder(arm).takeFailedWarmup(startUs, this.#clock())
      if (ends) this.stop('warm-up-failed', 0)
    }
  }

  async #measure(phase: PhasePlan, startUs: number, coolDownUs: number, wakeAt: (us: number) => void): Promise<void> {
    const pacing = buildPacing(this.#plan, phase, this.#worker, coolDownUs)
    const load = await this.#load(phase.arms, pacing, phase, startUs, wakeAt)
    const endUs = coolDownUs > 0 ? this.#lastEndUs : this.#clock()
    const fromUs = phase.excludeIdleFirst ? load.measuredFromUs : startUs
    const activeUs = Math.max(0, endUs - fromUs)
    const dueUs = pacing.open ? Math.max(0, startUs + load.dueUs - fromUs) : 0
    if (pacing.open) this.kept.phaseEnded(dueUs, load.lateUs)
    for (const arm of phase.arms) {
      const recorder = this.#recorder(arm)
      recorder.mostInFlight = Math.max(recorder.mostInFlight, load.mostInFlight)
      recorder.activeUs += activeUs
      if (!pacing.open) continue
      recorder.dueUs += dueUs
      recorder.lateUs += load.lateUs
    }
  }

  /**
   * Runs one load phase, on one arm or on several that alternate. Without `phase` it is the warm-up, not measured.
   */
  async #load(
    arms: readonly number[],
    pacing: Pacing,
    phase: PhasePlan | undefined,
    startUs: number,
    wakeAt: (us: number) => void,
  ): Promise<LoadPhase> {
    const [arm = 0] = arms
    const alternating = arms.length > 1 ? armsByRequest(this.#plan.workload.seed, arms.length) : undefined
    const armOf = (index: number): number => (alternating ? (arms[alternating(index)] ?? arm) : arm)
    const load: LoadPhase = new LoadPhase(pacing, startUs, {
      clock: this.#clock,
      turns: phase ? this.#sessions : undefined,
      wakeAt,
      sendLeadTimeUs: () => this.#leadTime.us,
      stopped: () => this.stopReason !== undefined || this.dropped.all(arms),
      skipped: (index) => this.dropped.of[armOf(index)] !== undefined,
      // An open loop takes another connection later only because earlier answers are slow: to exclude that request
      // would hide the slowness. So it excludes only what it sends before the first answer.
      send: (released, nowUs) => {
        const idleFirst = phase?.excludeIdleFirst === true && !(pacing.open && load.answered > 0)
        this.#send(armOf(released.index), phase, released, nowUs, idleFirst)
      },
      heldUntilUs: (index) => this.#recorder(armOf(index)).hold.untilUs,
      heldBack: ({ index }) => {
        if (phase) this.#recorder(armOf(index)).hold.told.heldBack++
      },
      neverSent: (released, atUs) => {
        const arm = armOf(released.index)
        if (!phase || this.dropped.of[arm]) return
        const block = findBlock(phase, released.index, released.dueUs)
        const recorder = this.#recorder(arm)
        // Not the target kept it from being sent, but the user.
        if (endsAtWill(this.stopReason)) {
          recorder.cutOff++
          return
        }
        // It would have been the next request of its arm, so it counts in the category of that one.
        const { category, model } = this.#make.classOf(this.#numbers.next(arm, released.index, phase.arms.length))
        recorder.released(block, atUs, category)
        recorder.ended(createNeverSentResult(atUs), released.intendedUs, '', { block, category, model })
      },
    })
    this.#phase = load
    await load.run()
    this.#phase = undefined
    return load
  }

  /** With `idleFirst` a request that is the first of its connection in this phase is excluded from the figures. */
  #send(arm: number, phase: PhasePlan | undefined, released: ReleasedRequest, nowUs: number, idleFirst: boolean): void {
    const recorder = this.#recorder(arm)
    const request = this.#requests.take(arm)
    if (idleFirst && released.measured && request.phase !== phase) {
      released.measured = false
      request.part = 'idleFirst'
    } else request.part = !phase ? 'warmup' : released.measured ? 'measured' : 'coolDown'
    const session = request.part === 'measured' ? this.#sessionOf(released, arm, nowUs) : undefined
    request.session = session
    const sharing = request.part === 'measured' ? phase?.arms.length : undefined
    const index = session?.requestIndex ?? this.#numbers.next(arm, released.index, sharing)
    const { cancel } = this.#plan
    const leaves = cancel && request.part === 'measured' && isDrawnToLeave(cancel, this.#plan.workload.seed, index)
    if (leaves) request.part = 'canceled'
    const measured = request.part === 'measured'
    const { nonce, body, stream, part, category, repeats } =
      session?.request ?? this.#make(this.#plan.arms[arm]?.tag ?? '', index)
    request.nonce = nonce
    request.requestIndex = index
    request.category = category
    request.repeats = repeats
    request.model = this.#plan.workload.parts[part]?.model
    request.released = released
    request.phase = phase
    request.recorder = measured ? recorder : undefined
    request.active = true
    request.delays.begin()
    this.inFlight++
    if (phase && measured) {
      request.block = findBlock(phase, released.index, released.dueUs)
      recorder.released(request.block, nowUs, category)
      this.series.sent(nowUs)
    } else if (request.part === 'warmup' || request.part === 'idleFirst') recorder[request.part].sent++
    if (this.#rows && phase && (measured || leaves)) {
      request.askedInput = this.#rows.inputTokens(index)
      request.askedOutput = this.#rows.outputTokens(index)
      this.#rows.left(arm, index, nowUs)
    }
    request.sample = request.recorder?.sampleAnswer(index)
    const head = this.#partHeads?.[arm]?.[part]
    if (head) request.slot.setHead(head)
    if (session?.headers) request.slot.setHeaders(session.headers)
    request.slot.start(body, stream, nowUs, session?.answer ?? request.sample)
    if (leaves) recorder.canceled.watch(request, cancel, this.#clock)
  }

  /** The session of a measured request: the one that it goes on with, or another. */
  #sessionOf(released: ReleasedRequest, arm: number, nowUs: number): Session | undefined {
    if (released.session || !this.#sessions) return released.session
    const number = this.#numbers.measured(arm)
    return this.#sessions.begin(arm, number, released.index, nowUs, this.#recorder(arm).conversations)
  }

  #ended(request: InFlightRequest, result: RequestResult): void {
    request.active = false
    this.inFlight--
    if (result.outcome !== 'OK') this.#hearWait(request.arm, result)
    this.dropped.hear(request.arm, result)
    this.#requests.free(request)
    const { recorder, slot, session } = request
    let goesOn = false
    if (endsAtWill(this.stopReason) && result.outcome === 'KT_ABORTED_AT_DEADLINE') {
      this.#cutOff(request)
      this.#phase?.slotFreed(result.endUs)
      return
    }
    if (request.released.woken && slot.reused) this.#leadTime.learn(request.released.intendedUs, slot.readyUs)
    if (recorder) {
      const { intendedUs, waited } = request.released
      this.#lastEndUs = result.endUs
      this.series.ended(result.endUs, result.endUs - intendedUs, result.outcome === 'OK', request.arm)
      if (this.#plan.load.mode === 'open') {
        const lateUs = request.slot.handedOverUs - intendedUs
        if (!waited) this.kept.sendLag.record(lateUs)
        recorder.endedOnSchedule(request, result, lateUs)
      }
      recorder.inFlightUs += result.endUs - request.slot.dispatchedUs
      recorder.ended(result, intendedUs, request.nonce, request, request.sample)
      if (session) {
        recorder.conversations?.turnEnded(session.turn, result, intendedUs, request.nonce)
        goesOn = this.#sessions?.ended(session, result, recorder.conversations) ?? false
      }
      this.#hooks.ended?.(request, result)
      this.#checkLimits()
      if (this.#plan.stopWhenRefused && wouldRepeat(result.outcome, result.status)) this.stop('refused', 0)
    } else if (request.part === 'warmup' || request.part === 'idleFirst') {
      this.#recorder(request.arm).excluded(result, request.part)
      this.#checkLimits()
    } else if (request.part === 'canceled') {
      this.#recorder(request.arm).leftEarly(request, result)
      this.#checkLimits()
    }
    this.#phase?.slotFreed(result.endUs, goesOn)
  }

  #hearWait(arm: number, result: RequestResult): void {
    const untilUs = this.#recorder(arm).hold.hear(result)
    if (untilUs === undefined || !this.#plan.respectRetryAfter) return
    this.holdArm(arm, untilUs)
    this.#hooks.held?.(arm, untilUs)
  }

  /** The user's interrupt or condition cut the request off: that is no failure of the target, and in no figure. */
  #cutOff({ recorder, part, arm, block, category }: InFlightRequest): void {
    if (recorder) recorder.cut(block, category)
    else if (part === 'warmup' || part === 'idleFirst') this.#recorder(arm)[part].sent--
  }

  #recorder(arm: number): ArmRecorder {
    const recorder = this.recorders[arm]
    if (!recorder) throw new Error(`no recorder for arm ${arm}`)
    return recorder
  }

  #checkLimits(): void {
    const reason = limitReached(this.recorders, this.#plan, this.#worker.count)
    if (reason) this.stop(reason, this.#plan.timeoutUs)
  }

  #abortLate(): void {
    const nowUs = this.#clock()
    const drainUntilUs = Math.min(this.#drainUntilUs, this.#phase?.drainUntilUs ?? Number.POSITIVE_INFINITY)
    this.#requests.abortLate(nowUs, nowUs >= drainUntilUs)
  }
}
