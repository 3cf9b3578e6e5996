/** What one arm of a run recorded: plain data, fit to cross a thread. */
import type { SelfReportedDefinition, SelfReportedRecord } from '../overhead/self-reported.ts'
import type { BlockMetric, Metric } from '../slo/metrics.ts'
import type { PackedHistogram } from '../stats/histogram.ts'
import type { TrendSums } from '../stats/trend.ts'
import type { Outcome } from '../wire/outcome.ts'
import type { AnswerNotes } from './answer-notes.ts'
import type { CacheRecord } from './cache-recorder.ts'
import type { CancelRecord } from './cancellation.ts'
import type { CategoryRecord } from './category-recorder.ts'
import type { ComparedAnswersRecord } from './compared-answers.ts'
import type { ConversationRecord } from './conversation-recorder.ts'
import type { Dropped } from './dropped-arms.ts'
import type { GroupRecord } from './group-recorder.ts'
import type { ReplayRecord } from './replay-recorder.ts'
import type { TokenRecord, TokensSpent } from './token-counter.ts'
import type { ToldWaits } from './told-waits.ts'

export type Counts = Partial<Record<Outcome, number>>

/** Of one block of an arm, with its histograms in the form of `H`. */
export interface BlockFigures<H> {
  index: number
  startedAtUs: number
  /** When the last of its requests ended. */
  endedAtUs: number
  sent: number
  outcomes: Counts
  /** Those that were asked for and measured, of the metrics that are recorded by block. */
  metrics: Partial<Record<BlockMetric, H>>
  stamped: H
  selfReported: Partial<Record<SelfReportedDefinition, H>>
}

export interface BlockRecord extends BlockFigures<PackedHistogram> {
  /** The times of the gateway's components, as the gateway reports them. */
  components: Record<string, PackedHistogram>
}

export interface ArmRecord {
  name: string
  /** Where it was dead before the run was over. */
  dropped?: Dropped | undefined
  outcomes: Counts
  /** The first reason of each class of failure. */
  details: Partial<Record<Outcome, string>>
  warmup: { sent: number; failed: number }
  /** The first request of each connection in a block, excluded because the connection was idle before. */
  idleFirst: { sent: number; failed: number }
  metrics: Record<Metric, PackedHistogram>
  stamped: {
    total: PackedHistogram
    perToken: PackedHistogram
    unattributed: PackedHistogram
    cacheHits: number
    retried: number
  }
  selfReport: SelfReportedRecord
  tokens: TokenRecord
  notes: AnswerNotes
  bodyBytes: number
  reused: number
  /** Time under load, without the pauses between the blocks of an arm. */
  activeUs: number
  /** Open loop: the time in which requests were due, and for how long after it some still left; else 0. */
  dueUs: number
  lateUs: number
  /** Open loop: the latency of answers over the time at which they were due, both in seconds. */
  trend: TrendSums
  mostInFlight: number
  inFlightUs: number
  /** By all requests, those that no figure holds too. */
  tokensSpent: TokensSpent
  /** Requests that the user's interrupt cut off, or kept from being sent: no figure holds them. */
  cutOff: number
  canceled: CancelRecord
  blocks: BlockRecord[]
  /** Empty for a workload without categories. */
  categories: CategoryRecord[]
  told: ToldWaits
  /** Undefined where answers are not compared. */
  compared: ComparedAnswersRecord | undefined
  /** Undefined where requests belong to no conversation. */
  conversations: ConversationRecord | undefined
  /** By model, where the run asks for several. */
  models: GroupRecord[] | undefined
  /** Where requests repeat others. */
  cache: CacheRecord | undefined
  /** Undefined without a trace. */
  replay: ReplayRecord | undefined
}
