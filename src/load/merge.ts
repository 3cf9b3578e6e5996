/**
 * What a sending thread recorded, and how the records of several threads become one: histograms are added up, blocks
 * and seconds with the same number are merged. Pure.
 */
import {
  SELF_REPORTED_DEFINITIONS,
  type SelfReportedReadings,
  type SelfReportedRecord,
} from '../overhead/self-reported.ts'
import type { EncodedHistogram } from '../stats/histogram.ts'
import type { SelfReading } from '../system/self-monitor.ts'
import { type Abort, addWatched, type Watched } from './abort-watch.ts'
import { addCounts, groupByNumber, mergeEach, mergeHistograms, most, sum } from './add-up.ts'
import { mergeNotes } from './answer-notes.ts'
import type { ArmRecord, BlockRecord, Counts } from './arm-record.ts'
import { mergeCaches } from './cache-recorder.ts'
import { mergeCanceled } from './cancellation.ts'
import { mergeCategories } from './category-recorder.ts'
import { mergeComparedAnswers } from './compared-answers.ts'
import { mergeConversations } from './conversation-recorder.ts'
import { mergeDropped } from './dropped-arms.ts'
import { mergeGroups } from './group-recorder.ts'
import type { StopReason } from './limits.ts'
import { mergeReplays } from './replay-recorder.ts'
import { mergeSeconds, type Second } from './series.ts'
import { addSpent, mergeTokens } from './token-counter.ts'
import { mergeToldWaits } from './told-waits.ts'

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
  sendLag: EncodedHistogram
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

export function mergeRecords(records: readonly RunRecord[]): RunRecord {
  const [first] = records
  if (!first || records.length === 1) return requireRecord(first)
  return {
    arms: first.arms.map((_, i) => mergeArms(records.flatMap(({ arms }) => arms[i] ?? []))),
    opened: first.opened.map((_, i) => sum(records, ({ opened }) => opened[i] ?? 0)),
    series: mergeSeries(records.map(({ series }) => series)),
    sendLag: mergeHistograms(records.map(({ sendLag }) => sendLag)),
    achievedToOffered: lowest(records),
    self: mergeReadings(records.map(({ self }) => self)),
    // One thread that could not have real time is enough for a run without.
    runtime: records.find(({ runtime }) => runtime.fifoPriority === null)?.runtime ?? first.runtime,
    workers: records.map(({ self }) => self),
    stopReason: records.find(({ stopReason }) => stopReason !== null)?.stopReason ?? null,
    measuredUs: most(records, ({ measuredUs }) => measuredUs),
    requestTimes: first.requestTimes.map((_, i) =>
      joinArrays(records.map(({ requestTimes }) => requestTimes[i] ?? new Float64Array())),
    ),
  }
}

export function mergeProgress(parts: readonly Progress[]): Progress {
  const seconds = parts.flatMap(({ lastSecond }) => lastSecond ?? [])
  const second = Math.min(...seconds.map((each) => each.second))
  const same = seconds.filter((each) => each.second === second)
  return {
    phase: PHASES.find((phase) => parts.some((part) => part.phase === phase)) ?? 'measuring',
    elapsedUs: most(parts, ({ elapsedUs }) => elapsedUs),
    doneByArm: (parts[0]?.doneByArm ?? []).map((_, arm) => sum(parts, ({ doneByArm }) => doneByArm[arm] ?? 0)),
    sent: sum(parts, ({ sent }) => sent),
    done: sum(parts, ({ done }) => done),
    failed: sum(parts, ({ failed }) => failed),
    failures: (parts[0]?.failures ?? []).map((_, arm) => addCounts(parts.map(({ failures }) => failures[arm] ?? {}))),
    inFlight: sum(parts, ({ inFlight }) => inFlight),
    achievedToOffered: lowest(parts),
    watched: addWatched(parts.map(({ watched }) => watched)),
    heldUs: most(parts, ({ heldUs }) => heldUs),
    // A second is whole when all threads have had it.
    lastSecond: same.length > 0 && seconds.length === parts.length ? mergeSeconds(same) : null,
  }
}

/** The worst thread counts: the rules err towards doubt. */
function lowest(parts: readonly { achievedToOffered: number | null }[]): number | null {
  const ratios = parts.flatMap(({ achievedToOffered }) => achievedToOffered ?? [])
  return ratios.length > 0 ? Math.min(...ratios) : null
}

function requireRecord(record: RunRecord | undefined): RunRecord {
  if (!record) throw new Error('a run without a record')
  return record
}

