/** From what a run recorded of its groups of requests to the report. */
import type { ArmRecord } from '../load/arm-record.ts'
import type { GroupRecord } from '../load/group-recorder.ts'
import { summarizeDurations } from '../report/duration-summary.ts'
import type { ArmResult } from '../report/schema.ts'
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

function toGroup(record: GroupRecord, loadUs: number) {
  const { sent, successful, outputTokens, untold } = record
  const durations = (['latency', 'ttft', 'tpot', 'overhead'] as const).flatMap((of) => {
    const summary = summarizeDurations(record[of])
    return summary ? [[`${of}Ms`, summary]] : []
  })
  return {
    ...{ sent, successful, failed: sent - successful },
    ...(Object.fromEntries(durations) as Pick<Group, 'latencyMs' | 'ttftMs' | 'tpotMs' | 'overheadMs'>),
    outputTokensPerSec: untold > 0 || loadUs <= 0 ? null : Math.round((outputTokens * 1e8) / loadUs) / 100,
  }
}

type Group = NonNullable<ArmResult['models']>[number]
