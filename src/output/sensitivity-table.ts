/** The tornado, the scenarios and the growth as text, with the most important input in the first line. */

import { FIGURE_UNITS } from '../plan/figures.ts'
import type { Swing } from '../plan/sensitivity.ts'
import type { GrowthResult, ScenarioResult, SensitivityResult } from '../planning/sensitivity-request.ts'
import { counted, formatNumber, formatShare } from '../units.ts'
import { compact, fine, fitted, labelOf, rows, section, span, trimmed, withUnit } from './plan-words.ts'
import type { Page } from './table.ts'

const BAR = 24

export function renderSensitivity(
  { by, tornado, scenarios, growth }: SensitivityResult,
  all: boolean,
  page: Page,
): string {
  const [first] = tornado.swings
  const moving = tornado.swings.filter(({ swing }) => swing > 1e-9)
  const shown = all ? tornado.swings : moving
  return [
    ...fitted(
      first && first.swing > 1e-9
        ? `${labelIn(first)} matters most: ${trimmed(first.nodes.low)} to ${trimmed(first.nodes.high)} nodes as ` +
            `it goes from ${unitOf(first, first.low)} to ${unitOf(first, first.high)}; ${tornado.binding} binds ` +
            `at ${trimmed(tornado.nodes)}`
        : `${tornado.binding} binds at ${trimmed(tornado.nodes)} nodes, whatever moves by ${formatShare(by)}`,
      page.width,
    ),
    '',
    section(
      `Tornado: nodes before rounding, each input alone, by ${formatShare(by)} or its measured interval`,
      [
        ...rows(
          shown.map((swing) => [
            labelIn(swing),
            `${rangeOf(swing)}${swing.range === 'measured' ? ' *' : ''}`,
            trimmed(swing.nodes.low),
            bar(swing, tornado.nodes, first?.swing ?? 1),
            trimmed(swing.nodes.high),
          ]),
          page,
          ['left', 'left', 'right', 'left', 'left'],
        ),
        ...(shown.some(({ range }) => range === 'measured') ? ['* measured interval'] : []),
        ...(shown.length < tornado.swings.length
          ? [`${tornado.swings.length - shown.length} more move nothing of what binds, ${tornado.binding} (--all).`]
          : []),
      ],
      page,
    ),
    ...(scenarios.length > 0 ? [section('What if', scenarioRows(scenarios, page), page)] : []),
    ...(growth ? [section('Growth', growthLines(growth, page), page)] : []),
  ]
    .join('\n')
    .trimEnd()
}

/** A bar around the middle, as long as the swing. */
function bar({ nodes }: Swing, middle: number, largest: number): string {
  const scale = (value: number): number => Math.round((Math.abs(value - middle) / Math.max(largest, 1e-12)) * BAR)
  const below = Math.min(nodes.low, nodes.high)
  const above = Math.max(nodes.low, nodes.high)
  const [left, right] = [scale(Math.min(below, middle)), scale(Math.max(above, middle))]
  return `${' '.repeat(Math.max(0, BAR / 2 + 2 - left))}${'#'.repeat(left)}|${'#'.repeat(right)}`
}

/** The words for a figure or for a part of the demand. */
function labelIn({ name }: Swing): string {
  return labelOf(name.replace(/TokensPerSec$/, ''))
}

/** '8M - 12M tokens/s': the unit once, where both ends have the same. */
function rangeOf(swing: Swing): string {
  const [low, high] = [unitOf(swing, swing.low), unitOf(swing, swing.high)]
  const unit = / \S+$/.exec(high)?.[0] ?? ''
  return `${unit !== '' && low.endsWith(unit) ? low.slice(0, -unit.length) : low} - ${high}`
}

function unitOf({ name }: Swing, value: number): string {
  return withUnit(value, name in FIGURE_UNITS ? FIGURE_UNITS[name as keyof typeof FIGURE_UNITS] : 'tokens/s')
}

function scenarioRows(scenarios: readonly ScenarioResult[], page: Page): string[] {
  const factors = (range: { peak: number; min: number; max: number }): string =>
    `${compact(range.peak)}; ${span(range)}`
  return rows(
    [
      ['', 'workers', 'nodes', '', 'binds', '$/month'],
      ...scenarios.map(({ name, workers, nodes, node, binding, usdPerMonth }) => [
        name.replaceAll(/,(?=\S)/g, ', '),
        factors(workers),
        factors(nodes),
        node,
        binding,
        usdPerMonth === undefined ? 'no price' : compact(Math.round(usdPerMonth)),
      ]),
    ],
    page,
    ['left', 'right', 'right', 'left', 'left', 'right'],
  )
}

function dollars(value: number | undefined): string {
  return value === undefined ? 'no price' : `$${compact(Math.round(value))}`
}

function growthLines(g: GrowthResult, page: Page): string[] {
  const late = (g.orderInDays ?? 0) < 0 ? `, which was ${counted(Math.ceil(-(g.orderInDays ?? 0)), 'day')} ago` : ''
  const when = g.days === 0 ? 'already' : `on ${g.exhaustedOn ?? 'a day beyond the calendar'}`
  return [
    `${formatShare(g.ratePerPeriod)} a ${g.period} from ${g.from}, with ${counted(g.have.workers, 'worker')} ` +
      `on ${counted(g.have.nodes, 'node')} like ${g.have.node}`,
    ...rows(
      [
        ['from', 'load', 'pods', 'nodes', 'binds', 'machines', 'with its bytes'],
        ...g.quarters.map(({ from, times, pods, nodes, binding, machinesUsdPerMonth, usdPerMonth }) => [
          from,
          `x ${trimmed(times)}`,
          compact(pods),
          compact(nodes),
          binding,
          dollars(machinesUsdPerMonth),
          dollars(usdPerMonth),
        ]),
      ],
      page,
      ['left', 'right', 'right', 'right', 'left', 'right', 'right'],
    ),
    'Until the peak itself takes all there is, with nothing left for a burst or a lost zone:',
    ...rows(
      g.limits.map(({ name, per, now, capacity, days }) => [
        name,
        `${fine(now)} of ${trimmed(capacity)} ${per}s`,
        days === undefined ? 'never' : days === 0 ? 'used up already' : `in ${counted(Math.floor(days), 'day')}`,
      ]),
      page,
      ['left', 'right', 'left'],
    ),
    g.days === undefined ? 'never used up' : `${g.binding} ${g.binding.endsWith('s') ? 'are' : 'is'} used up ${when}`,
    ...(g.leadDays > 0 && g.orderBy
      ? [`order by ${g.orderBy}${late}: ${formatNumber(g.leadDays)} days from order to service`]
      : []),
  ]
}