function mergeArms(arms: readonly ArmRecord[]): ArmRecord {
  const [first] = arms
  if (!first) throw new Error('a run without an arm')
  return {
    name: first.name,
    dropped: mergeDropped(arms.map(({ dropped }) => dropped)),
    outcomes: addCounts(arms.map(({ outcomes }) => outcomes)),
    details: Object.assign({}, ...arms.map(({ details }) => details).toReversed()),
    warmup: addCounts(arms.map(({ warmup }) => warmup)),
    idleFirst: addCounts(arms.map(({ idleFirst }) => idleFirst)),
    metrics: mergeEach(arms.map(({ metrics }) => metrics)) as ArmRecord['metrics'],
    stamped: {
      total: mergeHistograms(arms.map(({ stamped }) => stamped.total)),
      perToken: mergeHistograms(arms.map(({ stamped }) => stamped.perToken)),
      unattributed: mergeHistograms(arms.map(({ stamped }) => stamped.unattributed)),
      cacheHits: sum(arms, ({ stamped }) => stamped.cacheHits),
      retried: sum(arms, ({ stamped }) => stamped.retried),
    },
    selfReport: mergeSelfReports(arms.map(({ selfReport }) => selfReport)),
    tokens: mergeTokens(arms.map(({ tokens }) => tokens)),
    notes: mergeNotes(arms.map(({ notes }) => notes)),
    bodyBytes: sum(arms, ({ bodyBytes }) => bodyBytes),
    reused: sum(arms, ({ reused }) => reused),
    activeUs: most(arms, ({ activeUs }) => activeUs),
    // Each thread's last gap goes past the requests of the others: the first to have none left is where all have none.
    dueUs: Math.min(...arms.map(({ dueUs }) => dueUs)),
    lateUs: most(arms, ({ lateUs }) => lateUs),
    trend: addCounts(arms.map(({ trend }) => ({ ...trend }))),
    mostInFlight: sum(arms, ({ mostInFlight }) => mostInFlight),
    inFlightUs: sum(arms, ({ inFlightUs }) => inFlightUs),
    tokensSpent: addSpent(arms.map(({ tokensSpent }) => tokensSpent)),
    cutOff: sum(arms, ({ cutOff }) => cutOff),
    canceled: mergeCanceled(arms.map(({ canceled }) => canceled)),
    blocks: groupByNumber(
      arms.flatMap(({ blocks }) => blocks),
      ({ index }) => index,
    ).map(mergeBlocks),
    categories: mergeCategories(arms.flatMap(({ categories }) => categories)),
    told: mergeToldWaits(arms.map(({ told }) => told)),
    compared: first.compared && mergeComparedAnswers(arms.flatMap(({ compared }) => compared ?? [])),
    conversations: first.conversations && mergeConversations(arms.flatMap(({ conversations }) => conversations ?? [])),
    cache: first.cache && mergeCaches(arms.flatMap(({ cache }) => cache ?? [])),
    models: first.models && mergeGroups(arms.map(({ models }) => models ?? [])),
    replay: mergeReplays(arms.map(({ replay }) => replay)),
  }
}

function mergeBlocks(blocks: readonly BlockRecord[]): BlockRecord {
  return {
    index: blocks[0]?.index ?? 0,
    startedAtUs: Math.min(...blocks.map(({ startedAtUs }) => startedAtUs)),
    endedAtUs: Math.max(...blocks.map(({ endedAtUs }) => endedAtUs)),
    sent: sum(blocks, ({ sent }) => sent),
    outcomes: addCounts(blocks.map(({ outcomes }) => outcomes)),
    metrics: mergeEach(blocks.map(({ metrics }) => metrics)),
    stamped: mergeHistograms(blocks.map(({ stamped }) => stamped)),
    selfReported: mergeEach(blocks.map(({ selfReported }) => selfReported)),
    components: mergeEach(blocks.map(({ components }) => components)),
  }
}

function mergeSelfReports(reports: readonly SelfReportedRecord[]): SelfReportedRecord {
  const named = reports.find(({ gateway }) => gateway !== '') ?? reports[0]
  const readings: SelfReportedRecord['readings'] = {}
  for (const definition of SELF_REPORTED_DEFINITIONS) {
    const parts = reports.flatMap(
      (report): SelfReportedReadings | SelfReportedReadings[] => report.readings[definition] ?? [],
    )
    const [first] = parts
    if (!first) continue
    const { resolutionUs, centreUs } = parts.reduce((a, b) => (b.resolutionUs < a.resolutionUs ? b : a))
    readings[definition] = {
      ...first,
      resolutionUs,
      centreUs,
      total: mergeHistograms(parts.map(({ total }) => total)),
    }
  }
  return {
    gateway: named?.gateway ?? '',
    unsure: named?.unsure ?? false,
    caveat: reports.find(({ caveat }) => caveat !== '')?.caveat ?? '',
    readings,
    rejected: addCounts(reports.map(({ rejected }) => rejected)),
  }
}

/** The busiest and the latest of the threads; readings of the whole process are the same in each and are taken once. */
function mergeReadings(readings: readonly SelfReading[]): SelfReading {
  const [first] = readings
  if (!first) throw new Error('a run without a thread')
  return {
    ...first,
    eventLoopDelayMs: {
      p99: most(readings, ({ eventLoopDelayMs }) => eventLoopDelayMs.p99),
      max: most(readings, ({ eventLoopDelayMs }) => eventLoopDelayMs.max),
    },
    eventLoopUtilization: most(readings, ({ eventLoopUtilization }) => eventLoopUtilization),
    gcMs: sum(readings, ({ gcMs }) => gcMs),
  }
}

function mergeSeries(series: readonly Second[][]): Second[] {
  return groupByNumber(series.flat(), ({ second }) => second).map(mergeSeconds)
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
