/** The threads in which policies judge large bodies and texts. */
import { MAX_PARSE_MS } from '../../http/body-parser.ts'
import type { GatewayResult } from '../../http/gateway-error.ts'
import type { BodyFacts } from '../../http/request-context.ts'
import { ThreadPool } from '../../http/thread-pool.ts'
import type { PolicySettings } from '../kinds/kinds.ts'
import type { TextFinding } from '../policy/edits.ts'
import type { SearchTask, SearchTaskResult, SharedBody } from './search-worker.ts'

let bodies = 0

/** Bodies are told apart by it in the threads. */
export function nextBodyId(): number {
  return ++bodies
}

export class SearchWorkerPool {
  readonly #threads: ThreadPool<SearchTask, SearchTaskResult>

  constructor(settings: readonly PolicySettings[], report: (problem: string) => void) {
    const script = { name: 'policies', url: new URL('search-worker', import.meta.url), data: settings }
    this.#threads = new ThreadPool(script, report)
  }

  /** Starts a thread before it is needed. */
  prepare(): void {
    this.#threads.prepare()
  }

  /** Returns a list of findings for each text; undefined when the policy's time was over, or the thread failed. */
  async search(
    tenant: string,
    task: Extract<SearchTask, { kind: 'search' }>,
    timeoutMs: number,
  ): Promise<TextFinding[][] | undefined> {
    const result = await this.#threads.run(tenant, task, timeoutMs)
    return result?.kind === 'searched' ? result.findings : undefined
  }

  /** What the body says, or why it is refused; undefined when the thread failed. An answer says nothing. */
  async parse(tenant: string, body: SharedBody): Promise<GatewayResult<BodyFacts | undefined> | undefined> {
    const result = await this.#threads.run(tenant, { kind: 'parse', body }, MAX_PARSE_MS)
    return result?.kind === 'parsed' ? result.facts : undefined
  }

  /** The body without what was found; undefined when the thread failed. */
  async redact(
    tenant: string,
    body: SharedBody,
    findings: readonly (readonly TextFinding[][])[],
  ): Promise<SharedBody | undefined> {
    const result = await this.#threads.run(tenant, { kind: 'redact', body, findings }, MAX_PARSE_MS)
    return result?.kind === 'redacted' ? { ...body, id: nextBodyId(), bytes: result.bytes } : undefined
  }

  close(): Promise<void> {
    return this.#threads.close()
  }
}
