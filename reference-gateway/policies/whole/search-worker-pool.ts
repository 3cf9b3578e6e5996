/**
 * Worker threads for large texts. Each runs one task at a time. A thread that does not finish in the policy's time is
 * ended, whatever it does, and another one replaces it. Time spent waiting for a thread does not count as the policy's.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { GatewayResult } from '../../http/gateway-error.ts'
import type { BodyFacts } from '../../http/request-context.ts'
import type { PolicySettings } from '../kinds/kinds.ts'
import type { TextFinding } from '../policy/edits.ts'
import type { SearchTask, SearchTaskResult, SharedBody } from './search-worker.ts'

const MAX_THREADS = 4
const MAX_PARSE_MS = 10_000

interface Job {
  task: SearchTask
  timeoutMs: number
  resolve: (result: SearchTaskResult | undefined) => void
}

interface SearchWorker {
  worker: Worker
  /** The thread has loaded: from now on time counts as the task's. */
  ready: boolean
  job: Job | undefined
  timer: NodeJS.Timeout | undefined
}

export class SearchWorkerPool {
  readonly #settings: readonly PolicySettings[]
  readonly #report: (problem: string) => void
  readonly #maxThreads: number
  readonly #threads = new Set<SearchWorker>()
  readonly #waiting: Job[] = []
  #closed = false

  constructor(
    settings: readonly PolicySettings[],
    report: (problem: string) => void,
    maxThreads = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
  ) {
    this.#settings = settings
    this.#report = report
    this.#maxThreads = maxThreads
  }

  /** Starts a thread before it is needed. */
  prepare(): void {
    if (this.#threads.size === 0) this.#start()
  }

  /** Returns a list of findings for each text; undefined when the policy's time was over, or the thread failed. */
  async search(task: Extract<SearchTask, { kind: 'search' }>, timeoutMs: number): Promise<TextFinding[][] | undefined> {
    const result = await this.#run(task, timeoutMs)
    return result?.kind === 'searched' ? result.findings : undefined
  }

  /** What the body says, or why it is refused; undefined when the thread failed. */
  async parse(body: SharedBody): Promise<GatewayResult<BodyFacts> | undefined> {
    // Parsing is linear in the body, whatever it holds.
    const result = await this.#run({ kind: 'parse', body }, MAX_PARSE_MS)
    return result?.kind === 'parsed' ? result.facts : undefined
  }

  #run(task: SearchTask, timeoutMs: number): Promise<SearchTaskResult | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push({ task, timeoutMs, resolve })
      this.#next()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const job of this.#waiting.splice(0)) job.resolve(undefined)
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)))
  }

  #next(): void {
    for (const thread of this.#threads) {
      if (this.#waiting.length === 0) return
      if (thread.ready && !thread.job) this.#give(thread)
    }
    const starting = [...this.#threads].filter(({ ready }) => !ready).length
    if (this.#waiting.length > starting && this.#threads.size < this.#maxThreads && !this.#closed) this.#start()
  }

  #give(thread: SearchWorker): void {
    const job = this.#waiting.shift()
    if (!job) return
    thread.job = job
    thread.worker.ref()
    thread.worker.postMessage(job.task)
    thread.timer = setTimeout(() => {
      void this.#end(thread)
      this.#next()
    }, job.timeoutMs)
  }

  #start(): void {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`search-worker.${extension}`, import.meta.url), { workerData: this.#settings })
    const thread: SearchWorker = { worker, ready: false, job: undefined, timer: undefined }
    this.#threads.add(thread)
    // Only a task keeps the process alive.
    worker.unref()
    worker.on('message', (result: SearchTaskResult) => {
      if (result.kind === 'ready') thread.ready = true
      this.#settle(thread, result)
    })
    worker.on('error', (error) => {
      this.#report(`policies: a thread failed (${error instanceof Error ? error.message : String(error)})`)
      const wasReady = thread.ready
      void this.#end(thread)
      // A thread that cannot even start would not start a second time.
      if (!wasReady) for (const job of this.#waiting.splice(0)) job.resolve(undefined)
      this.#next()
    })
  }

  #settle(thread: SearchWorker, result: SearchTaskResult): void {
    clearTimeout(thread.timer)
    const { job } = thread
    thread.job = undefined
    thread.worker.unref()
    job?.resolve(result)
    this.#next()
  }

  async #end(thread: SearchWorker): Promise<void> {
    this.#threads.delete(thread)
    clearTimeout(thread.timer)
    thread.job?.resolve(undefined)
    thread.job = undefined
    await thread.worker.terminate()
  }
}
