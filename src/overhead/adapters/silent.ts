/**
 * Gateways that name themselves but report no time: Portkey, Helicone, Cloudflare AI Gateway. Measuring their
 * overhead needs stamps or a paired run.
 */
import { type Adapter, FROM_CACHE, word } from './adapter.ts'

const CAVEAT = 'it sends no timing header: measuring its overhead needs stamps or a paired run'

function silent(gateway: string, marks: readonly string[], cacheHeader: string): Adapter {
  return {
    names: marks,
    read(headers) {
      if (!marks.some((mark) => headers[mark] !== undefined)) return undefined
      // The value is 'hit' or 'semantic hit'; a miss is another value.
      const hit = word(headers[cacheHeader]).endsWith('hit')
      return { gateway, caveat: CAVEAT, ...(hit ? { unusable: FROM_CACHE } : {}) }
    },
  }
}

export const portkey = silent(
  'Portkey',
  [
    'x-portkey-trace-id',
    'x-portkey-provider',
    'x-portkey-cache-status',
    'x-portkey-last-used-option-index',
    'x-portkey-retry-attempt-count',
  ],
  'x-portkey-cache-status',
)
export const helicone = silent('Helicone', ['helicone-id', 'helicone-cache'], 'helicone-cache')
export const cloudflare = silent(
  'Cloudflare AI Gateway',
  ['cf-aig-log-id', 'cf-aig-event-id', 'cf-aig-cache-status', 'cf-aig-step'],
  'cf-aig-cache-status',
)
