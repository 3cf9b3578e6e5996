/**
 * A fleet worker's work for one run: a sending thread, and what goes to and fro between it and the coordinator. The
 * coordinator's beats are a lease: without them the thread stops by itself, and what it has measured stays in the
 * stream of the run (outbox.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { type Result, reasonOf } from '../../errors.ts'
import type { BlockMetric } from '../../slo/metrics.ts'
import { now } from '../../system/clock.ts'
import { localListeners } from '../../system/listeners.ts'
import { type MachineWatch, watchMachine } from '../../system/machine-watch.ts'
import { traceOf } from '../../workload/workload.ts'
import type { Progress, RunRecord } from '../merge.ts'
import { type RunPlan, withRing } from '../plan.ts'
import type { FromSender, Senders, ToSender } from '../senders.ts'
import { startSendingThreads } from '../sending-threads.ts'
import { type ClockOffset, clockTrack, measureOffset } from './clock-offset.ts'
import type { Link } from './link.ts'
import { Outbox } from './outbox.ts'
import * as protocol from './protocol.ts'
import { Questions } from './questions.ts'
import { type Convert, toCommonTime, toOwnTime } from './times.ts'
import { TraceFollower } from './trace-follower.ts'

const TICK_MS = 250
const DRAIN_US = 2_000_000

/** A provider beside the worker. */
interface Upstream {
  url: string
  close(): Promise<unknown>
}

export type StartUpstream = (flags: readonly string[]) => Promise<Upstream>

interface Job {
  job: number
  /** Workers that share it. */
  count: number
  senders: Senders
  machine: MachineWatch
  before: ClockOffset
  away: protocol.WorkerFacts['away']
  lateMs: number
  upstream: Upstream | undefined
  /** The progress that the sending thread told last. */
  told: Progress | undefined
}

export class Engagement {
  readonly run: string
  /** Resolves when the worker is free again; with why it left, where the coordinator did not release it. */
  readonly over: Promise<string | undefined>
  readonly #link: Link
  readonly #index: number
  readonly #graceMs: number
  readonly #startUpstream: StartUpstream
  readonly #end: (why: string | undefined) => void
  readonly #ticker: NodeJS.Timeout
  readonly #outbox: Outbox
  readonly #questions: Questions
  /** The rows of the trace that is replayed, if one is. */
  #trace: TraceFollower | undefined
  readonly #waiting = new Map<number, protocol.Order>()
  #heard = 0
  #heardMs = performance.now()
  #orders: Promise<unknown> = Promise.resolve()
  #job: Job | undefined
  #released = false
  #leaving: string | undefined
  #ticks = 0
  #tickUs = now()

  constructor(link: Link, { run, index, graceMs }: z.infer<typeof protocol.hireSchema>, startUpstream: StartUpstream) {
    this.run = run
    this.#link = link
    this.#index = index
    this.#graceMs = graceMs
    this.#startUpstream = startUpstream
    this.#questions = new Questions(link, run, () => this.#released || this.#leaving !== undefined)
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const orders = link.nc.subscribe(protocol.SUBJECTS.orders(run), {
      callback: (error, { data }) => {
        if (!error) this.#hear(data)
      },
    })
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
    this.over = promise
    this.#end = (why) => {
      clearInterval(this.#ticker)
      orders.unsubscribe()
      resolve(why)
    }
    this.#outbox = new Outbox(link, { run, index }, () => this.#released, this.#end)
  }

