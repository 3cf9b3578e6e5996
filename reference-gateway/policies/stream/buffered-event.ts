/** An event that has not left yet: its bytes, where text lies in them, and its form once the text was judged. */

import { emptied, jsonContent } from '../../../src/wire/strings.ts'
import type { RedactionPipeline } from './redaction-pipeline.ts'

export interface TextChannel {
  readonly choice: number
  readonly pipeline: RedactionPipeline
  /** Nothing more will be added to its text. */
  ends: boolean
  /** How much of its text has left. */
  left: number
  /** It waits to be judged. */
  touched: boolean
}

/** The bytes that positions in an event refer to. */
interface EventBytes {
  bytes: Buffer
  from: number
  to: number
}

/** A part of a channel's text, and the bytes that hold it. */
export interface Piece {
  channel: TextChannel
  from: number
  to: number
  start: number
  end: number
  /** The text does not lie inside a JSON string. */
  raw: boolean
}

export class BufferedEvent implements EventBytes {
  bytes: Buffer
  from: number
  to: number
  pieces: Piece[] = []
  /** -1 for no choice, or several. */
  choice = -1
  /** Where values lie that repeat the text: from, to, from, to, ... */
  logprobs: number[] | undefined
  /** Since when it is held back; undefined where it has not been. */
  heldSinceMs: number | undefined
  /** The event in the form in which it was read, where it came in another. */
  form: EventBytes | undefined

  constructor(bytes: Buffer, from: number, to: number) {
    this.bytes = bytes
    this.from = from
    this.to = to
  }

  add(piece: Piece): void {
    // Most events have one piece: a list that grows makes room for many.
    if (this.pieces.length === 0) this.pieces = [piece]
    else this.pieces.push(piece)
  }

  get isSettled(): boolean {
    for (const { channel, end } of this.pieces) if (end > channel.pipeline.settledUpTo) return false
    return true
  }

  /** Whether its text leaves as it came. Ask it only of settled events, in order. */
  get isUnchanged(): boolean {
    for (const { channel, start, end } of this.pieces) {
      for (const edit of channel.pipeline.edits) {
        if (edit.start >= end) break
        if (edit.end > start || edit.start >= start) return false
      }
    }
    return true
  }

  /** The whole event with its text as judged. */
  rewritten(): Buffer {
    const { bytes, from: start, to: end } = this.form ?? this
    const cuts = this.pieces.map((piece) => {
      const text = judged(piece)
      return { from: piece.from, to: piece.to, text: piece.raw ? oneLine(text) : jsonContent(text) }
    })
    const { logprobs = [] } = this
    for (let i = 0; i < logprobs.length; i += 2) {
      const from = logprobs[i] ?? 0
      cuts.push({ from, to: logprobs[i + 1] ?? 0, text: emptied(bytes[from] ?? 0) })
    }
    cuts.sort((a, b) => a.from - b.from)
    const parts: Buffer[] = []
    let at = start
    for (const { from, to, text } of cuts) {
      parts.push(bytes.subarray(at, from), Buffer.from(text))
      at = to
    }
    parts.push(bytes.subarray(at, end))
    return Buffer.concat(parts)
  }

  /** Records that all of its text has left. */
  leave(): void {
    for (const { channel, end } of this.pieces) {
      channel.left = end
      if (channel.pipeline.edits.length > 0) forgetEdits(channel)
      channel.pipeline.drop(end)
    }
  }

  /** Copies its bytes, so that it does not keep the whole chunk alive. */
  detach(): void {
    const { from } = this
    if (from === 0 && this.to === this.bytes.length) return
    this.bytes = Buffer.from(this.bytes.subarray(from, this.to))
    this.to -= from
    this.from = 0
    if (this.form) return
    for (const piece of this.pieces) {
      piece.from -= from
      piece.to -= from
    }
    this.logprobs = this.logprobs?.map((at) => at - from)
  }
}

/** What leaves in one turn. Bytes that lie next to each other in the same chunk leave as one. */
export class Leaving {
  #bytes: Buffer | undefined
  #from = 0
  #to = 0
  #before: Buffer[] | undefined

  add(bytes: Buffer, from = 0, to = bytes.length): void {
    if (bytes !== this.#bytes || from !== this.#to) {
      const run = this.#run()
      this.#before ??= run && []
      if (run) this.#before?.push(run)
      this.#bytes = bytes
      this.#from = from
    }
    this.#to = to
  }

  /** Undefined where nothing leaves. */
  take(): Buffer | undefined {
    const run = this.#run()
    const before = this.#before
    this.#bytes = undefined
    this.#before = undefined
    return before && run ? Buffer.concat([...before, run]) : run
  }

  #run(): Buffer | undefined {
    const bytes = this.#bytes
    return this.#from === 0 && this.#to === bytes?.length ? bytes : bytes?.subarray(this.#from, this.#to)
  }
}

/** A piece's text with the edits applied. A replacement stands where its edit begins. */
function judged({ channel, start, end }: Piece): string {
  const { text, edits } = channel.pipeline
  let result = ''
  let at = start
  for (const edit of edits) {
    if (edit.start >= end) break
    if (edit.start >= start) result += text.slice(at, edit.start) + edit.text
    at = Math.max(at, Math.min(edit.end, end))
  }
  return result + text.slice(at, end)
}

/** Forgets edits that have left completely and cannot grow: those that are followed by settled text. */
function forgetEdits({ pipeline, left }: TextChannel): void {
  const { edits, settledUpTo } = pipeline
  let gone = 0
  for (let edit = edits[0]; edit && edit.end <= left; edit = edits[gone]) {
    if (edit.end >= settledUpTo && !edits[gone + 1]) break
    gone++
  }
  if (gone > 0) edits.splice(0, gone)
}

/** Another line would be another field. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, ' ')
}
