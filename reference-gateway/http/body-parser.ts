/** Reads large bodies in a thread, so that no other request waits for that. */
import type { ParseTask } from './body-worker.ts'
import type { GatewayError, GatewayResult } from './gateway-error.ts'
import { readBody } from './request-body.ts'
import type { BodyFacts, RequestContext } from './request-context.ts'
import { ThreadPool } from './thread-pool.ts'

/** Parsing is linear in the body, whatever it holds. */
export const MAX_PARSE_MS = 10_000

/** Reading a body of this size takes the event loop no more than a few milliseconds, whatever it holds. */
const LARGE_BYTES = 256 * 1024

export class BodyParser {
  readonly largeAboveBytes = LARGE_BYTES
  readonly #threads: ThreadPool<ParseTask, GatewayResult<BodyFacts>>

  constructor(report: (problem: string) => void) {
    this.#threads = new ThreadPool({ name: 'bodies', url: new URL('body-worker', import.meta.url) }, report)
  }

  /** Does what `readBody` does. */
  async read(context: RequestContext): Promise<GatewayError | undefined> {
    const { buffer: bytes } = context.body
    if (!(bytes instanceof SharedArrayBuffer)) return readBody(context)
    const facts = await this.#threads.run(context.tenant, { bytes, endpoint: context.endpoint }, MAX_PARSE_MS)
    if (!facts) return readBody(context)
    if (!facts.ok) return facts.error
    context.setBody({ facts: facts.value })
    return undefined
  }

  close(): Promise<void> {
    return this.#threads.close()
  }
}
