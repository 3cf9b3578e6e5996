/**
 * A level over time (requests per second, or slots of a closed loop), in stages that each lead from one level straight
 * to the next. Its integral (how many requests are due by then) and the inverse (when the n-th is due) are quadratic in
 * each stage and solved, not stepped.
 */
import { failure, type Result, success } from '../errors.ts'
import { parseCount, parseDurationMs } from '../units.ts'

/** The level moves in a straight line from `from` to `to` within `durationUs`. */
export interface RampStage {
  from: number
  to: number
  durationUs: number
}

export interface Ramp {
  levelAt(us: number): number
  /** The integral of the level over seconds, from the start to `us`. */
  upTo(us: number): number
  /** The first instant at which the integral reaches `amount`; Infinity when it never does. */
  reaches(amount: number): number
}

/** What `--stages` says. */
export interface RampStages {
  of: 'rps' | 'slots'
  stages: RampStage[]
  durationUs: number
  highest: number
}

const SECOND_US = 1_000_000
const STAGE = /^\s*([\d._,]+[kM]?)\s*(rps)?\s*@\s*([\d.]+\s*[a-zµ]*)\s*$/

/**
 * Parses --stages: `10rps@30s,200rps@60s` (requests per second) or `5@30s,50@60s` (slots of a closed loop), one stage
 * after each comma. The first stage holds its level; every later one moves in a straight line from the level before to
 * its own. A stage of 0s is a jump.
 *   stages = stage *("," stage)    stage = level ["rps"] "@" duration
 */
export function parseStages(text: string): Result<RampStages> {
  const stages: RampStage[] = []
  const kinds = new Set<string>()
  let from: number | undefined
  for (const part of text.split(',')) {
    const [, level, rps, duration] = STAGE.exec(part) ?? []
    const to = level === undefined ? undefined : parseCount(level)
    const ms = duration === undefined ? undefined : parseDurationMs(duration)
    if (to === undefined || ms === undefined) {
      return failure(`'${part.trim()}' is not a stage such as '200rps@60s' (a rate) or '50@60s' (requests in flight)`)
    }
    if (!rps && !Number.isInteger(to)) return failure(`'${part.trim()}': requests in flight must be a whole number`)
    kinds.add(rps ? 'rps' : 'slots')
    stages.push({ from: from ?? to, to, durationUs: ms * 1_000 })
    from = to
  }
  if (kinds.size > 1) return failure('all stages must be rates (200rps@60s), or none of them (50@60s)')
  const durationUs = stages.reduce((sum, stage) => sum + stage.durationUs, 0)
  const lasting = stages.filter((stage) => stage.durationUs > 0)
  const highest = Math.max(0, ...lasting.flatMap((stage) => [stage.from, stage.to]))
  if (durationUs === 0) return failure('the stages last no time at all')
  if (highest === 0) return failure('no stage sends anything')
  return success({ of: kinds.has('rps') ? 'rps' : 'slots', stages, durationUs, highest })
}

/** The same level for ever. */
export function flatRamp(level: number): Ramp {
  return {
    levelAt: () => level,
    upTo: (us) => (level * us) / SECOND_US,
    reaches: (amount) => (amount * SECOND_US) / level,
  }
}

/** The ramp through the stages; its level is 0 after them. */
export function buildRamp(stages: readonly RampStage[]): Ramp {
  let startUs = 0
  let before = 0
  const parts = stages.map((stage) => {
    const part = { ...stage, startUs, before, area: area(stage, stage.durationUs) }
    startUs += stage.durationUs
    before += part.area
    return part
  })
  const total = before
  const partAt = (us: number) => parts.find((part) => us < part.startUs + part.durationUs)
  return {
    levelAt(us) {
      const part = partAt(us)
      return part ? part.from + ((part.to - part.from) * (us - part.startUs)) / part.durationUs : 0
    },
    upTo(us) {
      const part = partAt(us)
      return part ? part.before + area(part, us - part.startUs) : total
    },
    reaches(amount) {
      const part = parts.find(({ before, area }) => amount < before + area)
      return part ? part.startUs + timeUntil(part, amount - part.before) : Number.POSITIVE_INFINITY
    },
  }
}

/** The same ramp, seen from `fromUs` on. */
export function shiftRamp(ramp: Ramp, fromUs: number): Ramp {
  if (fromUs === 0) return ramp
  const before = ramp.upTo(fromUs)
  return {
    levelAt: (us) => ramp.levelAt(us + fromUs),
    upTo: (us) => ramp.upTo(us + fromUs) - before,
    reaches: (amount) => ramp.reaches(before + amount) - fromUs,
  }
}

function area({ from, to, durationUs }: RampStage, us: number): number {
  if (durationUs === 0) return 0
  const seconds = us / SECOND_US
  return seconds * (from + ((to - from) * us) / durationUs / 2)
}

/** The root of from·t + slope·t²/2 = amount, in the form without cancellation. */
function timeUntil({ from, to, durationUs }: RampStage, amount: number): number {
  if (amount <= 0 && from > 0) return 0
  const slope = ((to - from) * SECOND_US) / durationUs
  const seconds = (2 * amount) / (from + Math.sqrt(Math.max(0, from * from + 2 * slope * amount)))
  return Number.isNaN(seconds) ? 0 : Math.min(durationUs, seconds * SECOND_US)
}
