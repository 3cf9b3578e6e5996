/**
 * The one request path: a schedule says when, the workload what, a connection how; the recorder keeps what happened. Closed
 * and open loop, one arm and several, warm-up and measurement are parameters of this loop, never copies of it.
 * A request that is due but finds no free slot waits, and its wait counts: `intended` is when it was due (open loop) or when
 * its slot became free (closed loop).
 */
import { Connection } from '../client/connection.ts'
import { type Ask, type Exchange, exchange, type Running, type TokenListener } from '../client/exchange.ts'
import { GivenUp } from '../client/failure.ts'
import { closedLoop, constantRate, type Limits, type Schedule } from '../schedule/schedule.ts'
import { Histogram } from '../stats/histogram.ts'
import type { Clock } from '../system/clock.ts'
import { requestMaker } from '../workload/workload.ts'
import type { AnswerSample } from './answer-samples.ts'
import type { RunPlan, Segment } from './plan.ts'
import { Recorder } from './recorder.ts'
import { blockOf, segmentsOf } from './segments.ts'
import { Series } from './series.ts'
import { startWaker } from './waker.ts'

/** After this many failures without one success the target is taken for dead. */
const GIVE_UP_AFTER = 1_000
const DEADLINE_CHECK_MS = 10

export type StopReason = 'interrupted' | 'token-budget' | 'target-dead'

interface InFlight {
  running: Running
  dispatchedUs: number
  connection: Connection
}

/** What a segment does with a request: measured ones go to the recorder, warm-up only counts. */
interface Sink {
  released(dueUs: number, index: number): void
  listen(nonce: string): TokenListener
  /** What the answer of the arm's request `index` is kept in; undefined where it is not. */
  sample(index: number): AnswerSample | undefined
  ended(result: Exchange, intendedUs: number, nonce: string, index: number, dueUs: number, sample?: AnswerSample): void
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
  readonly #make: ReturnType<typeof requestMaker>
  readonly #idle: Connection[][]
  readonly #all: Connection[][]
  readonly #inFlight = new Set<InFlight>()
  readonly #nextIndex: number[]
  #pump: () => void = () => {}
  #drainUntilUs = Number.POSITIVE_INFINITY

  constructor(plan: RunPlan, clock: Clock) {
    this.#plan = plan
    this.#clock = clock
    this.series = new Series(clock())
    this.#make = requestMaker(plan.workload)
    this.recorders = plan.arms.map((arm) => new Recorder(arm.name))
    this.#idle = plan.arms.map(() => [])
    this.#all = plan.arms.map(() => [])
    this.#nextIndex = plan.arms.map(() => 0)
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  /** Sends everything the plan asks for and resolves when the last request has ended. */
  async run(onMeasuring: () => void): Promise<void> {
    const waker = startWaker(this.#clock, () => this.#pump())
    const deadlines = setInterval(() => this.#giveUpLate(), DEADLINE_CHECK_MS)
    try {
      const { arms, warmup } = this.#plan
      for (let arm = 0; arm < arms.length; arm++) {
        if (warmup > 0) await this.#segment(arm, { requests: warmup }, this.#warmupSink(arm), waker.wakeAt)
      }
      this.#forgetWarmup()
      onMeasuring()
      for (const segment of segmentsOf(this.#plan)) {
        if (this.stopReason) break
        const startedUs = this.#clock()
        await this.#segment(segment.arm, segment, this.#measuringSink(segment), waker.wakeAt)
        const recorder = this.recorders[segment.arm]
        if (recorder) recorder.activeUs += this.#clock() - startedUs
      }
    } finally {
      clearInterval(deadlines)
      await waker.close()
      this.opened = this.#all.map((connections) => connections.reduce((sum, { opened }) => sum + opened, 0))
      await Promise.all(this.#all.flat().map((connection) => connection.close()))
    }
  }

  /** Sends no more; what is in flight has `drainUs` to end, then counts as given up. */
  stop(reason: StopReason, drainUs: number): void {
    this.stopReason ??= reason
    this.#drainUntilUs = Math.min(this.#drainUntilUs, this.#clock() + drainUs)
    this.#pump()
  }

  #forgetWarmup(): void {
    this.sendLag = new Histogram()
    this.offeredUs = 0
    this.achievedUs = 0
    this.series = new Series(this.#clock())
  }

  #segment(arm: number, limits: Limits, sink: Sink, wakeAt: (us: number) => void): Promise<void> {
    const { load, timeoutUs } = this.#plan
    const schedule: Schedule = load.mode === 'closed' ? closedLoop(limits) : constantRate(load.rps, limits)
    const slots = load.mode === 'closed' ? load.concurrency : load.maxInFlight
    const startUs = this.#clock()
    /** When each free slot became free, the earliest first. */
    const freeSince = new Array<number>(load.mode === 'closed' ? slots : 0).fill(startUs)
    // Past its duration a segment owes what was due, but not for longer than one request may take.
    const lastReleaseUs = startUs + (limits.durationUs ?? Number.POSITIVE_INFINITY) + timeoutUs
    let released = 0
    let busy = 0
    let lastDueUs = 0
    let lastSentUs = startUs
    let waitedForSlot = false

    return new Promise((resolve) => {
      const finishIfDone = (): void => {
        if (busy > 0) return
        this.#pump = () => {}
        if (load.mode === 'open') {
          this.offeredUs += lastDueUs
          this.achievedUs += Math.max(lastDueUs, lastSentUs - startUs)
        }
        resolve()
      }
      /** What was due and could not be sent is counted and stays in the tail. */
      const countUnsent = (elapsedUs: number): void => {
        if (load.mode === 'closed') return
        for (;;) {
          const pace = schedule(elapsedUs, released)
          if (pace.kind === 'end' || pace.atUs > elapsedUs) return
          const index = released++
          sink.released(pace.atUs, index)
          sink.ended(unsent(startUs + elapsedUs), startUs + pace.atUs, '', index, pace.atUs)
        }
      }
      const release = (dueUs: number): void => {
        const intendedUs = load.mode === 'closed' ? (freeSince.shift() ?? startUs + dueUs) : startUs + dueUs
        const index = released++
        lastDueUs = dueUs
        busy++
        sink.released(dueUs, index)
        lastSentUs = this.#clock()
        if (load.mode === 'open' && !waitedForSlot) this.sendLag.record(lastSentUs - intendedUs)
        waitedForSlot = false
        this.#send(arm, intendedUs, sink, index, dueUs, (endUs) => {
          busy--
          if (load.mode === 'closed') freeSince.push(endUs)
          this.#pump()
        })
      }
      this.#pump = () => {
        for (;;) {
          const elapsedUs = this.#clock() - startUs
          const pace = schedule(elapsedUs, released)
          if (pace.kind === 'end') return finishIfDone()
          if (this.stopReason || startUs + elapsedUs > lastReleaseUs) {
            countUnsent(elapsedUs)
            return finishIfDone()
          }
          if (pace.atUs > elapsedUs) return wakeAt(startUs + pace.atUs)
          if (busy >= slots) {
            waitedForSlot = true
            return
          }
          release(pace.atUs)
        }
      }
      this.#pump()
    })
  }

  #send(
    arm: number,
    intendedUs: number,
    sink: Sink,
    index: number,
    dueUs: number,
    ended: (endUs: number) => void,
  ): void {
    const target = this.#plan.arms[arm]
    if (!target) throw new Error(`no arm ${arm}`)
    const requestIndex = this.#nextIndex[arm] ?? 0
    this.#nextIndex[arm] = requestIndex + 1
    const { nonce, body, stream } = this.#make(target.tag, requestIndex)
    const connection = this.#acquire(arm, target.origin)
    const sample = sink.sample(requestIndex)
    const ask: Ask = { path: target.path, headers: target.headers, body, stream, sample }
    const entry: InFlight = { running: { abort: () => {} }, dispatchedUs: this.#clock(), connection }
    this.#inFlight.add(entry)
    this.series.sent(entry.dispatchedUs)
    entry.running = exchange(connection, ask, this.#clock, sink.listen(nonce), (result) => {
      this.#inFlight.delete(entry)
      this.#idle[arm]?.push(connection)
      this.series.ended(result.endUs, result.endUs - intendedUs, result.outcome === 'OK')
      sink.ended(result, intendedUs, nonce, index, dueUs, sample)
      this.#checkLimits()
      ended(result.endUs)
    })
  }

