/**
 * The coordinator's side of a fleet: finds workers, hires them for one run, and is then the senders of its plans
 * (senders.ts). Its beats are the lease of the workers, and theirs are how it knows that they are there. A worker that
 * is lost, stood still or began late is remembered by its name.
 */
import { EXIT, type Result, UserError } from '../../errors.ts'
import { now } from '../../system/clock.ts'
import { counted } from '../../units.ts'
import { traceOf } from '../../workload/workload.ts'
import { withoutRing } from '../plan.ts'
import type { HeardOfSenders, Senders, SendersJob, StartSenders, ToSender } from '../senders.ts'
import { InOrder } from './in-order.ts'
import type { Link } from './link.ts'
import { BlockMachines, faultsIn, faultsOf, type Member, toldBy } from './members.ts'
import * as protocol from './protocol.ts'
import { findWorkers, hire, type Wanted } from './roll.ts'
import { TraceRelay } from './trace-relay.ts'

/** Senders begin together this long after the last one was ready, and so many round trips to the broker on top. */
const BEGIN_AFTER_MS = 50
const ROUND_TRIPS = 4
/** A part of a plan, below the largest message that a broker takes by default. */
const PART_BYTES = 512 * 1_024

export interface FleetOptions extends Wanted {
  /** The name of the run, a part of its subjects. */
  run: string
  /** For so long the broker may be gone. */
  graceMs: number
  note(line: string): void
}

interface Hired extends Member {
  /** The last order that it said it has heard. */
  heard: number
  /** When it was last heard of. */
  atMs: number
  lost: boolean
}

interface Job {
  job: number
  count: number
  plan: Uint8Array
  heard: HeardOfSenders
}

export class Fleet {
  readonly run: string
  readonly #link: Link
  readonly #graceMs: number
  readonly #members: Hired[]
  readonly #results: InOrder
  readonly #said: { seq: number; order: protocol.Order }[] = []
  readonly #beginAfterUs: number
  #seq = 0
  #jobs = 0
  #machines = new BlockMachines()
  #job: Job | undefined
  /** Of the trace that is replayed, if one is. */
  #relay: TraceRelay | undefined
  #beat: NodeJS.Timeout
  #beatMs = performance.now()
  /** Ends the reading of the results. */
  readonly #closing = new AbortController()
  /** The run came to no end of its own: what its workers measured stays with the broker. */
  #isBroken = false

