/**
 * `kt bench sweep --until`: the highest level of load that keeps a threshold. The levels of the curve are judged first,
 * then those between the highest that keeps it and the lowest that breaks it (src/stats/level-search.ts), within the
 * time of the search.
 */
import type { SweepCurve, SweepLevel } from '../report/sweep-schema.ts'
import { unitOf } from '../slo/metrics.ts'
import {
  CONFIDENCE,
  findBracket,
  type JudgedLevel,
  judgeLevel,
  type LevelLook,
  leastToMeet,
  searchLevels,
} from '../stats/level-search.ts'
import { now } from '../system/clock.ts'
import { formatDuration, formatMs, formatNumber, formatShare } from '../units.ts'
import { type LevelEvidence, type LevelRun, levelEvidence, type SearchedThreshold } from '../verdict/level-evidence.ts'
import { rateNotReached } from '../verdict/rate.ts'

type Until = NonNullable<SweepCurve['until']>
type LevelLimit = NonNullable<SweepLevel['limit']>

/** A level as it was measured once. */
export interface MeasuredLevel extends LevelRun {
  level: SweepLevel
  /** Why it did not last as long as it should. */
  cutOff?: 'interrupted' | 'cost' | undefined
}

interface SearchRequest {
  threshold: SearchedThreshold
  mode: 'open' | 'closed'
  stepMs: number
  searchMs: number
  /** Measures a level for so many steps, after it has been measured so many times. */
  run(level: number, steps: number, times: number): Promise<MeasuredLevel>
  /** Why nothing more is to be measured. */
  ended(): 'interrupted' | 'cost' | undefined
}

/** What was found, and every level that was measured, with its verdict. */
export async function searchUntil(
  { threshold, mode, stepMs, searchMs, run, ended }: SearchRequest,
  curve: readonly MeasuredLevel[],
): Promise<{ until: Until; levels: SweepLevel[] }> {
  const all = new Map(curve.map((measured) => [measured.level.level, new Level(threshold, [measured])]))
  const judged = (): JudgedLevel[] => [...all].map(([level, { look }]) => ({ level, ...look }))
  const startUs = now()
  const elapsedMs = (): number => (now() - startUs) / 1_000
  const { complete } = await searchLevels(judged(), {
    whole: mode === 'closed',
    mayMeasure: (steps) => ended() === undefined && elapsedMs() + steps * stepMs <= searchMs,
    look: async (level, steps) => {
      const known = all.get(level)?.runs ?? []
      const measured = await run(level, steps, known.length)
      // What Ctrl-C left of a level is not the level.
      if (measured.cutOff === 'interrupted') return all.get(level)?.look ?? { verdict: 'undecided' }
      const next = new Level(threshold, [...known, measured])
      all.set(level, next)
      return next.look
    },
  })
  const found = findBracket(judged())
  const at = (level: number | undefined): Level | undefined => (level === undefined ? undefined : all.get(level))
  const limited = complete
    ? whatLimited([...all.values()], found, threshold)
    : { limitedBy: ended() ?? ('time' as const), why: `the time of the search, ${formatDuration(searchMs)}, was over` }
  const [holds, breaks] = [at(found.holds), at(found.breaks)]
  return {
    until: {
      threshold: threshold.text,
      level: found.holds ?? null,
      achievedRps: holds?.last.achievedRps ?? null,
      breaks: found.breaks ?? null,
      breaksRps: breaks?.last.achievedRps ?? null,
      undecided: found.open,
      confidence: CONFIDENCE,
      searchS: Math.round(elapsedMs()) / 1_000,
      ...limited,
    },
    levels: [...all.values()].map((level) => ({ ...level.last, limit: level.limit })),
  }
}

/** A level with all its runs, and what they say of the threshold. */
class Level {
  readonly runs: readonly MeasuredLevel[]
  readonly last: SweepLevel
  readonly look: LevelLook
  readonly limit: LevelLimit
  /** The share of requests that may be over the limit. */
  readonly allowed: number
  /** Why it is judged without its figure. */
  readonly why: string | undefined

