/**
 * Output policies on an event stream. The text of each choice (and within it of content, reasoning and each tool call)
 * is put together over the events and judged as it grows. An event leaves as soon as its text is settled, byte for byte
 * where nothing in it was found, and never in two: it says more than its text, which must be said once. Only two things
 * are held: text that could still become part of a match, with its event, and events that must not overtake it (of the
 * same choice, and of no choice, such as usage and the end).
 */
import type { KeyPath } from '../../../src/wire/key-paths.ts'
import type { StreamFilter as Filter, StreamSink } from '../../http/hooks.ts'
import type { DetectorOptions, PolicyGroup } from '../policy/policy.ts'
import { BufferedEvent, type TextChannel } from './buffered-event.ts'
import { EventReader } from './event-reader.ts'
import { appendJsonString } from './json-string.ts'
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

export class PolicyStreamFilter implements Filter {
  readonly #groups: readonly PolicyGroup[]
  readonly #setting: StreamFilterOptions & Omit<DetectorOptions, 'early'>
  readonly #events: FilterEvents
  readonly #sink: StreamSink
  readonly #split = new SseSplit()
  readonly #reader = new EventReader()
  readonly #channels = new Map<KeyPath, TextChannel>()
  #queue: BufferedEvent[] = []
  #holding = false
  #timer: NodeJS.Timeout | undefined
  #ready = true
  /** Detectors settle text by themselves. What is held otherwise needs more of the stream, which must not stop. */
  readonly #settlesLater: boolean
  #paused = false
  #complete = false
  #over = false
  /** Channels with text that was not judged yet. */
  readonly #touched = new Set<TextChannel>()
  /** Choices with something held, while events leave. */
  readonly #waiting = new Set<number>()
  /** Channels that the next event ends unless it goes on with them. */
  #loose: Set<TextChannel> | undefined

