/** Translates large requests in a thread, so that no other request waits for that. */
import type { GatewayResult } from '../http/gateway-error.ts'
import { ThreadPool } from '../http/thread-pool.ts'
import type { ChatQuestion, TranslatedChat } from './protocol.ts'
import type { ProtocolName } from './protocols.ts'
import type { TranslationTask } from './translation-worker.ts'

/** As long as reading a body may take. */
const MAX_MS = 30_000

export class Translator {
  readonly #threads: ThreadPool<TranslationTask, GatewayResult<TranslatedChat>>

  constructor(report: (problem: string) => void) {
    const script = { name: 'translation', url: new URL('translation-worker', import.meta.url) }
    this.#threads = new ThreadPool(script, report)
  }

  /** Undefined: the thread failed, or took too long. */
  translate(
    tenant: string,
    protocol: ProtocolName,
    question: ChatQuestion,
  ): Promise<GatewayResult<TranslatedChat> | undefined> {
    return this.#threads.run(tenant, { protocol, question }, MAX_MS)
  }

  close(): Promise<void> {
    return this.#threads.close()
  }
}
