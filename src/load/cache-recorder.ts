/** Records the requests of a run that repeats some of them: those that a cache answered, and all others. */
import type { RequestResult } from '../client/request-result.ts'
import type { CacheVerdict } from '../overhead/cache-status.ts'
import { counts, fields, type SumOf, total } from './add-up.ts'
import { type GroupRecord, GroupRecorder, groupsSum } from './group-recorder.ts'

export interface CacheRecord {
  /** Hits, then all others, the failed ones among them. */
  groups: GroupRecord[]
  /** Answered requests that repeated one. */
  repeated: number
  toldBy: Record<CacheVerdict['toldBy'], number>
}

const HITS = 0
const OTHERS = 1

export class CacheRecorder {
  readonly #groups = new GroupRecorder(2)
  readonly #toldBy = { header: 0, stamp: 0, schedule: 0 }
  #repeated = 0

  failed(result: RequestResult, intendedUs: number): void {
    this.#groups.ended(OTHERS, result, intendedUs, Number.NaN)
  }

  /** All of the time of a hit is the gateway's own: nobody else was asked. */
  hit(result: RequestResult, intendedUs: number): void {
    this.#groups.ended(HITS, result, intendedUs, result.endUs - result.sentUs)
  }

  missed(result: RequestResult, intendedUs: number, overheadUs: number): void {
    this.#groups.ended(OTHERS, result, intendedUs, overheadUs)
  }

  told({ toldBy }: CacheVerdict, isRepeat: boolean): void {
    this.#toldBy[toldBy]++
    if (isRepeat) this.#repeated++
  }

  toRecord(): CacheRecord {
    return { groups: this.#groups.toRecords(), repeated: this.#repeated, toldBy: this.#toldBy }
  }
}

export const cacheSum = fields<CacheRecord>({
  groups: groupsSum,
  repeated: total,
  toldBy: counts() as SumOf<CacheRecord['toldBy']>,
})
