/**
 * What a sending thread recorded, and how the records of several become one, each as it comes: histograms are added up,
 * and blocks and seconds with the same number. Pure.
 */
import type { SelfReportedReadings, SelfReportedRecord } from '../overhead/self-reported.ts'
import type { PackedHistogram } from '../stats/histogram.ts'
import type { SelfReading } from '../system/self-monitor.ts'
import { type Abort, type Watched, watchedSum } from './abort-watch.ts'
import {
  best,
  byNumber,
  counts,
  each,
  fields,
  first,
  histogram,
  joined,
  largest,
  nullable,
  optional,
  places,
  type Sum,
  type SumOf,
  smallest,
  total,
  totalInOrder,
} from './add-up.ts'
import { notesSum } from './answer-notes.ts'
import type { ArmRecord, BlockRecord, Counts } from './arm-record.ts'
import { cacheSum } from './cache-recorder.ts'
import { cancelSum } from './cancellation.ts'
import { categoriesSum } from './category-recorder.ts'
import { comparedSum } from './compared-answers.ts'
import { conversationsSum } from './conversation-recorder.ts'
import { droppedSum } from './dropped-arms.ts'
import { groupsSum } from './group-recorder.ts'
import type { StopReason } from './limits.ts'
import { replaySum } from './replay-recorder.ts'
import { type Second, secondSum } from './series.ts'
import { spentSum, tokensSum } from './token-counter.ts'
import { toldWaitsSum } from './told-waits.ts'

/** How far a run is. */
export interface Progress {
  phase: (typeof PHASES)[number]
  elapsedUs: number
  /** Requests that ended, by arm. */
  doneByArm: number[]
  sent: number
  done: number
  failed: number
  /** By arm, the classes of those that failed. */
  failures: Counts[]
  inFlight: number
  /** Open loop: of the load phases that are over, 1 where every request left on time. */
  achievedToOffered: number | null
  /** For how long nothing will be sent to an arm, as it told. */
  heldUs: number
  /** By arm and condition of --abort-on. */
  watched: Watched[][]
  /** The last whole second; null before there is one. */
  lastSecond: Second | null
}

/** What kt has set for the engine and the scheduler. */
export interface RuntimeSettings {
  v8Flags: readonly string[]
  youngGenerationMb: number
  /** Of V8's helper threads; null where none could be lowered. */
  helperThreadsNice: number | null
  /** Of the sending threads, as the kernel says; null where they are ordinary ones. */
  fifoPriority: number | null
}

/** What was recorded of a whole run; plain data, as it crosses a thread. */
export interface RunRecord {
  arms: ArmRecord[]
  /** Connections opened, by arm. */
  opened: number[]
  series: Second[]
  sendLag: PackedHistogram
  /** Open loop: 1 when every request left on time. */
  achievedToOffered: number | null
  self: SelfReading
  runtime: RuntimeSettings
  /** The readings of each thread, where several sent. */
  workers: SelfReading[]
  stopReason: StopReason | null
  /** The condition that ended the run, where one did. */
  abort?: Abort | undefined
  measuredUs: number
  /** By arm, the latest requests: index, when it was sent and when it ended, three numbers each. */
  requestTimes: Float64Array[]
}

/** In their order: a run is in the earliest phase that any of its threads is in. */
const PHASES = ['validating', 'jit-warmup', 'warm-up', 'measuring', 'asking-again'] as const

export const progressSum = fields<Progress>({
  phase: earliestPhase,
  elapsedUs: largest,
  doneByArm: places(total),
  ...{ sent: total, done: total, failed: total },
  failures: places(counts()),
  inFlight: total,
  // The worst counts: the rules err towards doubt.
  achievedToOffered: nullable(smallest),
  watched: watchedSum,
  heldUs: largest,
  lastSecond: commonSecond,
})

function earliestPhase(): Sum<Progress['phase']> {
  const place = smallest()
  return {
    add: (phase, from) => place.add(PHASES.indexOf(phase), from),
    total: () => PHASES[place.total()] ?? 'measuring',
  }
}

/** A second is whole when all have had it. */
function commonSecond(): Sum<Second | null> {
  let isEverywhere = true
  const seconds = byNumber(({ second }) => second, secondSum)()
  return {
    add: (second, from) => {
      if (second) seconds.add([second], from)
      else isEverywhere = false
    },
    total: () => (isEverywhere ? (seconds.total()[0] ?? null) : null),
  }
}

