/** Why a stream is no whole answer although its body ended without an error of the connection. */
import { quotable } from '../wire/answer-error.ts'
import type { Outcome } from '../wire/outcome.ts'
import type { StreamTimings } from './stream-timings.ts'

interface EndOfBody {
  /** Every event before the end was one of a known protocol. */
  readable: boolean
  /** Why the body could not be decoded. */
  undecodable: string | undefined
  /** What the reader threw. */
  threw: string | undefined
  /** What the body is instead of a stream. */
  describeOther(): string
}

/** Undefined where the stream is whole. */
export function faultOfStream(
  { error, garbage, events, ended, finished }: StreamTimings,
  { readable, undecodable, threw, describeOther }: EndOfBody,
): { outcome: Outcome; detail: string } | undefined {
  // An event that the end of the body cut off is no garbage.
  const cutOff = readable && garbage !== undefined && (events > 1 || garbage.startsWith('{'))
  if (error !== undefined) return { outcome: 'KT_STREAM_ERROR', detail: quotable(error) }
  if (undecodable !== undefined) return { outcome: 'KT_ENCODING', detail: undecodable }
  if (threw !== undefined || (garbage !== undefined && !cutOff)) {
    return { outcome: 'KT_BAD_STREAM', detail: threw ?? `not an event of a known protocol: ${garbage}` }
  }
  if (events === 0) return { outcome: 'KT_BAD_STREAM', detail: describeOther() }
  if (ended || (finished && !cutOff)) return undefined
  const how = cutOff ? 'within an event' : 'without its end mark and without a finish reason'
  return { outcome: 'KT_TRUNCATED', detail: `the stream ended ${how}` }
}
