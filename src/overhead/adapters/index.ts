/**
 * The adapters of all gateways that kt knows. The first match wins: gateways that name themselves come before headers
 * that a provider may have sent itself (Kong, Envoy), and these before a generic Server-Timing.
 */
import type { ResponseHeaders } from '../../http1/fields.ts'
import type { Adapter, Statement } from './adapter.ts'
import { bifrost } from './bifrost.ts'
import { envoy } from './envoy.ts'
import { kong } from './kong.ts'
import { ktGateway } from './kt-gateway.ts'
import { liteLlm } from './litellm.ts'
import { openAi } from './openai.ts'
import { genericServerTiming } from './server-timing.ts'
import { cloudflare, helicone, portkey } from './silent.ts'

const ADAPTERS: readonly Adapter[] = [
  ktGateway,
  liteLlm,
  bifrost,
  portkey,
  helicone,
  cloudflare,
  kong,
  envoy,
  genericServerTiming,
]

/**
 * By header: the adapters that must see an answer with it, one bit each. Every answer is checked, and most have none
 * of the headers.
 */
const WANTED_BY = new Map<string, number>()
for (const [index, { names }] of ADAPTERS.entries()) {
  for (const name of names) WANTED_BY.set(name, (WANTED_BY.get(name) ?? 0) | (1 << index))
}

function wantedBy(headers: ResponseHeaders): number {
  let bits = 0
  for (const name in headers) bits |= WANTED_BY.get(name) ?? 0
  return bits
}

/** The statement of the first gateway that is recognised, with that of the provider. */
export function readStatement(
  headers: ResponseHeaders,
  trailers: ResponseHeaders,
  tookUs: number,
): Statement | undefined {
  const provider = openAi(headers)
  const wanted = wantedBy(headers) | wantedBy(trailers)
  for (let index = 0; wanted >> index !== 0; index++) {
    const statement = (wanted >> index) & 1 ? ADAPTERS[index]?.read(headers, trailers, tookUs) : undefined
    if (statement) return provider ? { ...statement, provider } : statement
  }
  return provider ? { gateway: '', unsure: true, provider } : undefined
}
