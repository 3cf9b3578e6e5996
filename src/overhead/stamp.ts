/**
 * The provider's stamp `kt1.<nonce>.<attempt>.<us>`: how long the simulated provider itself took, on its own monotonic
 * clock, from the request's last body byte to this write. It travels in `system_fingerprint`, through gateways that drop
 * headers, and makes a gateway's overhead readable without trusting the gateway.
 */

export interface Stamp {
  /** Sixteen letters; a foreign one means that the answer came from a cache. */
  nonce: string
  /** 1 for the first time the provider saw the nonce; above 1 the gateway retried. */
  attempt: number
  providerUs: number
}

const STAMP = /^kt1\.([a-z]{16})\.(\d{1,6})\.(\d{1,15})$/

export function formatStamp(stamp: Stamp): string {
  return `kt1.${stamp.nonce}.${stamp.attempt}.${Math.round(stamp.providerUs)}`
}

export function parseStamp(text: string): Stamp | undefined {
  const match = STAMP.exec(text)
  if (!match?.[1]) return undefined
  return { nonce: match[1], attempt: Number(match[2]), providerUs: Number(match[3]) }
}
