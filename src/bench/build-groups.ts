/** From what a run recorded of its groups of requests to the report. */
import type { ArmRecord } from '../load/arm-record.ts'
import type { GroupRecord } from '../load/group-recorder.ts'
import { summarizeDurations } from '../report/duration-summary.ts'
import type { ArmResult } from '../report/schema.ts'
import { Histogram } from '../stats/histogram.ts'
import type { WorkloadSpec } from '../workload/workload.ts'

/** A row for each model, where the run asks for several. */
export function toModels(
  { models: records = [] }: ArmRecord,
  { models = [] }: WorkloadSpec,
  loadUs: number,
): Pick<ArmResult, 'models'> {
  if (models.length === 0) return {}
  return {
    models: models.flatMap(({ name }, place) => {
      const record = records[place]
      return record ? [{ model: name, ...toGroup(record, loadUs) }] : []
    }),
  }
}

/** Hits and misses, where requests repeat others. */
export function toCache({ cache }: ArmRecord, loadUs: number): Pick<ArmResult, 'cache'> {
  const [hits, misses] = cache?.groups ?? []
  if (!cache || !hits || !misses) return {}
  const answered = hits.successful + misses.successful
  const { repeated, toldBy } = cache
  return {
    cache: {
      hitRate: answered === 0 ? 0 : Math.round((hits.successful / answered) * 1e6) / 1e6,
      ...{ repeated, toldBy },
      hits: toGroup(hits, loadUs),
      misses: toGroup(misses, loadUs),
    },
  }
}

function toGroup(record: GroupRecord, loadUs: number) {
  const { sent, successful, outputTokens, untold } = record
  const durations = (['latency', 'ttft', 'tpot', 'overhead'] as const).flatMap((of) => {
    const summary = summarizeDurations(Histogram.unpack(record[of]))
    return summary ? [[`${of}Ms`, summary]] : []
  })
  return {
    ...{ sent, successful, failed: sent - successful },
    ...(Object.fromEntries(durations) as Pick<Group, 'latencyMs' | 'ttftMs' | 'tpotMs' | 'overheadMs'>),
    outputTokensPerSec: untold > 0 || loadUs <= 0 ? null : Math.round((outputTokens * 1e8) / loadUs) / 100,
  }
}

type Group = NonNullable<ArmResult['models']>[number]