const blocksSum = byNumber(
  ({ index }) => index,
  fields<BlockRecord>({
    index: first(),
    startedAtUs: smallest,
    endedAtUs: largest,
    sent: total,
    outcomes: counts(),
    metrics: each(histogram),
    stamped: histogram,
    selfReported: each(histogram),
    components: each(histogram) as SumOf<BlockRecord['components']>,
  }),
)

const armSum = fields<ArmRecord>({
  name: first(),
  dropped: optional(droppedSum),
  outcomes: counts(),
  details: each(first()),
  warmup: fields({ sent: total, failed: total }),
  idleFirst: fields({ sent: total, failed: total }),
  metrics: each(histogram) as SumOf<ArmRecord['metrics']>,
  stamped: fields({
    ...{ total: histogram, perToken: histogram, unattributed: histogram },
    ...{ cacheHits: total, retried: total },
  }),
  selfReport: selfReportSum,
  tokens: tokensSum,
  notes: notesSum,
  bodyBytes: total,
  reused: total,
  activeUs: largest,
  // Each sender's last gap goes past the requests of the others: the first to have none left is where all have none.
  dueUs: smallest,
  lateUs: largest,
  trend: fields({
    ...{ count: total, x: totalInOrder, y: totalInOrder },
    ...{ xx: totalInOrder, xy: totalInOrder, yy: totalInOrder },
  }),
  mostInFlight: total,
  inFlightUs: totalInOrder,
  tokensSpent: spentSum,
  cutOff: total,
  canceled: cancelSum,
  blocks: blocksSum,
  categories: categoriesSum,
  told: toldWaitsSum,
  compared: optional(comparedSum),
  conversations: optional(conversationsSum),
  cache: optional(cacheSum),
  models: optional(groupsSum),
  replay: optional(replaySum),
})

/** That of the first sender that knows the gateway. */
function selfReportSum(): Sum<SelfReportedRecord> {
  const named = first<SelfReportedRecord>(({ gateway }) => gateway !== '')()
  const others = fields<Pick<SelfReportedRecord, 'caveat' | 'readings' | 'rejected'>>({
    caveat: first((caveat) => caveat !== ''),
    readings: each(readingsSum),
    rejected: counts() as SumOf<SelfReportedRecord['rejected']>,
  })()
  return {
    add(part, from) {
      named.add(part, from)
      others.add(part, from)
    },
    total() {
      const { gateway, unsure } = named.total()
      return { gateway, unsure, ...others.total() }
    },
  }
}

/** As fine as the finest of them. */
function readingsSum(): Sum<SelfReportedReadings> {
  const named = first<SelfReportedReadings>()()
  const finest = best<SelfReportedReadings>((a, b) => a.resolutionUs < b.resolutionUs)()
  const all = histogram()
  return {
    add(part, from) {
      named.add(part, from)
      finest.add(part, from)
      all.add(part.total, from)
    },
    total() {
      const { resolutionUs, centreUs } = finest.total()
      return { ...named.total(), resolutionUs, centreUs, total: all.total() }
    },
  }
}

/** The busiest and the latest of the threads; readings of the whole process are the same in each and are taken once. */
const readingSum = fields<SelfReading>({
  eventLoopDelayMs: fields({ p99: largest, max: largest }),
  eventLoopUtilization: largest,
  cpuShare: first(),
  gcMs: totalInOrder,
  involuntarySwitches: first(),
  throttledMs: first(),
})

const severalSum = fields<RunRecord>({
  arms: places(armSum),
  opened: places(total),
  series: byNumber(({ second }) => second, secondSum),
  sendLag: histogram,
  achievedToOffered: nullable(smallest),
  self: readingSum,
  // One thread that could not have real time is enough for a run without.
  runtime: first(({ fifoPriority }) => fifoPriority === null),
  workers: joined(),
  stopReason: first((reason) => reason !== null),
  abort: first(),
  measuredUs: largest,
  requestTimes: places(timesSum),
})

/** The record of a sender that is the only one stays as it is. */
export function recordSum(): Sum<RunRecord> {
  const sum = severalSum()
  let only: { record: RunRecord; from: number } | undefined
  let count = 0
  const addOne = (record: RunRecord, from: number): void => {
    sum.add({ ...record, workers: record.workers.length > 0 ? record.workers : [record.self] }, from)
  }
  return {
    add(record, from) {
      if (count++ === 0) only = { record, from }
      else {
        if (only) addOne(only.record, only.from)
        only = undefined
        addOne(record, from)
      }
    },
    total: () => only?.record ?? sum.total(),
  }
}

function timesSum(): Sum<Float64Array> {
  const parts = joined<Float64Array>()()
  return {
    add: (part, from) => parts.add([part], from),
    total: () => joinArrays(parts.total()),
  }
}

function joinArrays(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
