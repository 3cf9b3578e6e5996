/**
 * Every gateway that kt can listen to. Order decides where several match: a gateway that names itself goes before headers that a
 * provider may have sent itself (Kong, Envoy), and those before a generic Server-Timing.
 */
import type { ResponseHeaders } from '../../client/request-result.ts'
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

/** By header: which of them want to see an answer that has it, a bit each. Most answers have none, and every answer is looked at. */
const WANTED_BY = new Map<string, number>()
for (const [place, { names }] of ADAPTERS.entries()) {
  for (const name of names) WANTED_BY.set(name, (WANTED_BY.get(name) ?? 0) | (1 << place))
}

function wantedBy(headers: ResponseHeaders): number {
  let bits = 0
  for (const name in headers) bits |= WANTED_BY.get(name) ?? 0
  return bits
}

/** What the first gateway that is recognised says of itself, and beside it what the provider does. */
export function readStatement(
  headers: ResponseHeaders,
  trailers: ResponseHeaders,
  tookUs: number,
): Statement | undefined {
  const provider = openAi(headers)
  const wanted = wantedBy(headers) | wantedBy(trailers)
  for (let place = 0; wanted >> place !== 0; place++) {
    const statement = (wanted >> place) & 1 ? ADAPTERS[place]?.read(headers, trailers, tookUs) : undefined
    if (statement) return provider ? { ...statement, provider } : statement
  }
  return provider ? { gateway: '', unsure: true, provider } : undefined
}
