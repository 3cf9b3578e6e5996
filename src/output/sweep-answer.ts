/** What a sweep answers: how far the limit that was asked for reaches, or the usual budget, and where the knee is. */
import type { SweepCurve, SweepLevel, SweepReport } from '../report/sweep-schema.ts'
import { counted, formatLimit, formatMs, formatNumber } from '../units.ts'
import { TOTAL_BUDGET_MS } from '../wire/overhead-components.ts'
import type { Answer } from './answer.ts'
import { bracketed, isOpen } from './sentences.ts'

type Until = NonNullable<SweepCurve['until']>

export function levelNumber(level: number): string {
  return formatNumber(level, Number.isInteger(level) ? 0 : 1)
}

export function levelName(level: number, { load: { mode } }: { load: Pick<SweepReport['load'], 'mode'> }): string {
  return mode === 'open' ? `${levelNumber(level)} requests/s` : `${levelNumber(level)} in flight`
}

/** Of several curves the last that has a level, which has the most gateway processes. */
export function sweepAnswer(report: SweepReport): Answer {
  const curve = report.curves.findLast(({ levels }) => levels.length > 0)
  if (!curve) return { text: 'Nothing was measured.', next: '' }
  const cut = report.interrupted ? 'Interrupted. ' : ''
  return { text: `${cut}${reach(curve, report)} ${kneeWords(curve, report)}`, next: nextStep(curve) }
}

/** What is said of the level that did not last as long as it should; undefined where all did. */
export function cutOffSentence({ cutOff }: SweepCurve, report: SweepReport): string | undefined {
  if (!cutOff) return undefined
  const { level, answered, why } = cutOff
  const at = levelName(level, report)
  const requests = counted(answered, 'answered request')
  return why === 'cost'
    ? `The cost budget ended the level of ${at} early: its figures are of ${requests}.`
    : `The level of ${at} was cut off after ${requests}, and is left out.`
}

function reach({ levels, until, frontier }: SweepCurve, report: SweepReport): string {
  if (until) return untilSentence(until, report)
  if (!levels.some(({ overheadMs }) => overheadMs)) return most(levels, report)
  const found = frontier.find((point) => point.limitMs === TOTAL_BUDGET_MS)
  const limit = `under ${formatLimit(TOTAL_BUDGET_MS)} at P99`
  const level = levels.find((one) => one.level === found?.level)
  if (!level?.overheadMs) return `Already at the lowest level the gateway does not stay ${limit}.`
  const { p99, ci95 } = level.overheadMs
  const interval = isOpen(ci95) ? '' : ` ${bracketed(ci95)}`
  const isProven = ci95[1] !== null && ci95[1] <= TOTAL_BUDGET_MS
  return (
    `The gateway adds ${limit} up to ${levelName(level.level, report)} (${formatNumber(level.achievedRps)} ` +
    `requests/s): ${formatMs(p99)} ms${interval} there${isProven ? '' : ', which is not proven'}.`
  )
}

/** How far the threshold of --until holds, and from where on it does not. */
export function untilSentence(
  { threshold, level, achievedRps, breaks, undecided, confidence, why }: Until,
  report: SweepReport,
) {
  const sure = ` (${formatNumber(confidence * 100)} % confidence)`
  const reached =
    level !== null && report.load.mode === 'closed' ? `, ${formatNumber(achievedRps ?? 0)} requests/s` : ''
  const holds = level === null ? 'at no level for sure' : `up to ${levelName(level, report)}${reached}${sure}`
  const broken = breaks === null ? '' : `; it breaks at ${levelName(breaks, report)}${sure}`
  const open = undecided.length > 0 ? `, undecided at ${undecided.map(levelNumber).join(', ')}` : ''
  return `${threshold} holds ${holds}${broken}${open}: ${why}.`
}

function most(levels: readonly SweepLevel[], report: SweepReport): string {
  const [best] = levels.toSorted((a, b) => b.achievedRps - a.achievedRps)
  if (!best) return 'Nothing was measured.'
  return `At most ${formatNumber(best.achievedRps)} requests/s, at ${levelName(best.level, report)}.`
}

function kneeWords({ knee }: SweepCurve, report: SweepReport): string {
  return knee ? `Its knee is at ${levelName(knee.level, report)}.` : 'No knee within these levels.'
}

function nextStep({ until, levels }: SweepCurve): string {
  if (until) return UNTIL_STEPS[until.limitedBy]
  if (!levels.some(({ overheadMs }) => overheadMs)) {
    return "Put 'kt provider start' behind the gateway to see what it adds."
  }
  return "--until 'overhead.p99<7ms' searches between the levels; --output sweep.json is for 'kt plan'."
}

const FOR_PLAN = "--output sweep.json gives it to 'kt plan --from-bench'."
const LONGER = 'A longer --step has more requests; --search-time lets it search longer.'

const UNTIL_STEPS: Record<Until['limitedBy'], string> = {
  target: FOR_PLAN,
  rate: FOR_PLAN,
  errors: "'kt bench' at that level tells why they fail.",
  client: '--threads gives kt more cores; a second machine gives it its own.',
  noise: LONGER,
  samples: LONGER,
  'no-samples': "Put 'kt provider start' behind the gateway, or choose a threshold that its answers tell.",
  levels: 'Give other levels: the search stays between the lowest and the highest.',
  time: LONGER,
  cost: 'A larger --cost-budget goes on.',
  interrupted: 'Run it again to the end.',
}
