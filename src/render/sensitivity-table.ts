/** The tornado, the scenarios and the growth as text; what matters most in the first line. */
import type { GrowthResult, ScenarioResult, SensitivityResult } from '../input/sensitivity-request.ts'
import { FIGURE_UNITS } from '../plan/figures.ts'
import type { Swing } from '../plan/sensitivity.ts'
import { formatNumber, formatShare } from '../units.ts'
import { compact, PLAN_WIDTH, rows, section, span, trimmed, withUnit } from './plan-words.ts'
import { wrap } from './text.ts'

const BAR = 24

export function renderSensitivity({ by, tornado, scenarios, growth }: SensitivityResult, all: boolean): string {
  const [first] = tornado.swings
  const moving = tornado.swings.filter(({ swing }) => swing > 1e-9)
  const shown = all ? tornado.swings : moving
  return [
    ...wrap(
      first && first.swing > 1e-9
        ? `${first.name} matters most: ${trimmed(first.nodes.low)} to ${trimmed(first.nodes.high)} nodes as it goes from ${unitOf(first, first.low)} to ${unitOf(first, first.high)}; ${tornado.binding} binds at ${trimmed(tornado.nodes)}`
        : `${tornado.binding} binds at ${trimmed(tornado.nodes)} nodes, whatever moves by ${formatShare(by)}`,
      PLAN_WIDTH + 2,
    ),
    '',
    section(`Tornado: nodes before rounding, each input alone, by ${formatShare(by)} or its measured interval`, [
      ...rows(
        shown.map((swing) => [
          swing.name,
          `${unitOf(swing, swing.low)} - ${unitOf(swing, swing.high)}${swing.range === 'measured' ? ' *' : ''}`,
          trimmed(swing.nodes.low),
          bar(swing, tornado.nodes, first?.swing ?? 1),
          trimmed(swing.nodes.high),
        ]),
        ['left', 'left', 'right', 'left', 'left'],
      ),
      ...(shown.some(({ range }) => range === 'measured') ? ['* measured interval'] : []),
      ...(shown.length < tornado.swings.length
        ? [`${tornado.swings.length - shown.length} more move nothing while ${tornado.binding} binds (--all).`]
        : []),
    ]),
    ...(scenarios.length > 0 ? [section('What if', scenarioRows(scenarios))] : []),
    ...(growth ? [section('Growth', growthLines(growth))] : []),
  ]
    .join('\n')
    .trimEnd()
}

/** A bar around the middle: the shorter the smaller the swing, hollow where the input makes it less. */
function bar({ nodes }: Swing, middle: number, largest: number): string {
  const scale = (value: number): number => Math.round((Math.abs(value - middle) / Math.max(largest, 1e-12)) * BAR)
  const below = Math.min(nodes.low, nodes.high)
  const above = Math.max(nodes.low, nodes.high)
  const [left, right] = [scale(Math.min(below, middle)), scale(Math.max(above, middle))]
  return `${' '.repeat(Math.max(0, BAR / 2 + 2 - left))}${'#'.repeat(left)}|${'#'.repeat(right)}`
}

function unitOf({ name }: Swing, value: number): string {
  return withUnit(value, name in FIGURE_UNITS ? FIGURE_UNITS[name as keyof typeof FIGURE_UNITS] : 'tokens/s')
}

function scenarioRows(scenarios: readonly ScenarioResult[]): string[] {
  const factors = (range: { peak: number; min: number; max: number }): string =>
    `${compact(range.peak)}; ${span(range)}`
  return rows(
    [
      ['', 'workers', 'nodes', '', 'binds', '$/month'],
      ...scenarios.map(({ name, workers, nodes, node, binding, usdPerMonth }) => [
        name.length > 36 ? `${name.slice(0, 35)}…` : name,
        factors(workers),
        factors(nodes),
        node,
        binding,
        usdPerMonth === undefined ? 'no price' : compact(Math.round(usdPerMonth)),
      ]),
    ],
    ['left', 'right', 'right', 'left', 'left', 'right'],
  )
}

function growthLines(g: GrowthResult): string[] {
  const now = `${trimmed(g.workersNow)} of ${formatNumber(g.have)} workers (${trimmed(g.usableWorkers)} at the target utilisation) on ${g.from}, growing ${formatShare(g.ratePerPeriod)} in ${trimmed(g.periodDays, 1)} days`
  if (g.days === undefined) return [`${now}: never used up.`]
  if (g.days === 0) return [`${now}: used up already.`]
  const late = (g.orderInDays ?? 0) < 0 ? `, which is ${formatNumber(-(g.orderInDays ?? 0))} days ago` : ''
  return [
    now,
    `used up on ${g.exhaustedOn ?? 'a day beyond the calendar'}, in ${formatNumber(g.days)} days`,
    ...(g.leadDays > 0 && g.orderBy
      ? [`order by ${g.orderBy}${late}: ${formatNumber(g.leadDays)} days from order to service`]
      : []),
  ]
}