  /** The connection used last is the warmest; a new one only when none is idle. */
  #acquire(arm: number, origin: string): Connection {
    const idle = this.#idle[arm]?.pop()
    if (idle) return idle
    const connection = new Connection(origin, this.#clock)
    this.#all[arm]?.push(connection)
    return connection
  }

  #warmupSink(arm: number): Sink {
    const warmup = this.recorders[arm]?.warmup ?? { sent: 0, failed: 0 }
    return {
      released: () => void warmup.sent++,
      listen: () => () => {},
      sample: () => undefined,
      ended: (result) => {
        if (result.outcome !== 'OK') warmup.failed++
      },
    }
  }

  #measuringSink(segment: Segment): Sink {
    const recorder = this.recorders[segment.arm]
    if (!recorder) throw new Error(`no recorder for arm ${segment.arm}`)
    return {
      released: (dueUs, index) => recorder.released(blockOf(segment, index, dueUs), this.#clock()),
      listen: (nonce) => recorder.tokenListener(nonce),
      sample: (index) => recorder.sampleOf(index),
      ended: (result, intendedUs, nonce, index, dueUs, sample) =>
        recorder.ended(result, intendedUs, nonce, blockOf(segment, index, dueUs), sample),
    }
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
    if (tokenBudget !== undefined && tokens >= tokenBudget) this.stop('token-budget', this.#plan.timeoutUs)
    if (failed >= GIVE_UP_AFTER && failed === done) this.stop('target-dead', this.#plan.timeoutUs)
  }

  /** kt owns its deadlines; requests are kept in the order of dispatch and share one timeout, so the late ones come first. */
  #giveUpLate(): void {
    const nowUs = this.#clock()
    const drained = nowUs >= this.#drainUntilUs
    for (const { running, dispatchedUs, connection } of [...this.#inFlight]) {
      if (drained) running.abort(new GivenUp('KT_ABORTED_AT_DEADLINE', 'the run was over'))
      else if (nowUs - dispatchedUs < this.#plan.timeoutUs) break
      else if (Number.isNaN(connection.connectedUs)) {
        running.abort(new GivenUp('KT_TIMEOUT_CONNECT', 'no connection before the timeout'))
      } else running.abort(new GivenUp('KT_TIMEOUT_TOTAL', 'no complete answer before the timeout'))
    }
  }
}

function unsent(endUs: number): Exchange {
  return {
    outcome: 'KT_ABORTED_AT_DEADLINE',
    streamed: false,
    requestChars: 0,
    detail: 'due, but no slot became free before the run was over',
    connectUs: Number.NaN,
    sentUs: Number.NaN,
    headersUs: Number.NaN,
    firstByteUs: Number.NaN,
    firstTokenUs: Number.NaN,
    lastTokenUs: Number.NaN,
    endUs,
    tpotUs: Number.NaN,
    tokenEvents: 0,
    streamedTokens: 0,
    events: 0,
    bodyBytes: 0,
    reused: false,
    usage: undefined,
    stamp: undefined,
    headers: {},
    trailers: {},
  }
}
