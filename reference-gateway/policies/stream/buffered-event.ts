/** An event that has not left yet: its bytes, where text lies in them, and its form once the text was judged. */

import { toJsonString } from './json-string.ts'
import type { RedactionPipeline } from './redaction-pipeline.ts'

export interface TextChannel {
  readonly choice: number
  readonly pipeline: RedactionPipeline
  /** Nothing more will be added to its text. */
  ends: boolean
  /** How much of its text has left. */
  left: number
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

export class BufferedEvent {
  bytes: Buffer
  from: number
  to: number
  readonly pieces: Piece[] = []
  /** -1 for no choice, or several. */
  choice = -1
  /** It holds more than its text, which must be sent only once. */
  indivisible = false
  /** Where values lie that repeat the text: from, to, from, to, ... */
  logprobs: number[] | undefined
  /** A part of its text has left already. */
  #begun = false

  constructor(bytes: Buffer, from: number, to: number) {
    this.bytes = bytes
    this.from = from
    this.to = to
  }

  get isSettled(): boolean {
    for (const { channel, end } of this.pieces) if (end > channel.pipeline.settledUpTo) return false
    return true
  }

  /** Whether its text leaves as it came. Ask it only of settled events, in order. */
  get isUnchanged(): boolean {
    if (this.#begun) return false
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
    const changes = this.pieces.map((piece) => ({ ...piece, text: judged(piece, piece.end) }))
    return this.#with(changes, true)
  }

  /** Records that all of its text has left. */
  leave(): void {
    for (const { channel, end } of this.pieces) {
      channel.left = end
      forgetEdits(channel)
    }
  }

  /** The event with as much of its text as is settled, if that is worth an event of its own. The rest stays. */
  takeSettledPart(): Buffer | undefined {
    const [piece, another] = this.pieces
    if (!piece || another || this.indivisible || piece.raw) return undefined
    const { channel, start } = piece
    const upTo = wholeCharacters(channel, start, Math.min(piece.end, channel.pipeline.settledUpTo))
    if (upTo <= start || !/\S/.test(channel.pipeline.text.slice(start, upTo))) return undefined
    const part = this.#with([{ ...piece, text: judged(piece, upTo) }], false)
    piece.start = upTo
    channel.left = upTo
    forgetEdits(channel)
    this.#begun = true
    return part
  }

  /** Copies its bytes, so that it does not keep the whole chunk alive. */
  detach(): void {
    const { from } = this
    if (from === 0 && this.to === this.bytes.length) return
    this.bytes = Buffer.from(this.bytes.subarray(from, this.to))
    this.to -= from
    this.from = 0
    for (const piece of this.pieces) {
      piece.from -= from
      piece.to -= from
    }
    this.logprobs = this.logprobs?.map((at) => at - from)
  }

  #with(changes: readonly (Piece & { text: string })[], last: boolean): Buffer {
    const cuts = changes.map(({ from, to, raw, text }) => ({ from, to, text: raw ? lines(text) : toJsonString(text) }))
    const { logprobs = [] } = this
    for (let i = 0; last && i < logprobs.length; i += 2) {
      cuts.push({ from: logprobs[i] ?? 0, to: logprobs[i + 1] ?? 0, text: 'null' })
    }
    cuts.sort((a, b) => a.from - b.from)
    const parts: Buffer[] = []
    let at = this.from
    for (const { from, to, text } of cuts) {
      parts.push(this.bytes.subarray(at, from), Buffer.from(text))
      at = to
    }
    parts.push(this.bytes.subarray(at, this.to))
    return Buffer.concat(parts)
  }
}

/** A piece's text from its start to `upTo` with the edits applied. A replacement stands where its edit begins. */
function judged({ channel, start }: Piece, upTo: number): string {
  const { text, edits } = channel.pipeline
  let result = ''
  let at = start
  for (const edit of edits) {
    if (edit.start >= upTo) break
    if (edit.start >= start) result += text.slice(at, edit.start) + edit.text
    at = Math.max(at, Math.min(edit.end, upTo))
  }
  return result + text.slice(at, upTo)
}

/** Forgets edits that have left completely and cannot grow: those that are followed by settled text. */
function forgetEdits({ pipeline, left }: TextChannel): void {
  const { edits, settledUpTo } = pipeline
  while (edits[0] && edits[0].end <= left && edits[0].end < settledUpTo) edits.shift()
  while (edits[1] && edits[0] && edits[0].end <= left) edits.shift()
}

/** Half a character does not leave alone. */
function wholeCharacters({ pipeline }: TextChannel, start: number, upTo: number): number {
  if (upTo <= start) return upTo
  return (pipeline.text.units[upTo - 1 - pipeline.text.base] ?? 0) >> 10 === 0x36 ? upTo - 1 : upTo
}

function lines(text: string): string {
  return text.replaceAll('\n', ' ')
}
