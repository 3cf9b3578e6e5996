/**
 * How a stream is cut: tokens to an event, events to a write, and what a provider adds around the text. When each write
 * leaves is src/provider/latency.ts's business. Pure.
 */
import { randomFrom } from '../stats/random.ts'

export interface StreamShape {
  /** Drawn evenly for each event, from the request's own seed. */
  tokensPerEvent: { min: number; max: number }
  /** Events that leave in one write, as a provider (or a proxy before it) coalesces them. */
  eventsPerWrite: number
  /** Pads each event as OpenAI does, so that its size does not give the token's length away. */
  obfuscation: boolean
  /** A first event with `choices: []`, as Azure sends for its prompt filter. Chat completions only. */
  promptFilterEvent: boolean
}

/** A token an event, an event a write, nothing added. */
export const PLAIN_SHAPE: StreamShape = {
  tokensPerEvent: { min: 1, max: 1 },
  eventsPerWrite: 1,
  obfuscation: false,
  promptFilterEvent: false,
}

/** The tokens of one event after another, for the request whose own seed is `requestSeed`. */
export function eventSizesOf({ tokensPerEvent: { min, max } }: StreamShape, requestSeed: string): () => number {
  if (min === max) return () => min
  const random = randomFrom(`${requestSeed}:events`)
  return () => min + Math.floor(random() * (max - min + 1))
}
