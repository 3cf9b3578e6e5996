/**
 * The cut of a run into blocks. Where arms take turns, each block begins with requests that do not count: the first of
 * each connection, or in an open loop those before the first answer. A block that is no longer than an answer holds
 * nothing else, so that a run that is limited by time alone is cut anew once it is known how long an answer takes.
 */
import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { blockCount } from '../schedule/blocks.ts'
import { firstWhere } from '../stats/bisect.ts'
import { Histogram } from '../stats/histogram.ts'
import { formatDuration, formatNumber } from '../units.ts'
import { fewestBlocksToRank } from '../verdict/rank.ts'
import { meanRate } from './expected.ts'

/** The largest share of idle-first requests, of the measured ones, that a run excludes. */
const MOST_EXCLUDED = 0.5

const MOST_REQUESTS = 1e9

export interface BlockCut {
  blocks: number
  /** A run too short for that counts these requests, on all arms alike, rather than send several times as many. */
  excludeIdleFirst: boolean
}

/** Of `requests` on each arm, undefined where only time limits them; `idleFirst` of each block are the first ones. */
export function cutIntoBlocks(requests: number | undefined, most: number, idleFirst: number): BlockCut {
  const blocks = blockCount(requests, most, idleFirst)
  return { blocks, excludeIdleFirst: mayExclude(blocks, idleFirst, requests) }
}

function mayExclude(blocks: number, idleFirst: number, requests = Number.POSITIVE_INFINITY): boolean {
  return blocks * idleFirst <= MOST_EXCLUDED * requests
}

/** The plan with as many blocks as hold more than their first requests, by what the validating requests took. */
export function fitBlocks(plan: RunPlan, { arms }: RunRecord, note: (line: string) => void): RunPlan {
  const { load, requests, durationUs, blockUs, interimAnalyses } = plan
  const answerUs = Math.max(...arms.map(({ metrics }) => Histogram.unpack(metrics.latency).maxUs))
  if (!plan.excludeIdleFirst || !(answerUs > 0)) return plan
  // By Little's law: as many are under way at once, and so many are sent in that time.
  const underWay = load.mode === 'closed' ? load.concurrency : Math.ceil((meanRate(load) * answerUs) / 1e6)
  const takes = `An answer takes about ${formatDuration(answerUs / 1_000)}`
  if (durationUs === undefined) {
    const longEnoughUs = answerUs / MOST_EXCLUDED
    // A number of requests is that of those that count.
    if (requests !== undefined || !blockUs || blockUs >= longEnoughUs) return plan
    note(`${takes}: a block takes ${formatDuration(longEnoughUs / 1_000)}.`)
    return { ...plan, blockUs: longEnoughUs }
  }
  const sent = (underWay * durationUs) / answerUs
  const isByRequests = requests !== undefined && requests <= sent
  if (isByRequests || mayExclude(plan.blocks, underWay, sent)) return plan
  // When a run may end is decided by the number of its blocks, and is not changed any more.
  const cut = interimAnalyses ? { excludeIdleFirst: false } : cutIntoBlocks(Math.floor(sent), plan.blocks, underWay)
  const fitted = { ...plan, ...cut }
  const first = fitted.excludeIdleFirst ? '' : ', and the first requests of each connection count too'
  note(`${takes}: ${fitted.blocks} blocks on each arm${first}.`)
  return fitted
}

/** Says before anything is sent that a ranking of several gateways can prove nothing, and what it takes. */
export function noteTooFewBlocks(plan: RunPlan, note: (line: string) => void): void {
  const { arms, baseline, blocks, load, requests, excludeIdleFirst } = plan
  const gateways = arms.length - (baseline === undefined ? 0 : 1)
  if (gateways < 2 || requests === undefined || (load.mode === 'open' && load.trace)) return
  const fewest = fewestBlocksToRank(gateways)
  if (blocks >= fewest) return
  const idleFirst = excludeIdleFirst && load.mode === 'closed' ? load.concurrency : 0
  const most = Math.max(fewest, blocks)
  const enough = firstWhere(requests, MOST_REQUESTS, (count) => blockCount(count, most, idleFirst) >= fewest)
  note(
    `${formatNumber(requests)} requests on each arm are ${formatNumber(blocks)} blocks, which can prove no ` +
      `difference between ${gateways} gateways: it takes ${fewest} blocks, ${formatNumber(enough)} requests.`,
  )
}
