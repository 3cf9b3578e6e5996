/** The thread in which large bodies are read. Run by body-parser.ts. */
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import type { GatewayResult } from './gateway-error.ts'
import { parseBody } from './request-body.ts'
import type { BodyFacts, GatewayEndpoint } from './request-context.ts'
import { READY } from './thread-pool.ts'

/** A request's body in shared memory. */
export interface ParseTask {
  bytes: SharedArrayBuffer
  endpoint: GatewayEndpoint
}

// Where cores are short, large bodies wait and requests do not. On Linux a priority belongs to the calling thread;
// elsewhere it would apply to the whole gateway.
if (process.platform === 'linux') setPriority(0, 5)

parentPort?.on('message', ({ bytes, endpoint }: ParseTask) => {
  const parsed = parseBody(Buffer.from(bytes), endpoint)
  const facts: GatewayResult<BodyFacts> = parsed.ok ? { ok: true, value: parsed.value.facts } : parsed
  parentPort?.postMessage(facts)
})
parentPort?.postMessage(READY)
