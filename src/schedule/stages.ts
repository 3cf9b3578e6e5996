/**
 * The grammar of --stages: `10rps@30s,200rps@60s` (requests per second) or `5@30s,50@60s` (slots of a closed loop), one stage a
 * comma. The first stage holds its level, every later one moves in a straight line from the level before to its own; a stage
 * of 0s is a jump.
 *   stages = stage *("," stage)    stage = level ["rps"] "@" duration
 */
import { parseCount, parseDurationMs } from '../units.ts'
import type { Stage } from './ramp.ts'

export interface Stages {
  of: 'rps' | 'slots'
  stages: Stage[]
  durationUs: number
  highest: number
}

const STAGE = /^\s*([\d._,]+[kM]?)\s*(rps)?\s*@\s*([\d.]+\s*[a-zµ]*)\s*$/

/** The stages, or what is wrong with the text. */
export function parseStages(text: string): Stages | string {
  const stages: Stage[] = []
  const kinds = new Set<string>()
  let from: number | undefined
  for (const part of text.split(',')) {
    const [, level, rps, duration] = STAGE.exec(part) ?? []
    const to = level === undefined ? undefined : parseCount(level)
    const ms = duration === undefined ? undefined : parseDurationMs(duration)
    if (to === undefined || ms === undefined) {
      return `'${part.trim()}' is not a stage such as '200rps@60s' (a rate) or '50@60s' (requests in flight)`
    }
    if (!rps && !Number.isInteger(to)) return `'${part.trim()}': requests in flight must be a whole number`
    kinds.add(rps ? 'rps' : 'slots')
    stages.push({ from: from ?? to, to, durationUs: ms * 1_000 })
    from = to
  }
  if (kinds.size > 1) return 'all stages must be rates (200rps@60s), or none of them (50@60s)'
  const durationUs = stages.reduce((sum, stage) => sum + stage.durationUs, 0)
  const lasting = stages.filter((stage) => stage.durationUs > 0)
  const highest = Math.max(0, ...lasting.flatMap((stage) => [stage.from, stage.to]))
  if (durationUs === 0) return 'the stages last no time at all'
  if (highest === 0) return 'no stage sends anything'
  return { of: kinds.has('rps') ? 'rps' : 'slots', stages, durationUs, highest }
}