  private constructor(link: Link, { run, graceMs }: FleetOptions, cards: protocol.Card[], roundTripMs: number) {
    this.run = run
    this.#link = link
    this.#graceMs = graceMs
    this.#beginAfterUs = (BEGIN_AFTER_MS + ROUND_TRIPS * roundTripMs) * 1_000
    const atMs = performance.now()
    this.#members = cards.map((card) => ({
      ...{ card, heard: 0, atMs, told: undefined, faults: [], lost: false },
    }))
    this.#results = new InOrder((index, result) => this.#take(index, result))
    this.#serve()
    this.#beat = setInterval(() => this.#tick(), protocol.BEAT_MS)
  }

  /** Finds and hires the workers that are wanted, or says in one sentence why not. */
  static async open(link: Link, options: FleetOptions): Promise<Fleet> {
    const jsm = await link.jsm()
    const found = await findWorkers(link)
    const cards = await hire(link, found, options)
    await link.openStream(jsm, protocol.streamOf(options.run), protocol.SUBJECTS.results(options.run, '>'))
    const fleet = new Fleet(link, options, cards, await link.nc.rtt())
    void link.consume(protocol.streamOf(options.run), fleet.#closing.signal, (subject, bytes) => {
      fleet.#results.take(subject, bytes)
    })
    options.note(`${counted(cards.length, 'fleet worker')} for run ${options.run}`)
    return fleet
  }

  get size(): number {
    return this.#members.length
  }

  /** For the parts of a run: as many workers as its plan has shares. */
  readonly start: StartSenders = async ({ plan, samples, live, upstream }: SendersJob, heard): Promise<Senders> => {
    const count = Math.min(plan.workers ?? 1, this.size)
    const ring = traceOf(plan.workload)?.ring
    if (ring) this.#relay ??= new TraceRelay(this.#link, this.run, ring, this.size)
    if (ring !== undefined && ring !== this.#relay?.ring) throw new Error('a run of a fleet replays one trace')
    const bytes = protocol.write(withoutRing(plan))
    const job = ++this.#jobs
    this.#job = { job, count, plan: bytes, heard }
    this.#machines = new BlockMachines()
    for (const member of this.#members) {
      member.told = undefined
      if (!member.lost) member.faults = []
    }
    const parts = [...protocol.pieces(bytes, PART_BYTES)].length
    this.#order({
      type: 'job',
      job,
      count,
      parts,
      samples,
      ...(live ? { live: [...live] } : {}),
      ...(upstream ? { upstream: [...upstream] } : {}),
    })
    const lost = this.#members.slice(0, count).filter((member) => member.lost)
    if (lost.length > 0) throw this.#broken(lost.flatMap(faultsOf))
    return {
      count,
      beginAfterUs: this.#beginAfterUs,
      post: (message: ToSender, index?: number) => {
        this.#order({ type: 'tell', job, message, ...(index === undefined ? {} : { index }) })
      },
      abandon: async () => this.#order({ type: 'abandon', job }),
      close: async () => {
        if (this.#job?.job === job) this.#job = undefined
      },
    }
  }

  /** What became of each worker in the last run. */
  get members(): readonly Member[] {
    return this.#members
  }

  /** What their machines withheld from its blocks. */
  get machines(): BlockMachines {
    return this.#machines
  }

  /** What the next of its plans is about, kept beside the results for `kt fleet collect`. */
  async describe(about: unknown): Promise<void> {
    const bytes = protocol.write(about)
    const most = (this.#link.nc.info?.max_payload ?? PART_BYTES) / 2
    const all = [...protocol.pieces(bytes, most)]
    const number = this.#jobs + 1
    for (const [part, piece] of all.entries()) {
      const whole = protocol.write({ number, part, parts: all.length, bytes: piece })
      await this.#link.js.publish(protocol.SUBJECTS.results(this.run, 'about'), whole, {
        msgID: `${this.run}.about.${number}.${part}`,
      })
    }
  }

  /**
   * The workers are free again, and nothing of the run is left on the broker; but where the fleet fell apart, its
   * workers leave by themselves, and what they measured can be collected.
   */
  async close(): Promise<void> {
    if (!this.#isBroken) this.#order({ type: 'release' })
    clearInterval(this.#beat)
    this.#relay?.close()
    this.#closing.abort()
    await this.#link.nc.flush().catch(() => {})
    const jsm = this.#isBroken ? undefined : await this.#link.jsm().catch(() => undefined)
    await jsm?.streams.delete(protocol.streamOf(this.run)).catch(() => {})
    await this.#link.close()
  }

  #serve(): void {
    const { nc } = this.#link
    nc.subscribe(protocol.SUBJECTS.plan(this.run), {
      callback: (error, message) => {
        const asked = error ? undefined : protocol.read(protocol.partSchema, message.data, 'a question')
        const job = this.#job
        if (!asked?.ok || !job || job.job !== asked.value.job) return
        const at = asked.value.part * PART_BYTES
        message.respond(job.plan.subarray(at, at + PART_BYTES))
      },
    })
    nc.subscribe(protocol.SUBJECTS.clock(this.run), {
      callback: (error, message) => {
        const receivedUs = now()
        if (!error) message.respond(protocol.write({ receivedUs, sentUs: now() }))
      },
    })
    nc.subscribe(protocol.SUBJECTS.alive(this.run, '*'), {
      callback: (error, { subject, data }) => {
        const index = Number(subject.split('.').at(-1))
        const member = this.#members[index]
        const alive = error || !member ? undefined : protocol.read(protocol.aliveSchema, data, 'a beat')
        if (!member || !alive?.ok) return
        member.atMs = performance.now()
        member.heard = Math.max(member.heard, alive.value.heard)
        const { job, message } = alive.value
        if (message && this.#job?.job === job) this.#job?.heard.message(index, message)
      },
    })
  }

  #order(order: protocol.Order): void {
    const one = { seq: ++this.#seq, order }
    this.#said.push(one)
    this.#link.nc.publish(protocol.SUBJECTS.orders(this.run), protocol.write([one]))
  }

  /** A worker's result, in the order in which it said them. */
  #take(index: number, read: Result<protocol.WorkerResult>): void {
    const member = this.#members[index]
    const job = this.#job
    if (!member || !job) return
    // What cannot be read is as good as lost: the run has no result of this worker.
    if (!read.ok) {
      this.#lose(index, read.why)
      return
    }
    const result = read.value
    if (job.job !== result.job) return
    member.atMs = performance.now()
    if (result.failed !== undefined) {
      this.#lose(index, result.failed)
      return
    }
    if (result.message.type === 'done' && result.facts) {
      member.told = toldBy(result.facts, result.message.record)
      this.#machines.add(result.facts, result.message.record)
      member.faults.push(...faultsIn(result.facts))
    }
    job.heard.message(index, result.message)
  }

  #lose(index: number, why: string): void {
    const member = this.#members[index]
    if (!member || member.lost) return
    member.lost = true
    member.faults.push(why)
    const job = this.#job
    if (!job || index >= job.count) return
    const others = this.#members.slice(0, job.count)
    if (others.every(({ lost }) => lost)) job.heard.failed(this.#broken(others.flatMap(faultsOf)))
    else job.heard.lost(index)
  }

  #broken(faults: readonly string[]): UserError {
    this.#isBroken = true
    return new UserError(
      `the fleet is not whole any longer: ${faults.join('; ')}`,
      `What was measured is with the broker: kt fleet collect ${this.run}.`,
      EXIT.inconclusive,
    )
  }

  #tick(): void {
    const nowMs = performance.now()
    const stoodStill = nowMs - this.#beatMs > protocol.AWAY_MS
    this.#beatMs = nowMs
    // What workers said while this process stood still has not been read yet.
    if (stoodStill) for (const member of this.#members) member.atMs = nowMs
    const { connected, changedMs } = this.#link
    const heardByAll = Math.min(...this.#members.filter(({ lost }) => !lost).map(({ heard }) => heard))
    while ((this.#said[0]?.seq ?? Number.POSITIVE_INFINITY) <= heardByAll) this.#said.shift()
    if (!connected) {
      if (nowMs - changedMs < this.#graceMs) return
      for (const index of this.#members.keys()) {
        this.#lose(index, 'the broker was gone for longer than the grace period')
      }
      return
    }
    this.#link.nc.publish(protocol.SUBJECTS.orders(this.run), protocol.write(this.#said))
    for (const [index, { atMs, lost }] of this.#members.entries()) {
      const silentMs = nowMs - Math.max(atMs, changedMs)
      if (lost || silentMs < protocol.SILENCE_MS) continue
      this.#lose(index, `it was not heard of for ${Math.round(silentMs / 1_000)} s`)
    }
  }
}