  constructor(threshold: SearchedThreshold, runs: readonly MeasuredLevel[]) {
    const last = runs.at(-1)
    if (!last) throw new Error('a level without a run')
    this.runs = runs
    this.last = last.level
    const evidence = levelEvidence(runs, threshold)
    this.allowed = evidence?.allowed ?? 1
    const { verdict, ceiling, why } = judge(last, evidence)
    this.look = { verdict, ...(ceiling ? { ceiling } : {}) }
    this.why = why
    this.limit = {
      verdict,
      value: evidence?.value ?? null,
      ci95: evidence?.ci95 ?? null,
      requests: evidence?.blocks.reduce((sum, { n }) => sum + n, 0) ?? 0,
      runs: runs.length,
      ...(why === undefined ? {} : { why }),
    }
  }
}

/** What keeps the figure of a level from being judged, or the verdict by its figure. */
function judge(
  { run, level }: MeasuredLevel,
  evidence: LevelEvidence | undefined,
): LevelLook & { why?: string | undefined } {
  if (run.client.verdict === 'saturated') {
    return { verdict: 'undecided', ceiling: true, why: 'kt itself was saturated' }
  }
  // What is due and is not sent is no load.
  const slow = rateNotReached(run.client)
  if (slow !== undefined) return { verdict: 'missed', why: slow }
  if (!evidence) return { verdict: 'undecided', ceiling: true, why: 'no request tells the figure' }
  const verdict = judgeLevel(evidence.blocks, evidence.allowed)
  if (verdict === 'met' && !level.steady) return { verdict: 'undecided', why: 'it did not come to rest' }
  return { verdict }
}

type Limited = Pick<Until, 'limitedBy' | 'why'>

function whatLimited(
  levels: readonly Level[],
  { holds, breaks, open }: ReturnType<typeof findBracket>,
  threshold: SearchedThreshold,
): Limited {
  const at = (level: number | undefined): Level | undefined => levels.find(({ last }) => last.level === level)
  const ceiling = levels.find(({ last, look }) => look.ceiling && open.includes(last.level))
  if (ceiling) {
    const saturated = ceiling.last.client === 'saturated'
    return { limitedBy: saturated ? 'client' : 'no-samples', why: `${ceiling.why} at ${number(ceiling.last.level)}` }
  }
  if (open.length > 0) return undecided(at(open[0]), open)
  if (holds === undefined) return { limitedBy: 'levels', why: `the lowest level, ${number(breaks)}, already breaks it` }
  const first = at(breaks)
  if (!first) return { limitedBy: 'levels', why: 'no measured level breaks it' }
  const { last, limit, why } = first
  if (why !== undefined) return { limitedBy: 'rate', why: `at ${number(breaks)} ${why}` }
  if (last.failed > 0.01 * last.requests && threshold.metric !== 'errors.rate') {
    return { limitedBy: 'errors', why: `at ${number(breaks)} ${formatNumber(last.failed)} requests failed` }
  }
  const cores = last.gateway ? `, with the gateway on ${formatNumber(last.gateway.cpuCores, 2)} cores` : ''
  const noisy = last.client === 'noisy' ? '; the machine was noisy there' : ''
  return {
    limitedBy: 'target',
    why: `at ${number(breaks)} ${threshold.metric} is ${figure(limit, threshold)}${cores}${noisy}`,
  }
}

/** What stays undecided lacks requests, or lies at the limit by the noise of the machine. */
function undecided(first: Level | undefined, open: readonly number[]): Limited {
  const names = open.map(number).join(', ')
  if (!first) throw new Error('an undecided level that is not there')
  if (first.why !== undefined) return { limitedBy: 'noise', why: `at ${number(first.last.level)} ${first.why}` }
  const { requests } = first.limit
  const least = leastToMeet(first.allowed)
  return requests < least
    ? { limitedBy: 'samples', why: `${names}: ${formatNumber(requests)} requests decide nothing, which takes ${least}` }
    : { limitedBy: 'noise', why: `${names} cannot be told from the limit` }
}

function figure({ value, ci95 }: LevelLimit, { metric }: SearchedThreshold): string {
  const [format, unit] = unitOf(metric) === 'share' ? [formatShare, ''] : [formatMs, ' ms']
  if (value === null || ci95 === null) return 'unknown'
  const [low, high] = ci95
  return `${format(value)}${unit} [${format(low)}, ${high === null ? 'inf' : format(high)}]`
}

function number(level: number | undefined): string {
  return formatNumber(level ?? 0, Number.isInteger(level) ? 0 : 1)
}
