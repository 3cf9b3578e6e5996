/**
 * Output policies on an event stream. The texts of its events (see channels.ts) are judged as they grow. An event
 * leaves as soon as its text is settled, byte for byte where nothing in it was found, and never in two: it says more
 * than its text, which must be said once. Only two things are held: text that could still become part of a match, with
 * its event, and events that must not overtake it (of the same choice, and of no choice, such as usage and the end).
 */
import type { StreamFilter as Filter, StreamSink } from '../../http/hooks.ts'
import type { DetectorOptions, PolicyGroup } from '../policy/policy.ts'
import { type BufferedEvent, Leaving, type TextChannel } from './buffered-event.ts'
import { Channels } from './channels.ts'
import { RedactionPipeline } from './redaction-pipeline.ts'
import { SseSplit } from './sse-split.ts'
import type { PolicyBlock, PolicyEvents } from './text-scanner.ts'

interface StreamFilterOptions extends Omit<DetectorOptions, 'onSettled' | 'run' | 'early'> {
  onFlush: 'hold' | 'release'
}

/** What the filter reports. */
interface FilterEvents extends PolicyEvents {
  /** The filter holds something back on purpose from now on, or no longer. */
  holding(on: boolean): void
  /** An event was held for longer than the flush interval. */
  overrun(): void
  /** An event left before its text was judged. */
  releasedUndecided(): void
  /** How the response ends when a policy stops it: its last event, and a code for the record. */
  blocked(block: PolicyBlock | 'unreadable'): { lastEvent: Buffer; code: string }
}

/** How much may wait for webhooks before the provider has to wait too. */
const MAX_HELD_BYTES = 1024 * 1024

const NOTHING = Buffer.alloc(0)

export class PolicyStreamFilter implements Filter {
  readonly #setting: StreamFilterOptions
  readonly #events: FilterEvents
  readonly #sink: StreamSink
  readonly #split = new SseSplit()
  readonly #channels: Channels
  #queue: BufferedEvent[] = []
  #holding = false
  #timer: NodeJS.Timeout | undefined
  #ready = true
  /** Detectors settle text by themselves. What is held otherwise needs more of the stream, which must not stop. */
  readonly #settlesLater: boolean
  #paused = false
  #complete = false
  #over = false
  /** What follows a large event, which is judged over several turns. */
  #rest: Buffer[] | undefined
  #endsAfterRest = false
  readonly #leaving = new Leaving()
  /** When this turn of the filter began. */
  #nowMs = 0

