/** Events of invented requests. */
import type { GatewayEvent } from '../../../src/wire/gateway-event.ts'

export function event(given: Partial<GatewayEvent> = {}): GatewayEvent {
  return {
    ts: new Date().toISOString(),
    request_id: 'r1',
    tenant: 'anonymous',
    provider: 'openai',
    model: 'gpt-4o',
    endpoint: 'chat',
    status: 200,
    stream: false,
    latency_ms: 12.5,
    ttft_ms: null,
    overhead_ms: 0.4,
    overhead: { routing: 0.01, acquire: 0.05 },
    upstream_ms: 12.1,
    input_tokens: 10,
    output_tokens: 5,
    cache: 'bypass',
    policy: {},
    attempts: 1,
    dropped_before: 0,
    ...given,
  }
}

export const numbered = (n: number): GatewayEvent => event({ request_id: String(n) })
