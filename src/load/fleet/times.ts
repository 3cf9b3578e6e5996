/** The instants in what a sender says, from the clock of its machine to that of the coordinator. */
import type { ArmRecord } from '../arm-record.ts'
import type { RunRecord } from '../merge.ts'
import { SAMPLE_COLUMNS, SAMPLE_TIMES } from '../samples.ts'
import type { FromSender, ToSender } from '../senders.ts'

/** From an instant of one clock to that of the other. */
export type Convert = (us: number) => number

export function toOwnTime(message: ToSender, convert: Convert): ToSender {
  if (message.type === 'begin') return { ...message, startUs: convert(message.startUs) }
  if (message.type === 'hold') return { ...message, untilUs: convert(message.untilUs) }
  return message
}

export function toCommonTime(message: FromSender, convert: Convert): FromSender {
  switch (message.type) {
    case 'held':
      return { ...message, untilUs: convert(message.untilUs) }
    case 'samples':
      return { ...message, startUs: convert(message.startUs), rows: samplesAt(message.rows, convert) }
    case 'blocks':
      return { ...message, blocks: message.blocks.map((block) => ({ ...block, ...span(block, convert) })) }
    case 'interim':
    case 'done':
      return { ...message, record: recordAt(message.record, convert) }
    case 'ready':
    case 'progress':
    case 'stopping':
    case 'dropped':
      return message
    default:
      return message satisfies never
  }
}

function span({ startedAtUs, endedAtUs }: { startedAtUs: number; endedAtUs: number }, convert: Convert) {
  return { startedAtUs: convert(startedAtUs), endedAtUs: convert(endedAtUs) }
}

function recordAt(record: RunRecord, convert: Convert): RunRecord {
  const arms = record.arms.map((arm): ArmRecord => {
    const dropped = arm.dropped && { ...arm.dropped, atUs: convert(arm.dropped.atUs) }
    return { ...arm, dropped, blocks: arm.blocks.map((block) => ({ ...block, ...span(block, convert) })) }
  })
  // They are for the provider's stamps, which need one clock: across hosts stamps give sums, and no legs.
  return { ...record, arms, requestTimes: arms.map(() => new Float64Array()) }
}

function samplesAt(rows: Float64Array, convert: Convert): Float64Array {
  const [first, last] = SAMPLE_TIMES
  return rows.map((value, i) => {
    const column = i % SAMPLE_COLUMNS
    return column < first || column > last ? value : convert(value)
  })
}
