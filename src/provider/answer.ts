/**
 * Writes an answer in time, whole or as a stream. The schedule is absolute, from the request's last body byte, so a
 * late timer or a slow reader delays one write and not all that follow; a reader that is behind is waited for, and
 * nothing piles up for it. A write of several tokens leaves when its first one is due: the first write at the time to
 * first token, the end as with single tokens.
 */
import type { StreamWriter, WholeWriter } from '../wire/answer.ts'
import type { ParsedRequest } from './api.ts'
import { drawEventSizes, type StreamShape } from './api.ts'
import { brokenOff, type MidAnswerFault } from './faults.ts'
import { type RequestDelays, sumDraws } from './latency.ts'
import type { Reply, Stamps } from './reply.ts'
import { answerTextFrom } from './text.ts'

/** Stands for the end of the body in a malformed answer. */
const LOST_CHARS = 5

/**
 * Writes the JSON `body` of `tokens` tokens at `dueUs`: head and body in one write, or the two halves that a fault
 * makes of it.
 */
export function answerWhole(
  reply: Reply,
  body: WholeWriter,
  tokens: number,
  dueUs: number,
  fault: MidAnswerFault | undefined,
  stallUs: number,
): void {
  const bareBytes = Buffer.byteLength(body('', ''))
  reply.at(dueUs, () => {
    const providerUs = reply.providerUs()
    reply.note(200, providerUs, tokens)
    const { member, text: textEnd } = reply.stamps(providerUs)
    const bytes = bareBytes + member.length + textEnd.length
    const text = body(member, textEnd)
    const half = text.slice(0, text.length >> 1)
    switch (fault) {
      case undefined:
      // An answer that is no stream has no events: its request was refused instead.
      case 'error_event':
        reply.headJson(200, providerUs, bytes)
        reply.end(text)
        break
      case 'malformed':
        reply.headJson(200, providerUs, bytes - LOST_CHARS)
        reply.end(text.slice(0, -LOST_CHARS))
        break
      case 'truncate':
        reply.headJson(200, providerUs, bytes)
        reply.write(half)
        reply.cut('close')
        break
      case 'stall':
        reply.headJson(200, providerUs, bytes)
        reply.write(half)
        reply.at(reply.nowUs() + stallUs, () => reply.end(text.slice(half.length)))
        break
      default:
        fault satisfies never
    }
  })
}

interface StreamPlan {
  request: ParsedRequest
  wire: StreamWriter
  delays: RequestDelays
  shape: StreamShape
  fault: MidAnswerFault | undefined
  stallUs: number
}

/** Streams the answer, its first token at `firstDueUs`. */
export function answerStream(reply: Reply, plan: StreamPlan, firstDueUs: number): void {
  const { request, wire, delays, shape } = plan
  const nextSize = drawEventSizes(shape, request.seed)
  let { fault } = plan
  let dueUs = firstDueUs
  let sent = 0
  let events = 0
  let broken = ''

  /** The events of one write. Moves `sent`, `events` and `dueUs` on. */
  const nextEvents = ({ member, text: textEnd }: Stamps): string => {
    let chunk = ''
    for (let i = 0; i < shape.eventsPerWrite && sent < request.tokens; i++) {
      const size = Math.min(nextSize(), request.tokens - sent)
      const text = answerTextFrom(sent, size) + textEnd
      sent += size
      events++
      dueUs += size === 1 ? delays.nextGapUs() : sumDraws(delays.nextGapUs, size)
      chunk += wire.event(text, sent, member)
    }
    return chunk
  }

  /** True where the fault has ended the stream. */
  const applyFault = (): boolean => {
    const met = fault
    fault = undefined
    switch (met) {
      case undefined:
        return false
      case 'stall':
        dueUs = Math.max(dueUs, reply.nowUs()) + plan.stallUs
        return false
      case 'malformed':
        broken = cutShort(wire.event('', sent, ''))
        return false
      case 'truncate':
        reply.cut('close')
        return true
      case 'error_event': {
        const providerUs = reply.providerUs()
        reply.note(200, providerUs)
        reply.end(wire.fail(brokenOff(), reply.stamps(providerUs).member))
        return true
      }
      default:
        return met satisfies never
    }
  }

  const pump = (): void => {
    while (reply.isDue(dueUs)) {
      if (fault && sent > 0 && sent >= request.tokens >> 1) {
        if (applyFault()) return
        continue
      }
      const providerUs = reply.providerUs()
      const stamps = reply.stamps(providerUs)
      let chunk = broken
      broken = ''
      if (sent === 0) {
        reply.headStream(providerUs)
        chunk += wire.open(stamps.member)
      }
      if (sent === request.tokens) {
        reply.note(200, providerUs)
        // The end has a time of its own, also where the stamps travel in the text.
        const last = stamps.text === '' ? '' : wire.event(stamps.text, sent, stamps.member)
        reply.end(chunk + last + wire.close(stamps.member))
        return
      }
      chunk += nextEvents(stamps)
      reply.note(200, providerUs, sent, events)
      if (!reply.write(chunk)) {
        reply.onceDrained(pump)
        return
      }
    }
    reply.at(dueUs, pump)
  }
  pump()
}

/** An event whose JSON lacks its end. */
function cutShort(event: string): string {
  return `${event.trimEnd().slice(0, -5)}\n\n`
}
