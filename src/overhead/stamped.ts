/**
 * Overhead by the provider's stamp: (end − sent) − what the provider says it took itself (DESIGN 4.5). Counts from `sent`,
 * never from `intended`. The body's stamp is preferred, as it carries the nonce; the header serves whole JSON answers whose
 * body was rewritten, but was written too early to speak for a stream.
 */
import type { Exchange } from '../client/exchange.ts'
import { parseServerTiming } from '../wire/server-timing.ts'

export type StampedOverhead =
  | { kind: 'overhead'; us: number }
  /** The stamp belongs to another request: the answer came from a cache. */
  | { kind: 'cache-hit' }
  /** The gateway asked the provider more than once; what the first attempt took is not in the stamp. */
  | { kind: 'retried' }
  | { kind: 'none' }

const NONE: StampedOverhead = { kind: 'none' }

export function stampedOverhead(result: Exchange, nonce: string): StampedOverhead {
  const tookUs = result.endUs - result.sentUs
  const { stamp } = result
  if (stamp) {
    if (stamp.nonce !== nonce) return { kind: 'cache-hit' }
    if (stamp.attempt > 1) return { kind: 'retried' }
    return { kind: 'overhead', us: tookUs - stamp.providerUs }
  }
  if (result.streamed || result.headers['server-timing'] === undefined) return NONE
  const providerUs = parseServerTiming(result.headers['server-timing']).get('kt-provider')
  return providerUs === undefined ? NONE : { kind: 'overhead', us: tookUs - providerUs }
}
