/**
 * Whether a cache answered: by the gateway's own header, else by the provider's stamp, else as it was to be expected.
 */
import type { RequestResult } from '../client/request-result.ts'
import type { ResponseHeaders } from '../http1/fields.ts'

const HIT_HEADERS = [
  'x-kt-cache',
  'x-cache-status',
  'x-cache',
  'cf-aig-cache-status',
  'x-portkey-cache-status',
  'helicone-cache',
]

/** What the headers of an answer say; undefined where they say nothing. */
export function saysHit(headers: ResponseHeaders): boolean | undefined {
  for (const name of HIT_HEADERS) {
    const said = headers[name]
    if (said !== undefined) return /hit/i.test(String(said))
  }
  return undefined
}

export interface CacheVerdict {
  hit: boolean
  toldBy: 'header' | 'stamp' | 'schedule'
}

/**
 * Of an answered request, which may repeat one that was sent before with the same nonce. The provider's stamp counts
 * how often it has seen the nonce: where a repeated request has the stamp of the first time, it was not asked again.
 */
export function readCacheVerdict(
  result: Pick<RequestResult, 'headers' | 'stamp' | 'sentUs' | 'endUs'>,
  nonce: string,
  isRepeat: boolean,
): CacheVerdict {
  const said = saysHit(result.headers)
  if (said !== undefined) return { hit: said, toldBy: 'header' }
  const { stamp, sentUs, endUs } = result
  if (!stamp) return { hit: isRepeat, toldBy: 'schedule' }
  const isOld = stamp.nonce !== nonce || (isRepeat && (stamp.attempt === 1 || stamp.providerUs > endUs - sentUs))
  return { hit: isOld, toldBy: 'stamp' }
}
