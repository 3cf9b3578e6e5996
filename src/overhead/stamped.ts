/**
 * Overhead by the provider's stamp: (end - sent) minus the time that the provider states it took itself. It counts
 * from `sent`, never from `intended`. The stamp in the body is preferred because it carries the nonce. The header
 * serves JSON answers whose body was rewritten; of a stream it says nothing, as it is written too early.
 */
import type { RequestResult } from '../client/request-result.ts'
import { parseServerTiming } from '../wire/server-timing.ts'

type StampedOverhead =
  | { kind: 'overhead'; us: number }
  /** The stamp belongs to another request: the answer came from a cache. */
  | { kind: 'cache-hit' }
  /** The gateway asked the provider more than once. The stamp does not hold the time of the first attempt. */
  | { kind: 'retried' }
  | { kind: 'none' }

const NONE: StampedOverhead = { kind: 'none' }

/** `isRepeat`: the nonce was sent before, on purpose, so that the provider has seen it. */
export function stampedOverhead(result: RequestResult, nonce: string, isRepeat = false): StampedOverhead {
  const tookUs = result.endUs - result.sentUs
  const { stamp } = result
  if (stamp) {
    if (stamp.nonce !== nonce) return { kind: 'cache-hit' }
    if (stamp.attempt > 1 && !isRepeat) return { kind: 'retried' }
    return { kind: 'overhead', us: tookUs - stamp.providerUs }
  }
  if (result.streamed || result.headers['server-timing'] === undefined) return NONE
  const providerUs = parseServerTiming(result.headers['server-timing']).get('kt-provider')
  return providerUs === undefined ? NONE : { kind: 'overhead', us: tookUs - providerUs }
}
