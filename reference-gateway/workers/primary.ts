/**
 * The gateway in several processes (node:cluster). This process accepts the connections and distributes them, replaces
 * workers that end, and answers for all of them at the admin port. It serves no requests itself.
 */
import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { SMALL_HEAP } from '../../src/system/helper-threads.ts'
import type { GatewayConfig } from '../config/config.ts'
import { type Counts, isCounts, sum } from './counts.ts'
import type { GatewayOptions, RpcResult, WorkerGroup } from './worker-group.ts'
import { type PrimaryMessage, splitLimits, type WorkerMessage } from './worker-group.ts'

const WORKER = fileURLToPath(import.meta.url).replace(/workers[\\/]primary\.(js|ts)$/, 'worker.$1')
const CALL_TIMEOUT_MS = 1_000
/** Added to the workers' own time to drain. */
const STOP_MARGIN_MS = 3_000
const RESTART_DELAY_MS = 200
const MAX_RESTART_DELAY_MS = 5_000

interface Member {
  /** 1, 2, ...: the number stays when the process is replaced. */
  number: number
  worker: Worker
  listening: boolean
  /** What it told last. */
  counts: Counts
}

interface RunningWorkers {
  url: string
  port: number
  group: WorkerGroup
  warmedUp: Promise<void>
  close(): Promise<void>
  reload(config: GatewayConfig): Promise<RpcResult[]>
}

/** Resolves when all workers listen; rejects with the system's error when one cannot. */
export async function startWorkers(config: GatewayConfig, options: GatewayOptions): Promise<RunningWorkers> {
  const workers = new Workers(config, options)
  try {
    const address = await workers.start()
    return {
      ...address,
      group: workers,
      warmedUp: workers.warmedUp,
      close: () => workers.stop(),
      reload: (next) => workers.reload(next),
    }
  } catch (error) {
    await workers.stop()
    throw error
  }
}

class Workers implements WorkerGroup {
  #config: GatewayConfig
  #port: number
  readonly #options: GatewayOptions
  readonly #members = new Map<number, Member>()
  readonly #listeners = new Map<string, Set<(value: unknown, worker: number) => void>>()
  readonly #calls = new Map<number, (member: Member, known: boolean, value: unknown) => void>()
  readonly #warm = new Set<number>()
  #endedCounts: Counts = {}
  #nextCall = 0
  #restartMs = RESTART_DELAY_MS
  #stopping = false
  #address: { url: string; port: number } | undefined
  #onAllListen: ((address: { url: string; port: number }) => void) | undefined
  #onFailure: ((error: Error) => void) | undefined
  #onAllWarm: (() => void) | undefined
  readonly warmedUp: Promise<void>

  constructor(config: GatewayConfig, options: GatewayOptions) {
    this.#config = config
    this.#port = config.port
    this.#options = options
    this.warmedUp = new Promise((resolve) => {
      this.#onAllWarm = resolve
    })
  }

