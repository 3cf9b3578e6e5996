/**
 * The texts of one stream: reads events, and puts the text of each choice (and within it of content, reasoning and each
 * tool call) together over them. The text of a large event is judged in slices, so that others have the event loop in
 * between; whatever the slices, the judgement is that of the whole.
 */
import type { KeyPath } from '../../../src/wire/key-paths.ts'
import { TextBuffer } from '../pattern/text-buffer.ts'
import { BufferedEvent, type TextChannel } from './buffered-event.ts'
import { EventReader } from './event-reader.ts'
import { appendJsonString } from './json-string.ts'
import type { RedactionPipeline } from './redaction-pipeline.ts'

/** Texts of an event up to this size are judged at once. */
const LARGE_BYTES = 16 * 1024
/** Characters that are judged in one turn: some milliseconds' worth, with any pattern that is not slow in itself. */
const SLICE = 4 * 1024
/** What beginning another text costs, in characters. */
const TEXT_COST = 64

/** A text of a large event that waits for its turn, and what follows from its end. */
interface WaitingText {
  channel: TextChannel
  text: TextBuffer
  read: number
  whole: boolean
}

export class Channels {
  readonly #pipelineOf: () => RedactionPipeline
  readonly #reader = new EventReader()
  readonly #byPlace = new Map<KeyPath, TextChannel>()
  /** Channels with text that was not judged yet, or that ended. */
  #touched: TextChannel[] = []
  /** Channels that the next event ends unless it goes on with them. */
  #loose: Set<TextChannel> | undefined
  /** A search has had its turn and is not through. */
  #isUnfinished = false
  #waiting: WaitingText[] = []
  #nextWaiting = 0
  /** Ends that the large event told. */
  #endsLater: (() => void)[] = []

  constructor(pipelineOf: () => RedactionPipeline) {
    this.#pipelineOf = pipelineOf
  }

  /** A part of the last event waits to be judged: read no other before that. */
  get isBusy(): boolean {
    return this.#waiting.length > 0 || this.#isUnfinished
  }

  values(): Iterable<TextChannel> {
    return this.#byPlace.values()
  }

  /** Where the event after the last one begins. */
  get next(): number {
    return this.#reader.next
  }

  /** Reads the event at `at`. Undefined: it cannot be read, and so cannot pass. */
  read(bytes: Buffer, at: number): BufferedEvent | undefined {
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
    const isLarge = reader.next - at > LARGE_BYTES
    for (const text of scan.texts) {
      const channel = text.whole ? this.#newChannel(text.choice) : this.#channel(text.place, text.choice)
      if (isLarge) this.#wait(event, channel, text)
      else {
        const buffer = channel.pipeline.text
        const start = buffer.end
        appendJsonString(buffer, reader.bytes, text.from, text.to)
        event.add({ channel, from: text.from, to: text.to, start, end: buffer.end, raw: false })
        this.#touch(channel)
        if (text.whole) channel.ends = true
      }
      if (text.loose && !text.whole) {
        this.#loose ??= new Set()
        this.#loose.add(channel)
      }
    }
    // What the next event does not go on with has ended: nothing else would ever say so.
    if (before) for (const channel of before) if (!this.#loose?.has(channel)) this.#end(channel)
    if (scan.ends) {
      const choice = scan.choices === 'one' ? scan.choice : scan.part
      if (this.#waiting.length > 0) this.#endsLater.push(() => this.#endChoice(choice))
      else this.#endChoice(choice)
    }
    return event
  }

  /** Judges what was read and not judged. Where `isBusy` is true afterwards, the rest needs another turn. */
  judge(): void {
    if (this.#waiting.length > 0 && !this.#isUnfinished) this.#readSlice()
    const touched = this.#touched
    let unfinished = 0
    for (const channel of touched) {
      channel.touched = !channel.pipeline.advance(channel.ends)
      if (channel.touched) touched[unfinished++] = channel
    }
    touched.length = unfinished
    this.#isUnfinished = unfinished > 0
  }

  /** Nothing more will be read. */
  finish(): void {
    for (const channel of this.#byPlace.values()) this.#end(channel)
    this.judge()
  }

  #readAside(event: BufferedEvent, from: number, to: number): void {
    const channel = this.#newChannel(0)
    const { text } = channel.pipeline
    const start = text.end
    text.append(this.#reader.bytes.toString('utf8', from, to))
    event.add({ channel, from, to, start, end: text.end, raw: true })
    this.#end(channel)
  }

  #wait(event: BufferedEvent, channel: TextChannel, { from, to, whole }: { from: number; to: number; whole: boolean }) {
    const text = new TextBuffer(to - from + 1)
    appendJsonString(text, this.#reader.bytes, from, to)
    const start = event.pieces.findLast((piece) => piece.channel === channel)?.end ?? channel.pipeline.text.end
    event.add({ channel, from, to, start, end: start + text.end, raw: false })
    this.#waiting.push({ channel, text, read: 0, whole })
  }

  #readSlice(): void {
    for (let left = SLICE; left > 0; left -= TEXT_COST) {
      const one = this.#waiting[this.#nextWaiting]
      if (!one) break
      const to = Math.min(one.text.end, one.read + left)
      one.channel.pipeline.text.appendFrom(one.text, one.read, to)
      left -= to - one.read
      one.read = to
      this.#touch(one.channel)
      if (to < one.text.end) return
      if (one.whole) one.channel.ends = true
      this.#nextWaiting++
    }
    if (this.#nextWaiting < this.#waiting.length) return
    this.#waiting = []
    this.#nextWaiting = 0
    for (const end of this.#endsLater.splice(0)) end()
  }

  #channel(place: KeyPath, choice: number): TextChannel {
    const known = this.#byPlace.get(place)
    if (known && !known.ends) return known
    const made = this.#newChannel(choice)
    this.#byPlace.set(place, made)
    return made
  }

  #newChannel(choice: number): TextChannel {
    return { choice, pipeline: this.#pipelineOf(), ends: false, left: 0, touched: false }
  }

  /** This choice, or every choice, gets no more text: nothing waits for it any longer. */
  #endChoice(choice: number | undefined): void {
    for (const channel of this.#byPlace.values()) {
      if (choice === undefined || channel.choice === choice) this.#end(channel)
    }
  }

  #end(channel: TextChannel): void {
    channel.ends = true
    this.#touch(channel)
  }

  #touch(channel: TextChannel): void {
    if (channel.touched) return
    channel.touched = true
    if (this.#touched.length === 0) this.#touched = [channel]
    else this.#touched.push(channel)
  }
}
