/**
 * Bifrost: `x-bifrost-upstream-latency-ms`, a float, is the time it was blocked on upstream sockets over all
 * attempts; on streams only until the headers. The other `x-bifrost-*` headers identify it.
 */
import { type Adapter, FINE, millisecondsUs } from './adapter.ts'

const SOURCE = 'x-bifrost-upstream-latency-ms'
const NOTE =
  "the client's time less what it was blocked on upstream sockets, over all attempts; the network to the " +
  'gateway and kt are in it'

const MARKS = ['x-bifrost-request-id', 'x-bifrost-provider', 'x-bifrost-resolved-model', 'x-bifrost-fallback-index']

export const bifrost: Adapter = {
  names: [SOURCE, ...MARKS],
  read(headers) {
    const us = millisecondsUs(headers[SOURCE])
    if (us !== undefined) return { gateway: 'Bifrost', upstream: { us, source: SOURCE, note: NOTE, ...FINE } }
    return MARKS.some((mark) => headers[mark] !== undefined)
      ? { gateway: 'Bifrost', caveat: `it sent no ${SOURCE}` }
      : undefined
  },
}
