/** Whether a stream came to its end, by its last bytes: a connection that closes says nothing about that. */
import { formatOfEvent, readStreamEvent } from './formats.ts'
import { parseObject } from './json.ts'
import { hasFinishReason } from './openai-choices.ts'
import { SseReader } from './sse.ts'

/**
 * True where the last events are those of a known format, and none of them ends a choice or the stream. A stream of
 * another kind has no end that could be missed. `tail` may begin in the middle of an event.
 */
export function breaksOff(tail: Buffer): boolean {
  // As a rule the last event is the one that ends the stream, and the client waits for the answer to this question.
  const last = tail.lastIndexOf(EVENT_END, tail.length - EVENT_END.length - 1)
  if (last >= 0 && stateAt(tail.subarray(last + EVENT_END.length)) === 'ended') return false
  return stateAt(tail) === 'open'
}

const EVENT_END = '\n\n'

/** After the events of `bytes`. */
function stateAt(bytes: Buffer): 'unknown' | 'open' | 'ended' {
  let state = 'unknown' as ReturnType<typeof stateAt>
  const reader = new SseReader((data, name) => {
    const event = readStreamEvent(data, name)
    if (!event || state === 'ended') return
    const json = parseObject(data) ?? {}
    if (event.ended || event.error !== undefined || hasFinishReason(json)) state = 'ended'
    else if (formatOfEvent(json)) state = 'open'
  })
  reader.push(bytes)
  reader.end()
  return state
}