  /** The worker itself is asked to end: what it has measured is handed over first. */
  leave(why: string): void {
    if (this.#leaving !== undefined) return
    this.#leaving = why
    if (this.#job) this.#job.senders.post({ type: 'stop', reason: 'sender-lost', drainUs: DRAIN_US })
    else void this.#endWhenHandedOver(why)
  }

  async #endWhenHandedOver(why: string): Promise<void> {
    await this.#outbox.handedOver()
    this.#end(why)
  }

  #hear(bytes: Uint8Array): void {
    this.#heardMs = performance.now()
    const orders = protocol.read(protocol.ordersSchema, bytes, 'an order')
    if (!orders.ok) return
    for (const { seq, order } of orders.value) if (seq > this.#heard) this.#waiting.set(seq, order)
    for (;;) {
      const order = this.#waiting.get(this.#heard + 1)
      if (!order) break
      this.#waiting.delete(++this.#heard)
      this.#orders = this.#orders.then(() => this.#carryOut(order))
    }
  }

  async #carryOut(order: protocol.Order): Promise<void> {
    switch (order.type) {
      case 'job':
        if (this.#index < order.count && this.#leaving === undefined) {
          await this.#start(order).catch((error) => this.#fail(order.job, reasonOf(error)))
        }
        break
      case 'tell':
        if (order.job === this.#job?.job && (order.index ?? this.#index) === this.#index) this.#tell(order.message)
        break
      case 'abandon':
        if (order.job === this.#job?.job) await this.#drop()
        break
      case 'release':
        this.#released = true
        await this.#drop()
        this.#end(undefined)
        break
      default:
        order satisfies never
    }
  }

  async #drop(): Promise<void> {
    const job = this.#job
    this.#job = undefined
    job?.machine.end()
    await job?.senders.abandon()
    await job?.senders.close()
    await job?.upstream?.close()
  }

  async #start(order: Extract<protocol.Order, { type: 'job' }>): Promise<void> {
    const { job, count, parts, samples, live } = order
    await this.#drop()
    const upstream = order.upstream && (await this.#startUpstream(order.upstream))
    const fetched = await this.#withRows(await this.#questions.plan(job, parts))
    const plan = upstream ? sentTo(fetched, upstream.url) : fetched
    const before = await this.#measureClock()
    if (!before.ok) throw new Error(before.why)
    this.#trace?.begin(count, (us) => us + before.value.offsetUs)
    const pids = await Promise.all(plan.arms.map(({ origin }) => localListeners(origin)))
    const machine = await watchMachine([...new Set(pids.flat())])
    const senders = await startSendingThreads(
      { plan, samples, live: live as BlockMetric[] | undefined },
      {
        message: (_, message) => this.#said(job, message),
        lost: () => this.#fail(job, 'its sending thread was lost'),
        failed: (error) => this.#fail(job, reasonOf(error)),
      },
      [{ index: this.#index, count }],
    )
    this.#job = { job, count, senders, machine, before: before.value, away: [], lateMs: 0, upstream, told: undefined }
    if (this.#leaving !== undefined) await this.#drop()
  }

  /** The trace of the plan, as far as it is read; it is that of the run, whose other plans have it too. */
  async #withRows(plan: RunPlan): Promise<RunPlan> {
    if (!traceOf(plan.workload)) return plan
    const lost = (why: string): void => {
      if (this.#job && this.#leaving === undefined) this.#fail(this.#job.job, why)
    }
    this.#trace ??= new TraceFollower(this.#questions, this.#index, lost, plan.arms.length)
    await this.#trace.first
    return withRing(plan, this.#trace.ring)
  }

  async #measureClock(): Promise<Result<ClockOffset>> {
    await sleep(this.#index * protocol.CLOCK_EVERY_MS)
    return measureOffset(this.#questions.clock, now)
  }

  #tell(message: ToSender): void {
    const job = this.#job
    if (!job) return
    const own = toOwnTime(message, (us) => us - job.before.offsetUs)
    if (own.type === 'begin') job.lateMs = Math.max(job.lateMs, (now() - own.startUs) / 1_000)
    job.senders.post(own)
  }

  #said(job: number, message: FromSender): void {
    const current = this.#job
    if (current?.job !== job) return
    const early: Convert = (us) => us + current.before.offsetUs
    if (message.type === 'progress' && !isTold(current, message.progress)) return
    if (message.type === 'progress' || message.type === 'blocks') {
      this.#alive({ job, message: toCommonTime(message, early) })
    } else if (message.type === 'done') {
      this.#outbox.awaits(this.#report(current, message.record))
      this.#job = undefined
    } else this.#outbox.put({ job, message: toCommonTime(message, early) })
  }

  /** The record, after the clock was looked at again: the offset of each of its instants lies between the two. */
  async #report({ job, before, senders, machine, away, lateMs, upstream }: Job, record: RunRecord): Promise<void> {
    // Whoever is lost answers no question.
    const after = this.#leaving === undefined ? await this.#measureClock() : undefined
    const track = clockTrack(after?.ok ? [before, after.value] : [before])
    const convert: Convert = track.ok ? (us) => us + track.value.at(us).offsetUs : (us) => us + before.offsetUs
    await this.#trace?.settle(convert).catch(() => {})
    const clock = {
      offsetUs: before.offsetUs,
      // Of the same measurement as the offset, by which the worker began.
      errorUs: before.errorUs,
      roundTripUs: before.roundTripUs,
      driftUs: track.ok && after?.ok ? track.value.driftUs : null,
      fault: track.ok ? (after && !after.ok ? after.why : null) : track.why,
    }
    const evidence = record.arms.map(({ blocks }) =>
      blocks.map(({ startedAtUs, endedAtUs }) => {
        const found = machine.between(startedAtUs, endedAtUs)
        const stood = away.some(({ atUs, ms }) => atUs < endedAtUs && atUs + ms * 1_000 > startedAtUs)
        return stood ? { ...found, starvedMs: found.spanMs, starvedSpells: Math.max(1, found.starvedSpells) } : found
      }),
    )
    machine.end()
    await senders.close()
    await upstream?.close()
    const facts = {
      ...{ clock, lateMs, machine: evidence },
      away: away.map(({ atUs, ...rest }) => ({ atUs: convert(atUs), ...rest })),
    }
    this.#outbox.put({ job, message: toCommonTime({ type: 'done', record }, convert), facts })
    if (this.#leaving !== undefined) void this.#endWhenHandedOver(this.#leaving)
  }

  #fail(job: number, why: string): void {
    this.#outbox.put({ job, message: { type: 'stopping', reason: 'sender-lost' }, failed: why })
    if (this.#job?.job === job) void this.#drop()
    if (this.#leaving !== undefined) void this.#endWhenHandedOver(this.#leaving)
  }

  #alive(more: { job?: number; message?: FromSender } = {}): void {
    if (!this.#link.connected || this.#link.nc.isClosed()) return
    const alive = protocol.write({ heard: this.#heard, ...more })
    this.#link.nc.publish(protocol.SUBJECTS.alive(this.run, this.#index), alive)
  }

  #tick(): void {
    const nowUs = now()
    const ms = (nowUs - this.#tickUs) / 1_000
    // What the coordinator said meanwhile has not been read yet.
    if (ms > protocol.AWAY_MS) this.#heardMs = performance.now()
    this.#tickUs = nowUs
    if (this.#ticks++ % (protocol.BEAT_MS / TICK_MS) === 0) this.#alive()
    const { connected, changedMs } = this.#link
    const silentMs = performance.now() - (connected ? Math.max(this.#heardMs, changedMs) : changedMs)
    if (connected && silentMs > protocol.SILENCE_MS) this.leave('the coordinator was not heard of any longer')
    if (!connected && silentMs > this.#graceMs) this.leave('the broker was gone for longer than the grace period')
  }
}

/** Whether the coordinator is to hear of it; what the worker learns from it, it learns in any case. */
function isTold(job: Job, progress: Progress): boolean {
  const before = job.told
  notePause(job, progress)
  const isNewPhase = before?.phase !== progress.phase
  return isNewPhase || protocol.isProgressTold(job.count, progress.elapsedUs, before.elapsedUs)
}

/**
 * The sending thread tells its progress four times a second, by its own clock: where it did not, it stood still. A host
 * that slept is known by its clock, which stood still meanwhile (clock-offset.ts).
 */
function notePause(job: Job, progress: Progress): void {
  const { told } = job
  job.told = progress
  if (told?.phase !== progress.phase) return
  const ms = (progress.elapsedUs - told.elapsedUs) / 1_000
  if (ms > protocol.AWAY_MS) job.away.push({ atUs: now() - ms * 1_000, ms })
}

function sentTo(plan: RunPlan, url: string): RunPlan {
  const { origin } = new URL(url)
  return { ...plan, arms: plan.arms.map((arm) => ({ ...arm, origin })) }
}