  start(): Promise<{ url: string; port: number }> {
    const execArgv = [...process.execArgv, ...SMALL_HEAP]
    cluster.setupPrimary({ exec: WORKER, args: [], execArgv, serialization: 'advanced' })
    return new Promise((resolve, reject) => {
      this.#onAllListen = resolve
      this.#onFailure = reject
      for (let number = 1; number <= this.#config.workers; number++) this.#fork(number)
    })
  }

  /** Processes that start later serve by it as well. */
  async reload(config: GatewayConfig): Promise<RpcResult[]> {
    const results = await this.call('reload', splitLimits(config, this.#config.workers))
    if (results.every(({ value }) => value === null)) this.#config = config
    return results
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all([...this.#members.values()].map(({ worker }) => this.#stopOne(worker)))
  }

  async #stopOne(worker: Worker): Promise<void> {
    if (worker.isDead()) return
    const gone = new Promise((resolve) => worker.once('exit', resolve))
    this.#send(worker, { kind: 'stop' })
    const limitMs = (this.#options.drainMs ?? this.#config.limits.drainTimeoutMs) + STOP_MARGIN_MS
    const limit = setTimeout(() => worker.process.kill('SIGKILL'), limitMs)
    await gone
    clearTimeout(limit)
  }

  #fork(number: number): void {
    const member: Member = { number, worker: cluster.fork(), listening: false, counts: {} }
    this.#members.set(number, member)
    member.worker.on('message', (message: WorkerMessage) => this.#onMessage(member, message))
    member.worker.on('exit', (code, signal) => this.#onExit(member, signal ?? `code ${code}`))
    member.worker.on('error', () => {})
  }

  #onMessage(member: Member, message: WorkerMessage): void {
    switch (message.kind) {
      case 'ready-to-start': {
        const { report: _, ...options } = this.#options
        // A worker that asks for the same port as the others shares it. Any free port (0) is shared under that number,
        // until the last of those who share it is gone: then those who come after ask for the port that clients know.
        const alone = ![...this.#members.values()].some(({ listening, worker }) => listening && !worker.isDead())
        if (alone && this.#address) this.#port = this.#address.port
        const config = { ...splitLimits(this.#config, this.#config.workers), port: this.#port }
        this.#send(member.worker, {
          kind: 'start',
          config,
          options,
          channels: [...this.#listeners.keys()],
        })
        break
      }
      case 'listening':
        member.listening = true
        this.#restartMs = RESTART_DELAY_MS
        this.#onListening({ url: message.url, port: message.port })
        break
      case 'failed':
        this.#onFailed(member, message)
        break
      case 'warm':
        this.#warm.add(member.number)
        if (this.#warm.size === this.#config.workers) this.#onAllWarm?.()
        break
      case 'result':
        this.#calls.get(message.id)?.(member, message.known, message.value)
        break
      case 'counts':
        member.counts = message.counts
        break
      case 'published':
        for (const listener of this.#listeners.get(message.channel) ?? []) listener(message.value, member.number)
        break
      case 'report':
        this.#report(`worker ${member.number}: ${message.problem}`)
        break
      case 'stopped':
        // Its last message, and its exit follows.
        break
      default:
        message satisfies never
    }
  }

  #onListening(address: { url: string; port: number }): void {
    if (![...this.#members.values()].every(({ listening }) => listening)) return
    this.#address ??= address
    this.#onAllListen?.(this.#address)
    this.#onFailure = undefined
  }

  #onFailed({ number, worker }: Member, { message, code, port }: WorkerMessage & { kind: 'failed' }): void {
    const error = Object.assign(new Error(message), { code, port })
    if (this.#onFailure) this.#onFailure(error)
    else this.#report(`worker ${number} cannot start: ${message}`)
    worker.process.kill('SIGKILL')
  }

  #onExit({ number, listening, counts }: Member, how: string): void {
    this.#endedCounts = sum([this.#endedCounts, counts])
    if (this.#stopping) return
    if (this.#onFailure) {
      this.#onFailure(new Error(`a worker ended with ${how} before it listened`))
      return
    }
    this.#report(`worker ${number} ended with ${how}${listening ? '' : ' before it listened'}; starting another`)
    setTimeout(() => {
      if (!this.#stopping) this.#fork(number)
    }, this.#restartMs)
    this.#restartMs = Math.min(2 * this.#restartMs, MAX_RESTART_DELAY_MS)
  }

  #send(worker: Worker, message: PrimaryMessage): void {
    if (worker.isConnected()) worker.send(message, () => {})
  }

  #report(problem: string): void {
    this.#options.report?.(problem)
  }

  // --- Processes

  call(method: string, argument?: unknown): Promise<RpcResult[]> {
    const called = new Set([...this.#members.values()].filter(({ listening, worker }) => listening && !worker.isDead()))
    const results: RpcResult[] = []
    const id = this.#nextCall++
    return new Promise((resolve) => {
      let missing = called.size
      const done = (): void => {
        clearTimeout(limit)
        this.#calls.delete(id)
        resolve(results.sort((a, b) => a.worker - b.worker))
      }
      const limit = setTimeout(done, CALL_TIMEOUT_MS)
      this.#calls.set(id, (member, known, value) => {
        if (known) results.push({ worker: member.number, value })
        if (method === 'counts' && isCounts(value)) member.counts = value
        missing--
        if (missing === 0) done()
      })
      for (const { worker } of called) this.#send(worker, { kind: 'call', id, method, argument })
      if (missing === 0) done()
    })
  }

  subscribe(channel: string, listener: (value: unknown, worker: number) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set()
    if (listeners.size === 0) this.#sendAll({ kind: 'subscribe', channel, on: true })
    this.#listeners.set(channel, listeners)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0) return
      this.#listeners.delete(channel)
      this.#sendAll({ kind: 'subscribe', channel, on: false })
    }
  }

  endedCounts(): Counts {
    return this.#endedCounts
  }

  #sendAll(message: PrimaryMessage): void {
    for (const { worker } of this.#members.values()) this.#send(worker, message)
  }
}
