/** From what a run recorded of its conversations to the report: by turn and by session. */
import type { ConversationRecord, TurnRecord } from '../load/conversation-recorder.ts'
import type { RunPlan } from '../load/plan.ts'
import { summarizeDurations } from '../report/duration-summary.ts'
import type { ArmResult, BenchReport } from '../report/schema.ts'
import { Histogram, type PackedHistogram } from '../stats/histogram.ts'
import { type ConversationSpec, meanTurns } from '../workload/conversations/conversation.ts'

export function toConversations(record: ConversationRecord): NonNullable<ArmResult['conversations']> {
  const { started, finished, failed, durations, turns } = record
  return {
    sessions: {
      started,
      finished,
      failed,
      unfinished: started - finished - failed,
      ...distribution('durationMs', durations),
    },
    turns: turns.map(toTurn),
  }
}

function toTurn({ sent, successful, failed, latency, ttft, overhead }: TurnRecord, index: number) {
  return {
    turn: index + 1,
    ...{ sent, successful, failed },
    ...distribution('latencyMs', latency),
    ...distribution('ttftMs', ttft),
    ...distribution('overheadMs', overhead),
  }
}

type Distribution = ReturnType<typeof summarizeDurations>

/** Absent where there is no reading. */
function distribution<K extends string>(name: K, packed: PackedHistogram): { [key in K]?: NonNullable<Distribution> } {
  const summary = summarizeDurations(Histogram.unpack(packed))
  return (summary ? { [name]: summary } : {}) as { [key in K]?: NonNullable<Distribution> }
}

/** What was asked for, in the report's load. */
export function describeConversations(
  { turns, think, header }: ConversationSpec,
  { requests, maxSessions }: RunPlan,
): NonNullable<BenchReport['load']['conversations']> {
  return {
    source: turns.kind === 'drawn' ? 'generated' : 'file',
    meanTurns: Math.round(meanTurns({ turns }) * 100) / 100,
    sessions: requests ?? null,
    ...(maxSessions === undefined ? {} : { maxSessions }),
    ...(think ? { think: pauseOf(think) } : {}),
    ...(header === undefined ? {} : { header }),
  }
}

function pauseOf(think: NonNullable<ConversationSpec['think']>) {
  return think.kind === 'lognormal'
    ? { medianMs: think.medianUs / 1e3, sigma: think.sigma }
    : { medianMs: think.us / 1e3, sigma: 0 }
}
