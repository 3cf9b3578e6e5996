/**
 * Threads for what would hold up the event loop. Each runs one task at a time; tenants take turns for them. A thread
 * that does not finish in a task's time is ended, whatever it does, and another one replaces it. Time spent waiting for
 * a thread does not count as the task's.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { TurnQueue } from './turn-queue.ts'

const MAX_THREADS = 4

/** The first message of a thread, which says that it has loaded. */
export const READY = 'ready'

interface ThreadScript {
  /** What the threads are for, for reports. */
  name: string
  /** Without its extension: that of this file is added. */
  url: URL
  data?: unknown
}

interface Job<Task, Result> {
  task: Task
  timeoutMs: number
  resolve: (result: Result | undefined) => void
}

interface Thread<Task, Result> {
  worker: Worker
  /** The thread has loaded: from now on time counts as the task's. */
  ready: boolean
  job: Job<Task, Result> | undefined
  timer: NodeJS.Timeout | undefined
}

export class ThreadPool<Task, Result> {
  readonly #script: ThreadScript
  readonly #report: (problem: string) => void
  readonly #maxThreads: number
  readonly #threads = new Set<Thread<Task, Result>>()
  readonly #waiting = new TurnQueue<Job<Task, Result>>()
  #closed = false

  constructor(
    script: ThreadScript,
    report: (problem: string) => void,
    maxThreads = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
  ) {
    this.#script = script
    this.#report = report
    this.#maxThreads = maxThreads
  }

  /** Starts a thread before it is needed. */
  prepare(): void {
    if (this.#threads.size === 0) this.#start()
  }

  /** Undefined: the time was over, or the thread failed. */
  run(tenant: string, task: Task, timeoutMs: number): Promise<Result | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push(tenant, { task, timeoutMs, resolve })
      this.#next()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#giveUp()
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)))
  }

  #next(): void {
    for (const thread of this.#threads) {
      if (this.#waiting.size === 0) return
      if (thread.ready && !thread.job) this.#give(thread)
    }
    if (this.#closed) this.#giveUp()
    const starting = [...this.#threads].filter(({ ready }) => !ready).length
    if (this.#waiting.size > starting && this.#threads.size < this.#maxThreads) this.#start()
  }

  #give(thread: Thread<Task, Result>): void {
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

  #giveUp(): void {
    for (let job = this.#waiting.shift(); job; job = this.#waiting.shift()) job.resolve(undefined)
  }

  #start(): void {
    const { name, url, data } = this.#script
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`${url.href}.${extension}`), { workerData: data })
    const thread: Thread<Task, Result> = { worker, ready: false, job: undefined, timer: undefined }
    this.#threads.add(thread)
    // Only a task keeps the process alive.
    worker.unref()
    worker.on('message', (result: Result | typeof READY) => this.#onMessage(thread, result))
    worker.on('error', (error) => {
      this.#report(`${name}: a thread failed (${error instanceof Error ? error.message : String(error)})`)
      const wasReady = thread.ready
      void this.#end(thread)
      // A thread that cannot even start would not start a second time.
      if (!wasReady) this.#giveUp()
      this.#next()
    })
  }

  #onMessage(thread: Thread<Task, Result>, result: Result | typeof READY): void {
    if (result === READY) thread.ready = true
    else {
      clearTimeout(thread.timer)
      const { job } = thread
      thread.job = undefined
      thread.worker.unref()
      job?.resolve(result)
    }
    this.#next()
  }

  async #end(thread: Thread<Task, Result>): Promise<void> {
    this.#threads.delete(thread)
    clearTimeout(thread.timer)
    thread.job?.resolve(undefined)
    thread.job = undefined
    await thread.worker.terminate()
  }
}
