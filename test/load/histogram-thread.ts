/**
 * A thread that records durations block by block, encodes the histograms of all blocks at its end, as a sending thread
 * does, and hands them over in one message.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Histogram } from '../../src/stats/histogram.ts'

/** By round and block. */
const { rounds } = workerData as { rounds: number[][][] }

function record(blocks: number[][]) {
  const live = blocks.map((values) => {
    const block = {
      latency: new Histogram(4),
      service: new Histogram(4),
      gap: new Histogram(),
      stamped: new Histogram(),
    }
    for (const [i, us] of values.entries()) {
      block.latency.record(us)
      block.service.record(us * 0.9)
      if (i % 2 === 0) block.stamped.record(us / 20 - 100)
      if (i % 3 === 0) block.gap.record(us / 3)
    }
    return block
  })
  const all = Histogram.merge(live.map(({ latency }) => latency)).pack()
  const encoded = live.map(({ latency, service, gap, stamped }, index) => ({
    index,
    latency: latency.pack(),
    metrics: Object.fromEntries([
      ['service', service.pack()],
      ['gap', gap.pack()],
    ]),
    stamped: stamped.pack(),
  }))
  return { all, encoded }
}

export type Recorded = ReturnType<typeof record>

// In each round the engine knows the code better, and compiles it anew beside it.
parentPort?.postMessage(rounds.map(record))