  constructor(groups: readonly PolicyGroup[], setting: StreamFilterOptions, events: FilterEvents, sink: StreamSink) {
    this.#setting = setting
    const forAll = { ...setting, onSettled: () => this.#onSettledLater(), run: (step: () => void) => sink.run(step) }
    this.#channels = new Channels(() => new RedactionPipeline(groups, forAll, events))
    this.#events = events
    this.#sink = sink
    this.#settlesLater = groups.some((group) => group.some(({ stream }) => stream.settlesLater))
  }

  write(chunk: Buffer, nowMs = performance.now()): boolean {
    if (this.#over) return true
    this.#nowMs = nowMs
    const events = this.#split.push(chunk)
    if (events === undefined) this.#block('unreadable')
    else if (events.length > 0) this.#take(events)
    this.#paused = this.#settlesLater && this.#heldBytes() > MAX_HELD_BYTES
    return this.#ready && !this.#paused && !this.#rest
  }

  end(): void {
    if (this.#over) return
    this.#nowMs = performance.now()
    const rest = this.#split.end()
    if (rest.length > 0) this.#take(rest)
    if (this.#rest) this.#endsAfterRest = true
    else if (!this.#over) this.#end()
  }

  drained(): void {
    this.#ready = true
  }

  abort(): void {
    this.#over = true
    clearTimeout(this.#timer)
    for (const { pipeline } of this.#channels.values()) pipeline.close()
    this.#queue = []
  }

  #end(): void {
    this.#complete = true
    this.#channels.finish()
    this.#leave()
    if (this.#channels.isBusy && !this.#over) this.#goOnLater([])
  }

  /** Takes whole events, once those before them are judged. */
  #take(bytes: Buffer): void {
    if (this.#rest) {
      this.#rest.push(bytes)
      return
    }
    const at = this.#judge(bytes)
    if (this.#channels.isBusy) this.#goOnLater([bytes.subarray(at)])
  }

  /** Reads whole events, judges their text, and writes what is settled. Returns how far it has read. */
  #judge(bytes: Buffer): number {
    const channels = this.#channels
    let isReadable = true
    let at = 0
    while (at < bytes.length && isReadable && !channels.isBusy) {
      const event = channels.read(bytes, at)
      if (event) this.#queue.push(event)
      else isReadable = false
      at = channels.next
    }
    channels.judge()
    this.#leave()
    if (!isReadable && !this.#over) this.#block('unreadable')
    // The rest must not keep the whole chunk alive.
    for (const held of this.#queue) held.detach()
    return at
  }

  /** The event loop is for others before the large event goes on. */
  #goOnLater(rest: Buffer[]): void {
    this.#rest = rest
    setImmediate(() => this.#sink.run(() => this.#goOn(rest)))
  }

  #goOn(rest: Buffer[]): void {
    this.#nowMs = performance.now()
    do {
      const [first = NOTHING] = rest
      const unread = first.subarray(this.#judge(first))
      if (unread.length > 0) rest[0] = unread
      else rest.shift()
      if (this.#channels.isBusy && !this.#over) {
        this.#goOnLater(rest)
        return
      }
    } while (rest.length > 0 && !this.#over)
    this.#rest = undefined
    if (this.#over) return
    if (this.#endsAfterRest && !this.#complete) this.#end()
    else if (this.#ready && !this.#paused) this.#sink.resume()
  }

  #onSettledLater(): void {
    if (this.#over) return
    this.#nowMs = performance.now()
    for (const channel of this.#allChannels()) channel.pipeline.advance(this.#complete || channel.ends)
    this.#leave()
    if (!this.#paused || this.#over || this.#heldBytes() > MAX_HELD_BYTES) return
    this.#paused = false
    this.#sink.resume()
  }

  #heldBytes(): number {
    return this.#queue.reduce((sum, { from, to }) => sum + to - from, 0)
  }

  #allChannels(): Set<TextChannel> {
    const all = new Set(this.#channels.values())
    for (const { pieces } of this.#queue) for (const { channel } of pieces) all.add(channel)
    return all
  }

  /** Writes what may leave. */
  #leave(): void {
    const queue = this.#queue
    const out = this.#leaving
    /** Choices with something held; an event of no choice that is held lets nothing overtake it. */
    let waits: number | undefined
    let othersWait: Set<number> | undefined
    let allWait = false
    let block: PolicyBlock | undefined
    let stay = 0
    for (const event of queue) {
      const { choice } = event
      for (const { channel } of event.pieces) block ??= channel.pipeline.blocked
      const isBarred = stay > 0 && (allWait || choice < 0 || choice === waits || othersWait?.has(choice))
      if (!isBarred && event.isSettled) {
        if (event.isUnchanged) out.add(event.bytes, event.from, event.to)
        else out.add(event.rewritten())
        this.#noteOverrun(event)
        event.leave()
        continue
      }
      if (choice < 0) allWait = true
      else if (waits === undefined || waits === choice) waits = choice
      else {
        othersWait ??= new Set()
        othersWait.add(choice)
      }
      queue[stay++] = event
    }
    queue.length = stay
    const bytes = out.take()
    if (bytes) this.#ready = this.#sink.write(bytes)
    if (block) this.#block(block)
    else this.#afterLeaving()
  }

  #afterLeaving(): void {
    const holds = this.#queue.length > 0
    if (holds !== this.#holding) {
      this.#holding = holds
      this.#events.holding(holds)
    }
    if (holds) this.#noteHeld()
    else if (this.#complete) {
      this.#over = true
      clearTimeout(this.#timer)
      this.#sink.end()
    }
  }

  /** Notes since when each event stays. A timer waits for the oldest that is not over the interval yet. */
  #noteHeld(): void {
    const nowMs = this.#nowMs
    for (const event of this.#queue) event.heldSinceMs ??= nowMs
    if (this.#setting.onFlush === 'hold' || this.#timer) return
    const { flushMs } = this.#setting
    const next = this.#queue.find((event) => !isOver(event, flushMs, nowMs))?.heldSinceMs ?? nowMs
    this.#timer = setTimeout(() => this.#sink.run(() => this.#flush()), Math.ceil(next + flushMs - nowMs))
  }

  /** What was held for the flush interval is judged as if its text ended here, unless the config forbids it. */
  #flush(): void {
    this.#timer = undefined
    // What is being judged is not held.
    if (this.#over || this.#channels.isBusy) return
    const nowMs = performance.now()
    this.#nowMs = nowMs
    for (const event of this.#queue) {
      if (!isOver(event, this.#setting.flushMs, nowMs)) break
      if (event.isSettled) continue
      for (const { channel } of event.pieces) channel.pipeline.advance(true)
      if (event.isSettled) this.#events.releasedUndecided()
    }
    this.#leave()
  }

  #noteOverrun(event: BufferedEvent): void {
    if (isOver(event, this.#setting.flushMs, this.#nowMs)) this.#events.overrun()
  }

  #block(block: PolicyBlock | 'unreadable'): void {
    const { lastEvent, code } = this.#events.blocked(block)
    for (const event of this.#queue) this.#noteOverrun(event)
    if (this.#holding) this.#events.holding(false)
    this.abort()
    this.#sink.block(lastEvent, code)
  }
}

function isOver({ heldSinceMs }: BufferedEvent, flushMs: number, nowMs: number): boolean {
  return heldSinceMs !== undefined && nowMs - heldSinceMs >= flushMs
}
