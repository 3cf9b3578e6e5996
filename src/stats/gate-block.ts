/** A block as gates take it, and what of it counts for which verdict. */
import { formatNumber } from '../units.ts'
import type { Histogram } from './histogram.ts'
import type { BlockShare } from './share-interval.ts'

export interface GateBlock {
  /** The overhead of each request that carries a reading. */
  values: Histogram
  failed: number
  /** Requests in flight when the run ended. */
  unfinished: number
  /** How many of `failed` and `unfinished` have a value as well, as a timeout has its latency. None by default. */
  failedInValues?: number
  unfinishedInValues?: number
  /** Requests that the machine may have held up (starvation.ts). None by default. */
  heldUp?: number
  /** How long threads that serve these requests waited for a core, summed. None by default. */
  waitUs?: number
}

/**
 * What counts as an exceedance: for a PASS also what was in flight at the end, since nobody knows how it would have
 * ended; for a FAIL only what the machine did not hold up; `seen` is every request that ended over the limit.
 */
type CountedFor = 'pass' | 'fail' | 'seen'

export function exceedances(blocks: readonly GateBlock[], limitUs: number, countedFor: CountedFor): BlockShare[] {
  return blocks.map((block) => {
    const { n, over } = exceedance(block, limitUs, countedFor === 'pass')
    return { n, over: countedFor === 'fail' ? Math.max(0, over - (block.heldUp ?? 0)) : over }
  })
}

/** Requests over the limit, with failed ones, each counted once. */
export function exceedance(block: GateBlock, limitUs: number, withUnfinished: boolean): BlockShare {
  const { values, failed, unfinished, failedInValues = 0, unfinishedInValues = 0 } = block
  const inValues = failedInValues + (withUnfinished ? unfinishedInValues : 0)
  const without = failed + (withUnfinished ? unfinished : 0) - inValues
  // A failed request with a value has one of the largest values.
  return { n: values.count + without, over: Math.max(values.countAbove(limitUs), inValues) + without }
}

/** How long the machine made a request wait for a core, in the mean: by that much it may have shifted every request. */
export function waitPerRequestUs(blocks: readonly GateBlock[]): number {
  const waitUs = blocks.reduce((total, block) => total + (block.waitUs ?? 0), 0)
  const requests = blocks.reduce(
    (total, { values, failed, unfinished }) => total + values.count + failed + unfinished,
    0,
  )
  return waitUs / Math.max(1, requests)
}

/** What the machine did to the run, and what would help. */
export function describeStarvation(blocks: readonly GateBlock[]): string {
  const heldUp = blocks.reduce((total, block) => total + (block.heldUp ?? 0), 0)
  const starved = blocks.filter((block) => (block.heldUp ?? 0) > 0).length
  return (
    `the machine was short of CPU in ${starved} of ${blocks.length} blocks and may have held up ` +
    `${formatNumber(heldUp)} of these requests: run it with nothing else beside it, or on more cores`
  )
}
