/**
 * What the sampled nodes carry beside the CPU, second by second: bytes against the machine's bandwidth, open streams
 * and bodies against its memory. Bytes beyond the bandwidth of a second wait for the next ones.
 */
import type { Workers } from './workers.ts'

export interface NodeLimits {
  nodes: number
  workersPerNode: number
  bytesPerSec: number
  inputBytesPerToken: number
  outputBytesPerToken: number
  /** Share of requests that the gateway does not answer from its cache. */
  missShare: number
  memoryBytes: number
  baseBytesPerWorker: number
  /** Of a request in flight: its stream and its body. */
  bytesPerRequest: number
  /** Requests that a worker may have in flight by its connections. */
  mostOpen: number
}

export interface NodesSeen {
  /** Highest share of a node's bandwidth, its seconds above it, and the longest that a byte waited for it. */
  network: { peak: number; overS: number; delayMs: number }
  memory: { peak: number }
  /** Highest share of a worker's connections, and requests that found none. */
  connections: { peak: number; refusedShare: number }
}

export class Nodes {
  readonly #limits: NodeLimits
  #in = new Float64Array(0)
  #out = new Float64Array(0)
  #open = new Float64Array(0)
  #pods = new Float64Array(0)
  #waiting = new Float64Array(0)
  #seen = { network: 0, overS: 0, delayS: 0, memory: 0, connections: 0 }

  constructor(limits: NodeLimits) {
    this.#limits = limits
  }

  /** Nodes that hold so many workers: those there are, and more where they do not fit. */
  holding(workers: number): number {
    return Math.max(this.#limits.nodes, Math.ceil(workers / this.#limits.workersPerNode))
  }

  /** Workers are spread over the nodes in turns; the first `serving` of them run. */
  second(workers: Workers, serving: number, nodes: number): void {
    this.#resize(nodes)
    const { inputBytesPerToken, outputBytesPerToken, mostOpen } = this.#limits
    for (let worker = 0; worker < workers.open.length; worker++) {
      const node = worker % nodes
      const open = workers.open[worker] ?? 0
      add(this.#open, node, open)
      add(this.#in, node, (workers.inputTokens[worker] ?? 0) * inputBytesPerToken)
      add(this.#out, node, (workers.tokensPerSec[worker] ?? 0) * outputBytesPerToken)
      if (worker < serving) add(this.#pods, node, 1)
      this.#seen.connections = Math.max(this.#seen.connections, open / mostOpen)
    }
    let over = false
    for (let node = 0; node < nodes; node++) over = this.#settle(node) || over
    if (over) this.#seen.overS++
  }

  /** Whether more bytes were there than the node sends in a second. */
  #settle(node: number): boolean {
    const { bytesPerSec, missShare, memoryBytes, baseBytesPerWorker, bytesPerRequest } = this.#limits
    const [input, output] = [this.#in[node] ?? 0, this.#out[node] ?? 0]
    const bytes = Math.max(input + output * missShare, input * missShare + output)
    const waiting = Math.max(0, (this.#waiting[node] ?? 0) + bytes - bytesPerSec)
    this.#waiting[node] = waiting
    const seen = this.#seen
    seen.network = Math.max(seen.network, bytes / bytesPerSec)
    seen.delayS = Math.max(seen.delayS, waiting / bytesPerSec)
    const memory = (this.#pods[node] ?? 0) * baseBytesPerWorker + (this.#open[node] ?? 0) * bytesPerRequest
    seen.memory = Math.max(seen.memory, memory / memoryBytes)
    return bytes > bytesPerSec
  }

  seen(refusedShare: number): NodesSeen {
    const { network, overS, delayS, memory, connections } = this.#seen
    return {
      network: { peak: network, overS, delayMs: delayS * 1_000 },
      memory: { peak: memory },
      connections: { peak: connections, refusedShare },
    }
  }

  #resize(nodes: number): void {
    if (this.#in.length === nodes) {
      for (const values of [this.#in, this.#out, this.#open, this.#pods]) values.fill(0)
      return
    }
    const waiting = new Float64Array(nodes)
    waiting.set(this.#waiting.subarray(0, nodes))
    this.#waiting = waiting
    this.#in = new Float64Array(nodes)
    this.#out = new Float64Array(nodes)
    this.#open = new Float64Array(nodes)
    this.#pods = new Float64Array(nodes)
  }
}

function add(values: Float64Array, at: number, by: number): void {
  values[at] = (values[at] ?? 0) + by
}
