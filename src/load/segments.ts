/**
 * Cuts a run into segments. One arm runs in one segment, so that an open loop never pauses; several arms take turns, a block
 * each, in random order within every pair of blocks. Paired by request, both run in one segment. A look ends a segment.
 */
import { interleave, shareOfBlocks } from '../schedule/blocks.ts'
import type { RunPlan, Segment } from './plan.ts'

export function segmentsOf(plan: RunPlan): Segment[] {
  const { arms, blocks, pairing, workload, looks = [] } = plan
  const all = arms.map((_, index) => index)
  const pauses = looks.filter((look) => look < blocks)
  if (arms.length === 1 || pairing === 'request') {
    const ends = [...pauses, blocks]
    return ends.map((end, i) => {
      const firstBlock = ends[i - 1] ?? 0
      return { ...part(plan, all, firstBlock, end - firstBlock), ...(end < blocks ? { lookAfter: end } : {}) }
    })
  }
  return interleave(all, blocks, workload.seed).map(({ arm, block }, i) => ({
    ...part(plan, [arm], block, 1),
    ...((i + 1) % arms.length === 0 && pauses.includes(block + 1) ? { lookAfter: block + 1 } : {}),
  }))
}

function part(
  { arms, blocks: all, requests, durationUs, leaveOutFirst = true }: RunPlan,
  used: readonly number[],
  firstBlock: number,
  blocks: number,
): Segment {
  return {
    arms: used,
    firstBlock,
    blocks,
    requests: requests === undefined ? undefined : shareOfBlocks(requests, all, firstBlock, blocks),
    durationUs: durationUs === undefined ? undefined : (durationUs / all) * blocks * used.length,
    rested: leaveOutFirst && used.length < arms.length,
  }
}

/** The block of the `index`-th request of a segment, due `dueUs` after the segment's start. */
export function blockOf(segment: Segment, index: number, dueUs: number): number {
  const { arms, firstBlock, blocks, requests, durationUs } = segment
  const done = requests === undefined ? dueUs / (durationUs ?? 1) : index / (requests * arms.length)
  return firstBlock + Math.min(blocks - 1, Math.floor(done * blocks))
}
