/**
 * Cuts a run into segments. One arm runs in one segment, so that an open loop never pauses; several arms take turns, a block
 * each, in random order within every pair of blocks.
 */
import { interleave, share } from '../schedule/blocks.ts'
import type { RunPlan, Segment } from './plan.ts'

export function segmentsOf(plan: RunPlan): Segment[] {
  const { arms, blocks, requests, durationUs } = plan
  if (arms.length === 1) return [{ arm: 0, firstBlock: 0, blocks, requests, durationUs }]
  const indexes = arms.map((_, index) => index)
  return interleave(indexes, blocks, plan.workload.seed).map(({ arm, block }) => ({
    arm,
    firstBlock: block,
    blocks: 1,
    requests: requests === undefined ? undefined : share(requests, blocks, block),
    durationUs: durationUs === undefined ? undefined : durationUs / blocks,
  }))
}

/** The block of the `index`-th request of a segment, due `dueUs` after the segment's start. */
export function blockOf(segment: Segment, index: number, dueUs: number): number {
  const { firstBlock, blocks, requests, durationUs } = segment
  const done = requests === undefined ? dueUs / (durationUs ?? 1) : index / requests
  return firstBlock + Math.min(blocks - 1, Math.floor(done * blocks))
}