  constructor(groups: readonly PolicyGroup[], setting: StreamFilterOptions, events: FilterEvents, sink: StreamSink) {
    this.#groups = groups
    this.#setting = {
      ...setting,
      onSettled: () => this.#onSettledLater(),
      run: (step) => sink.run(step),
    }
    this.#events = events
    this.#sink = sink
    this.#settlesLater = groups.some((group) => group.some(({ stream }) => stream.settlesLater))
  }

  write(chunk: Buffer): boolean {
    if (this.#over) return true
    const events = this.#split.push(chunk)
    if (events === undefined) this.#block('unreadable')
    else if (events.length > 0) this.#take(events)
    this.#paused = this.#settlesLater && this.#heldBytes() > MAX_HELD_BYTES
    return this.#ready && !this.#paused
  }

  end(): void {
    if (this.#over) return
    const rest = this.#split.end()
    if (rest.length > 0) this.#take(rest)
    if (this.#over) return
    this.#complete = true
    for (const channel of this.#channels.values()) this.#finish(channel)
    this.#leave()
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

  /** Reads whole events, judges their text, and writes what is settled. */
  #take(bytes: Buffer): void {
    let isReadable = true
    for (let at = 0; at < bytes.length && isReadable; at = this.#reader.next) {
      const event = this.#read(bytes, at)
      if (event) this.#queue.push(event)
      else isReadable = false
    }
    for (const channel of this.#touched) {
      channel.pipeline.advance(false)
      if (channel.ends) this.#finish(channel)
    }
    this.#touched.clear()
    this.#leave()
    if (!isReadable && !this.#over) this.#block('unreadable')
    // The rest must not keep the whole chunk alive.
    for (const held of this.#queue) held.detach()
  }

  /** Undefined: the event cannot be read, and so cannot pass. */
  #read(bytes: Buffer, at: number): BufferedEvent | undefined {
    const reader = this.#reader
    const kind = reader.read(bytes, at, bytes.length)
    if (kind === 'unreadable') return undefined
    const { scan } = reader
    const event = new BufferedEvent(bytes, at, reader.next)
    if (reader.bytes !== bytes) event.form = { bytes: reader.bytes, from: reader.from, to: reader.to }
    for (let i = 0; i < reader.asides.length; i += 2)
      this.#readAside(event, reader.asides[i] ?? 0, reader.asides[i + 1] ?? 0)
    if (kind === 'nothing') return event
    if (scan.choices === 'one') event.choice = scan.choice
    if (scan.logprobs.length > 0) event.logprobs = [...scan.logprobs]
    const before = this.#loose
    if (before) this.#loose = undefined
    for (const text of scan.texts) {
      const channel = text.whole ? this.#newChannel(text.choice) : this.#channel(text.place, text.choice)
      const buffer = channel.pipeline.text
      const start = buffer.end
      appendJsonString(buffer, reader.bytes, text.from, text.to)
      event.pieces.push({ channel, from: text.from, to: text.to, start, end: buffer.end, raw: false })
      if (text.whole) this.#finish(channel)
      else this.#touched.add(channel)
      if (text.loose && !text.whole) {
        this.#loose ??= new Set()
        this.#loose.add(channel)
      }
    }
    // What the next event does not go on with has ended: nothing else would ever say so.
    for (const channel of before ?? []) if (!this.#loose?.has(channel)) this.#end(channel)
    if (scan.ends) this.#endChoice(scan.choices === 'one' ? scan.choice : scan.part)
    return event
  }

  /** A comment, or a field that nobody knows, is a text of its own. */
  #readAside(event: BufferedEvent, from: number, to: number): void {
    const channel = this.#newChannel(0)
    const { text } = channel.pipeline
    const start = text.end
    text.append(this.#reader.bytes.toString('utf8', from, to))
    event.pieces.push({ channel, from, to, start, end: text.end, raw: true })
    this.#finish(channel)
  }

  #channel(place: KeyPath, choice: number): TextChannel {
    const known = this.#channels.get(place)
    if (known && !known.ends) return known
    const made = this.#newChannel(choice)
    this.#channels.set(place, made)
    return made
  }

  #newChannel(choice: number): TextChannel {
    const pipeline = new RedactionPipeline(this.#groups, this.#setting, this.#events)
    return { choice, pipeline, ends: false, left: 0 }
  }

  /** This choice, or every choice, gets no more text: nothing waits for it any longer. */
  #endChoice(choice: number | undefined): void {
    for (const channel of this.#channels.values()) {
      if (choice === undefined || channel.choice === choice) this.#end(channel)
    }
  }

  #end(channel: TextChannel): void {
    channel.ends = true
    this.#touched.add(channel)
  }

  #finish(channel: TextChannel): void {
    channel.ends = true
    channel.pipeline.advance(true)
  }

  #onSettledLater(): void {
    if (this.#over) return
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
    const out: Buffer[] = []
    const stay: BufferedEvent[] = []
    /** An event of no choice is held: nothing may overtake it. */
    let allWait = false
    const waiting = this.#waiting
    waiting.clear()
    let block: PolicyBlock | undefined
    // Bytes that lie next to each other in the same chunk leave as one.
    let run: BufferedEvent | undefined
    let runTo = 0
    const closeRun = (): void => {
      if (run) out.push(run.bytes.subarray(run.from, runTo))
      run = undefined
    }
    for (const event of queue) {
      for (const { channel } of event.pieces) block ??= channel.pipeline.blocked
      const barred = allWait || (event.choice < 0 ? waiting.size > 0 : waiting.has(event.choice))
      if (!barred && event.isSettled) {
        if (event.isUnchanged) {
          if (run && run.bytes === event.bytes && runTo === event.from) runTo = event.to
          else {
            closeRun()
            run = event
            runTo = event.to
          }
        } else {
          closeRun()
          out.push(event.rewritten())
        }
        if (event.heldSinceMs !== undefined) this.#noteOverrun(event)
        event.leave()
        continue
      }
      if (event.choice >= 0) waiting.add(event.choice)
      else allWait = true
      stay.push(event)
    }
    closeRun()
    this.#queue = stay
    if (out.length > 0) this.#ready = this.#sink.write(out.length === 1 && out[0] ? out[0] : Buffer.concat(out))
    if (block) this.#block(block)
    else this.#afterLeaving()
  }

  #afterLeaving(): void {
    for (const { pipeline, left } of this.#channels.values()) pipeline.drop(left)
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
    const nowMs = performance.now()
    for (const event of this.#queue) event.heldSinceMs ??= nowMs
    if (this.#setting.onFlush === 'hold' || this.#timer) return
    const { flushMs } = this.#setting
    const next = this.#queue.find((event) => !isOver(event, flushMs, nowMs))?.heldSinceMs ?? nowMs
    this.#timer = setTimeout(() => this.#sink.run(() => this.#flush()), Math.ceil(next + flushMs - nowMs))
  }

  /** What was held for the flush interval is judged as if its text ended here, unless the config forbids it. */
  #flush(): void {
    this.#timer = undefined
    if (this.#over) return
    const nowMs = performance.now()
    for (const event of this.#queue) {
      if (!isOver(event, this.#setting.flushMs, nowMs)) break
      if (event.isSettled) continue
      for (const { channel } of event.pieces) channel.pipeline.advance(true)
      if (event.isSettled) this.#events.releasedUndecided()
    }
    this.#leave()
  }

  #noteOverrun(event: BufferedEvent): void {
    if (isOver(event, this.#setting.flushMs, performance.now())) this.#events.overrun()
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
