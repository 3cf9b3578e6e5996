/**
 * Records requests by what they are: by the model that they ask for, or by whether a cache answered. A row each in the
 * report. Memory is bounded by the number of groups. Plain data comes out.
 */
import type { RequestResult } from '../client/request-result.ts'
import { Histogram, type PackedHistogram } from '../stats/histogram.ts'
import { isInLatencyTail } from '../wire/outcome.ts'
import { fields, histogram, places, total } from './add-up.ts'
import { READINGS } from './metric-samples.ts'

interface GroupFigures<H> {
  sent: number
  successful: number
  /** Output tokens of the answered ones, and how many of these tell none. */
  outputTokens: number
  untold: number
  latency: H
  ttft: H
  tpot: H
  overhead: H
}

export type GroupRecord = GroupFigures<PackedHistogram>

export class GroupRecorder {
  readonly #groups: GroupFigures<Histogram>[]

  constructor(count: number) {
    this.#groups = Array.from({ length: count }, () => ({
      ...{ sent: 0, successful: 0, outputTokens: 0, untold: 0 },
      ...{ latency: new Histogram(), ttft: new Histogram(), tpot: new Histogram(), overhead: new Histogram() },
    }))
  }

  /** A measured request has ended; `overheadUs` is NaN where nothing tells it. */
  ended(place: number, result: RequestResult, intendedUs: number, overheadUs: number): void {
    const group = this.#groups[place]
    if (!group) return
    group.sent++
    const { outcome, streamed, usage, streamedTokens } = result
    if (isInLatencyTail(outcome)) group.latency.record(READINGS.latency(result, intendedUs))
    if (outcome !== 'OK') return
    group.successful++
    if (usage === undefined && streamedTokens === 0) group.untold++
    else group.outputTokens += usage?.output ?? streamedTokens
    if (!Number.isNaN(overheadUs)) group.overhead.record(overheadUs)
    if (!streamed) return
    recordTold(group.ttft, READINGS.ttft(result, intendedUs))
    recordTold(group.tpot, READINGS.tpot(result, intendedUs))
  }

  toRecords(): GroupRecord[] {
    return this.#groups.map(({ latency, ttft, tpot, overhead, ...counts }) => ({
      ...counts,
      latency: latency.pack(),
      ttft: ttft.pack(),
      tpot: tpot.pack(),
      overhead: overhead.pack(),
    }))
  }
}

function recordTold(histogram: Histogram, us: number): void {
  if (!Number.isNaN(us)) histogram.record(us)
}

/** Senders of a run have the same groups. */
export const groupsSum = places(
  fields<GroupRecord>({
    ...{ sent: total, successful: total, outputTokens: total, untold: total },
    ...{ latency: histogram, ttft: histogram, tpot: histogram, overhead: histogram },
  }),
)
