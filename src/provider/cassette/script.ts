/**
 * A recorded answer made ready to be played and measured: what leaves when, where a stamp can stand in it, which of its
 * pieces bear tokens, and what went wrong in it. A stamp is the member system_fingerprint, as in simulated answers: it
 * replaces the recorded one and stands at the end of its object, so that it leaves with the object's last byte. Every
 * other byte stays.
 */

import { bearsTokens, eachAnswerText, eachEventText, formatOfAnswer, readStreamEvent } from '../../wire/formats.ts'
import { asObject, parseObject } from '../../wire/json.ts'
import { JsonWalk } from '../../wire/json-walk.ts'
import { SseReader } from '../../wire/sse.ts'
import { textsIn } from '../../wire/strings.ts'
import { hiddenTokensOf, mergeUsage, type TokenUsage } from '../../wire/usage.ts'
import type { Fault } from '../faults.ts'
import { bytesOf, headerOf, type RecordedAnswer } from './cassette.ts'

/** A piece of a write: bytes, or the place of a stamp. */
type Piece = Buffer | 'member' | 'text'

export interface Write {
  us: number
  /** As it was recorded. */
  bytes: Buffer
  /** With the places of stamps. */
  pieces: Piece[]
  /** Token-bearing events, and characters of their text, in this write. */
  events: number
  chars: number
}

export interface Script {
  answer: RecordedAnswer
  line: number
  writes: Write[]
  headUs: number
  endUs: number
  /** It is a stream of events. */
  streamed: boolean
  /** Stamps stand in it. */
  stamped: boolean
  usage: TokenUsage | undefined
  /** Tokens of its text, reasoning that is shown among them, by its usage; else its token-bearing events. */
  tokens: number
  /** Billed and never shown. */
  hidden: number
  /** What went wrong in it, as the simulated provider would name it. */
  fault: Fault | undefined
}

/** A change of the body when it is stamped: bytes that are left out, then perhaps a stamp. */
interface Edit {
  from: number
  to: number
  stamp: 'member' | 'text' | undefined
}

interface Heard {
  edits: Edit[]
  /** Token-bearing events: where each ends in the body, and its characters. */
  events: { end: number; chars: number }[]
  usage: TokenUsage | undefined
  /** Text of the model's reasoning came. */
  reasoned: boolean
  failed: boolean
}

export function scriptOf(answer: RecordedAnswer, line: number): Script {
  const streamed = headerOf(answer, 'content-type')?.includes('text/event-stream') ?? false
  const parts = answer.chunks.map(bytesOf)
  const body = Buffer.concat(parts)
  const heard = isPlain(answer) ? (streamed ? hearStream(body) : hearWhole(body)) : NOTHING_HEARD
  const { edits, events, usage } = answer.status === 200 ? heard : { ...heard, edits: [] }
  const hidden = hiddenTokensOf(usage, heard.reasoned)
  const shown = usage ? usage.output - hidden : 0
  return {
    answer,
    line,
    writes: cutIntoWrites(answer, parts, body, edits, events),
    headUs: (answer.headMs ?? answer.endMs) * 1_000,
    endUs: answer.endMs * 1_000,
    streamed,
    stamped: edits.length > 0,
    usage,
    tokens: shown > 0 ? shown : events.length,
    hidden,
    fault: faultOf(answer, heard.failed),
  }
}

/** A body that is compressed is played as it came, and not looked into. */
function isPlain(answer: RecordedAnswer): boolean {
  return (headerOf(answer, 'content-encoding') ?? 'identity') === 'identity'
}

const NOTHING_HEARD: Heard = { edits: [], events: [], usage: undefined, reasoned: false, failed: false }

function faultOf({ status, end }: RecordedAnswer, failed: boolean): Fault | undefined {
  if (end === 'reset') return 'reset'
  if (status === 429) return 'rate_limit'
  if (status === 503 || status === 529) return 'overloaded'
  if (status !== null && status >= 500) return 'server_error'
  if (end === 'cut') return 'truncate'
  return failed ? 'error_event' : undefined
}

