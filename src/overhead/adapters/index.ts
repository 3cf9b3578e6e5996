/**
 * Every gateway that kt can listen to. Order decides where several match: a gateway that names itself goes before headers that a
 * provider may have sent itself (Kong, Envoy), and those before a generic Server-Timing.
 */
import type { Headers } from '../../client/exchange.ts'
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

/** What the first gateway that is recognised says of itself, and beside it what the provider does. */
export function readStatement(headers: Headers, trailers: Headers, tookUs: number): Statement | undefined {
  const provider = openAi(headers)
  for (const adapter of ADAPTERS) {
    const statement = adapter(headers, trailers, tookUs)
    if (statement) return provider ? { ...statement, provider } : statement
  }
  return provider ? { gateway: '', unsure: true, provider } : undefined
}
