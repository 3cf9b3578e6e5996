/**
 * The gateway in several processes (node:cluster): this one takes the connections and hands them round, keeps the workers
 * alive and speaks for them all at the admin port; it serves nothing itself.
 */
import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import type { GatewayConfig } from '../config/config.ts'
import type { GatewayOptions, ProcessAnswer, Processes } from './processes.ts'
import { shareOf, type ToPrimary, type ToWorker } from './processes.ts'

const WORKER = fileURLToPath(import.meta.url).replace(/workers[\\/]primary\.(js|ts)$/, 'worker.$1')
const ANSWER_WITHIN_MS = 1_000
/** Beyond their own time to drain. */
const STOP_WITHIN_MS = 3_000
const RESTART_AFTER_MS = 200
const SLOWEST_RESTART_MS = 5_000

interface Member {
  /** 1, 2, ...: stays when its process is replaced. */
  number: number
  worker: Worker
  listening: boolean
}

export interface RunningWorkers {
  url: string
  port: number
  processes: Processes
  warmedUp: Promise<void>
  close(): Promise<void>
}

/** Resolves when all workers listen; rejects with the system's error when one cannot. */
export async function startWorkers(config: GatewayConfig, options: GatewayOptions): Promise<RunningWorkers> {
  const workers = new Workers(config, options)
  try {
    const place = await workers.start()
    return { ...place, processes: workers, warmedUp: workers.warmedUp, close: () => workers.stop() }
  } catch (error) {
    await workers.stop()
    throw error
  }
}

class Workers implements Processes {
  readonly #config: GatewayConfig
  readonly #options: GatewayOptions
  readonly #members = new Map<number, Member>()
  readonly #listeners = new Map<string, Set<(value: unknown, worker: number) => void>>()
  readonly #questions = new Map<number, (member: number, known: boolean, answer: unknown) => void>()
  readonly #warm = new Set<number>()
  #nextQuestion = 0
  #restartMs = RESTART_AFTER_MS
  #stopping = false
  #place: { url: string; port: number } | undefined
  #onAllListen: ((place: { url: string; port: number }) => void) | undefined
  #onFailure: ((error: Error) => void) | undefined
  #onAllWarm: (() => void) | undefined
  readonly warmedUp: Promise<void>

  constructor(config: GatewayConfig, options: GatewayOptions) {
    this.#config = config
    this.#options = options
    this.warmedUp = new Promise((resolve) => {
      this.#onAllWarm = resolve
    })
  }

  start(): Promise<{ url: string; port: number }> {
    cluster.setupPrimary({ exec: WORKER, args: [], serialization: 'advanced' })
    return new Promise((resolve, reject) => {
      this.#onAllListen = resolve
      this.#onFailure = reject
      for (let number = 1; number <= this.#config.workers; number++) this.#fork(number)
    })
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all([...this.#members.values()].map(({ worker }) => this.#stopOne(worker)))
  }

  async #stopOne(worker: Worker): Promise<void> {
    if (worker.isDead()) return
    const gone = new Promise((resolve) => worker.once('exit', resolve))
    this.#tell(worker, { kind: 'stop' })
    const limitMs = (this.#options.drainMs ?? this.#config.limits.drainTimeoutMs) + STOP_WITHIN_MS
    const limit = setTimeout(() => worker.process.kill('SIGKILL'), limitMs)
    await gone
    clearTimeout(limit)
  }

  #fork(number: number): void {
    const member: Member = { number, worker: cluster.fork(), listening: false }
    this.#members.set(number, member)
    member.worker.on('message', (message: ToPrimary) => this.#onMessage(member, message))
    member.worker.on('exit', (code, signal) => this.#onExit(member, signal ?? `code ${code}`))
    member.worker.on('error', () => {})
  }

  #onMessage(member: Member, message: ToPrimary): void {
    switch (message.kind) {
      case 'ready-to-start': {
        const { injectDelayMs = 0, drainMs } = this.#options
        // The port as it was given: asked for by that, also for 0, a worker gets the one that the others listen on.
        const config = shareOf(this.#config, this.#config.workers)
        this.#tell(member.worker, { kind: 'start', config, injectDelayMs, drainMs, heard: [...this.#listeners.keys()] })
        break
      }
      case 'listening':
        member.listening = true
        this.#restartMs = RESTART_AFTER_MS
        this.#onListening({ url: message.url, port: message.port })
        break
      case 'failed':
        this.#onFailed(member, message)
        break
      case 'warm':
        this.#warm.add(member.number)
        if (this.#warm.size === this.#config.workers) this.#onAllWarm?.()
        break
      case 'answer':
        this.#questions.get(message.id)?.(member.number, message.known, message.answer)
        break
      case 'published':
        for (const listener of this.#listeners.get(message.channel) ?? []) listener(message.value, member.number)
        break
      case 'report':
        this.#report(`worker ${member.number}: ${message.problem}`)
    }
  }

  #onListening(place: { url: string; port: number }): void {
    if (![...this.#members.values()].every(({ listening }) => listening)) return
    this.#place ??= place
    this.#onAllListen?.(this.#place)
    this.#onFailure = undefined
  }

  #onFailed({ number, worker }: Member, { message, code, port }: ToPrimary & { kind: 'failed' }): void {
    const error = Object.assign(new Error(message), { code, port })
    if (this.#onFailure) this.#onFailure(error)
    else this.#report(`worker ${number} cannot start: ${message}`)
    worker.process.kill('SIGKILL')
  }

  #onExit({ number, listening }: Member, how: string): void {
    if (this.#stopping) return
    if (this.#onFailure) {
      this.#onFailure(new Error(`a worker ended with ${how} before it listened`))
      return
    }
    this.#report(`worker ${number} ended with ${how}${listening ? '' : ' before it listened'}; starting another`)
    setTimeout(() => {
      if (!this.#stopping) this.#fork(number)
    }, this.#restartMs)
    this.#restartMs = Math.min(2 * this.#restartMs, SLOWEST_RESTART_MS)
  }

  #tell(worker: Worker, message: ToWorker): void {
    if (worker.isConnected()) worker.send(message, () => {})
  }

  #report(problem: string): void {
    this.#options.report?.(problem)
  }

  // --- Processes

  ask(topic: string, argument?: unknown): Promise<ProcessAnswer[]> {
    const asked = new Set([...this.#members.values()].filter(({ listening, worker }) => listening && !worker.isDead()))
    const answers: ProcessAnswer[] = []
    const id = this.#nextQuestion++
    return new Promise((resolve) => {
      let missing = asked.size
      const done = (): void => {
        clearTimeout(limit)
        this.#questions.delete(id)
        resolve(answers.sort((a, b) => a.worker - b.worker))
      }
      const limit = setTimeout(done, ANSWER_WITHIN_MS)
      this.#questions.set(id, (worker, known, answer) => {
        if (known) answers.push({ worker, answer })
        missing--
        if (missing === 0) done()
      })
      for (const { worker } of asked) this.#tell(worker, { kind: 'ask', id, topic, argument })
      if (missing === 0) done()
    })
  }

  subscribe(channel: string, listener: (value: unknown, worker: number) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set()
    if (listeners.size === 0) this.#tellAll({ kind: 'heard', channel, on: true })
    this.#listeners.set(channel, listeners)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0) return
      this.#listeners.delete(channel)
      this.#tellAll({ kind: 'heard', channel, on: false })
    }
  }

  #tellAll(message: ToWorker): void {
    for (const { worker } of this.#members.values()) this.#tell(worker, message)
  }
}