function hearStream(body: Buffer): Heard {
  const heard: Heard = { ...NOTHING_HEARD, edits: [], events: [] }
  const hear = (data: string, name: string, end: number | undefined): void => {
    const event = readStreamEvent(data, name)
    if (!event) return
    if (event.usage) heard.usage = mergeUsage(heard.usage, event.usage)
    if (event.error !== undefined) heard.failed = true
    if (event.reasoningChars > 0) heard.reasoned = true
    const chars = event.visibleChars + event.reasoningChars + event.toolChars
    if (end !== undefined && bearsTokens(event)) heard.events.push({ end, chars: Math.max(1, chars) })
  }
  // The body comes in one piece, so that places in it are places in what the handler gets.
  const reader = new SseReader(
    (data, name) => hear(data, name, undefined),
    (bytes, start, end) => {
      if (bytes !== body) return false
      const data = body.toString('utf8', start, end)
      hear(data, '', end)
      addEdits(heard.edits, body, start, end, () => lastTextOf(data, eachEventText))
      return true
    },
  )
  reader.push(body)
  reader.end()
  return heard
}

function hearWhole(body: Buffer): Heard {
  const text = body.toString()
  const json = parseObject(text)
  if (!json) return NOTHING_HEARD
  const edits: Edit[] = []
  addEdits(edits, body, 0, body.length, () => lastTextOf(text, eachAnswerText))
  const usage = formatOfAnswer(json)?.usageOf(json)
  let reasoned = false
  eachAnswerText(json, (kind) => {
    reasoned ||= kind === 'reasoning'
  })
  return { ...NOTHING_HEARD, edits, usage, reasoned }
}

/** Where the last visible text of a JSON text ends in its bytes. */
function lastTextOf(source: string, each: typeof eachEventText): number | undefined {
  const json = asObject(JSON.parse(source))
  let last: string | undefined
  if (json) {
    each(json, (kind, text) => {
      if (kind === 'visible' && text !== '') last = text
    })
  }
  const place = last === undefined ? undefined : textsIn(source).places.findLast(({ text }) => text === last)
  const end = place?.at.at(-1)
  return end === undefined ? undefined : Buffer.byteLength(source.slice(0, end))
}

function addEdits(edits: Edit[], body: Buffer, start: number, end: number, textEnd: () => number | undefined): void {
  const members = finder.find(body, start, end)
  if (!members) return
  const at = textEnd()
  const text: Edit[] = at === undefined ? [] : [{ from: start + at, to: start + at, stamp: 'text' }]
  const own: Edit[] = members.old ? [{ ...members.old, stamp: undefined }] : []
  const added: Edit = { from: members.close, to: members.close, stamp: 'member' }
  edits.push(...[...text, ...own].sort((a, b) => a.from - b.from), added)
}

const FINGERPRINT = Buffer.from('system_fingerprint')

/** Finds the member system_fingerprint of an object, and where the object closes. */
class FingerprintFinder extends JsonWalk {
  /** Undefined where `bytes` hold no object with other members. */
  find(bytes: Buffer, start: number, end: number): { old?: { from: number; to: number }; close: number } | undefined {
    this.begin(bytes, start, end)
    let old: { from: number; to: number } | undefined
    let others = 0
    /** Where the member before ended; its comma goes with the member. */
    let before = 0
    let first: number | undefined
    for (let isFirst = true; this.member(isFirst); isFirst = false) {
      const key = this.keyStart - 1
      if (first !== undefined && old === undefined) old = { from: first, to: key }
      const isOld = this.keyIs(FINGERPRINT)
      if (!this.skip()) return undefined
      if (isOld && isFirst) first = key
      else if (isOld) old = { from: before, to: this.at }
      else others++
      before = this.at
    }
    if (!this.closed || others === 0) return undefined
    return { ...(old ? { old } : {}), close: this.at - 1 }
  }
}

const finder = new FingerprintFinder()

/** The recorded pieces, each with what is changed in it. */
function cutIntoWrites(
  answer: RecordedAnswer,
  parts: readonly Buffer[],
  body: Buffer,
  edits: readonly Edit[],
  events: Heard['events'],
): Write[] {
  let at = 0
  let edit = 0
  let event = 0
  let end = 0
  return answer.chunks.map(({ ms }, i) => {
    const bytes = parts[i] ?? Buffer.alloc(0)
    end += bytes.length
    const write: Write = { us: ms * 1_000, bytes, pieces: [], events: 0, chars: 0 }
    for (let next = edits[edit]; next && next.from < end; next = edits[edit]) {
      if (next.from > at) write.pieces.push(body.subarray(at, next.from))
      if (next.stamp && next.from >= at) write.pieces.push(next.stamp)
      at = Math.max(at, Math.min(next.to, end))
      if (next.to > end) break
      edit++
    }
    if (end > at) write.pieces.push(body.subarray(at, end))
    at = Math.max(at, end)
    for (let next = events[event]; next && next.end <= end; next = events[++event]) {
      write.events++
      write.chars += next.chars
    }
    return write
  })
}
