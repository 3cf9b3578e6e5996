/**
 * Envoy and what is built on it (Envoy AI Gateway, Istio, Higress): `x-envoy-upstream-service-time`, whole
 * milliseconds to the upstream's response headers, cut off. A provider behind its own Envoy sends the header too, and a
 * gateway may pass it on, so it is read late.
 */
import { type Adapter, CUT_TO_MS, millisecondsUs, word } from './adapter.ts'

const SOURCE = 'x-envoy-upstream-service-time'
const NOTE =
  "the client's time less the wait for the upstream's headers; the network to the gateway and kt are in it; " +
  'a provider behind its own Envoy sends this header too'

export const envoy: Adapter = {
  names: [SOURCE],
  read(headers) {
    const us = millisecondsUs(headers[SOURCE])
    if (us === undefined) return undefined
    const gateway = word(headers.server) === 'istio-envoy' ? 'Istio' : 'Envoy family'
    return { gateway, unsure: true, upstream: { us, source: SOURCE, note: NOTE, ...CUT_TO_MS } }
  },
}
