/** What the search of a sweep rests on: each level with the figure of the threshold, its interval and its verdict. */
import type { SweepCurve, SweepReport } from '../report/sweep-schema.ts'
import { isFigure, unitOf } from '../slo/metrics.ts'
import { counted, formatDuration, formatNumber } from '../units.ts'
import { bracketed, FORMATS } from './sentences.ts'
import { levelNumber } from './sweep-answer.ts'
import { columns, type Page, paragraph } from './table.ts'

const WORDS = { met: 'holds', missed: 'breaks', undecided: 'undecided' } as const

export function untilTable(
  { levels }: SweepCurve,
  { threshold, searchS }: NonNullable<SweepCurve['until']>,
  { load }: SweepReport,
  page: Page,
): string {
  const { c, width } = page
  const [metric = ''] = threshold.split(/[<>]/)
  const name = metric.trim().replace(/^goodput\..*/, 'goodput')
  const unit = unitOf(name)
  const format = FORMATS[unit]
  const head = [
    load.mode === 'open' ? 'offered/s' : 'in flight',
    isFigure(name) ? name : `${name} (ms)`,
    '',
    'of',
    '',
    '',
  ]
  const rows = levels.flatMap(({ level, limit }) => {
    if (!limit) return []
    const { value, ci95, verdict, requests, runs, why } = limit
    const shade = { met: c.green, missed: c.red, undecided: c.yellow }[verdict]
    const basis = [runs > 1 ? counted(runs, 'run') : '', why ?? ''].filter((part) => part !== '').join(', ')
    return [
      [
        levelNumber(level),
        value === null ? '-' : format(value),
        ci95 ? bracketed(ci95, format) : '',
        formatNumber(requests),
        shade(WORDS[verdict]),
        c.dim(basis),
      ],
    ]
  })
  const title = `${c.bold(`Search, ${threshold}`)} ${c.dim(`(${formatDuration(searchS * 1_000)} beyond the levels)`)}`
  const table = columns([head.map((cell) => c.dim(cell)), ...rows], {
    width,
    align: ['left', 'right', 'left', 'right', 'left', 'left'],
    spare: [5],
  })
  const note = c.dim(paragraph('Intervals of 95 %, by blocks; a verdict takes more than the figure alone.', page, '  '))
  return `${title}\n${table}${page.explain ? `\n${note}` : ''}`
}
