/**
 * A streamed answer in time. The schedule is absolute, from the request's last body byte, so a late timer or a slow reader
 * delays one write and not all that follow; a reader that is behind is waited for, and nothing piles up for it. A write of
 * several tokens leaves when its first one is due: the first write at the time to first token, the end as with single tokens.
 */
import type { Ask, Streamed, Whole } from './ask.ts'
import { eventSizesOf, type StreamShape } from './ask.ts'
import { brokenOff, type Mishap } from './faults.ts'
import { type Pace, sumOf } from './latency.ts'
import { textFrom } from './prompt.ts'
import type { Reply, Stamps } from './reply.ts'

/** A JSON answer in time: one write, head and body, or the two halves that a fault makes of it. */

/** Stands for the end of the body in a malformed answer. */
const LOST_CHARS = 5

/** Writes `body` at `dueUs`; it holds `tokens` tokens. */
export function answerWhole(
  reply: Reply,
  body: Whole,
  tokens: number,
  dueUs: number,
  mishap: Mishap | undefined,
  stallUs: number,
): void {
  const bareBytes = Buffer.byteLength(body('', ''))
  reply.at(dueUs, () => {
    const providerUs = reply.providerUs()
    reply.note(200, providerUs, tokens)
    const { member, text: textEnd } = reply.stamps(providerUs)
    const bytes = bareBytes + member.length + textEnd.length
    const text = body(member, textEnd)
    if (mishap === undefined) {
      reply.headJson(200, providerUs, bytes)
      reply.end(text)
      return
    }
    if (mishap === 'malformed') {
      reply.headJson(200, providerUs, bytes - LOST_CHARS)
      reply.end(text.slice(0, -LOST_CHARS))
      return
    }
    const half = text.slice(0, text.length >> 1)
    reply.headJson(200, providerUs, bytes)
    reply.write(half)
    if (mishap === 'truncate') reply.cut('close')
    else reply.at(reply.nowUs() + stallUs, () => reply.end(text.slice(half.length)))
  })
}

export interface StreamPlan {
  ask: Ask
  wire: Streamed
  pace: Pace
  shape: StreamShape
  mishap: Mishap | undefined
  stallUs: number
}

/** `firstDueUs` is when the first token is due. */
export function answerStream(reply: Reply, plan: StreamPlan, firstDueUs: number): void {
  const { ask, wire, pace, shape } = plan
  const nextSize = eventSizesOf(shape, ask.seed)
  let { mishap } = plan
  let dueUs = firstDueUs
  let sent = 0
  let broken = ''

  /** The events of one write. Moves `sent` and `dueUs` on. */
  const nextEvents = ({ member, text: textEnd }: Stamps): string => {
    let chunk = ''
    for (let i = 0; i < shape.eventsPerWrite && sent < ask.tokens; i++) {
      const size = Math.min(nextSize(), ask.tokens - sent)
      const text = textFrom(sent, size) + textEnd
      sent += size
      dueUs += size === 1 ? pace.nextGapUs() : sumOf(pace.nextGapUs, size)
      chunk += wire.event(text, sent, member)
    }
    return chunk
  }

  /** True where the stream has ended of it. */
  const meetMishap = (): boolean => {
    const met = mishap
    mishap = undefined
    if (met === 'stall') dueUs = Math.max(dueUs, reply.nowUs()) + plan.stallUs
    if (met === 'malformed') broken = cutShort(wire.event('', sent, ''))
    if (met === 'truncate') reply.cut('close')
    if (met === 'error_event') {
      const providerUs = reply.providerUs()
      reply.note(200, providerUs)
      reply.end(wire.fail(brokenOff(), reply.stamps(providerUs).member))
    }
    return met === 'truncate' || met === 'error_event'
  }

  const pump = (): void => {
    while (reply.isDue(dueUs)) {
      if (mishap && sent > 0 && sent >= ask.tokens >> 1) {
        if (meetMishap()) return
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
      if (sent === ask.tokens) {
        reply.note(200, providerUs)
        reply.end(chunk + wire.close(stamps.member))
        return
      }
      chunk += nextEvents(stamps)
      reply.note(200, providerUs, sent)
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
