/** A plot as the options of ECharts: the one description that both the file of a plot and the page are drawn from. */
import type { EChartsCoreOption } from 'echarts/core'
import { byteScale } from './byte-axis.ts'
import { colorOf, GRID, INK, MUTED, PAPER } from './colors.ts'
import { formatOf, tickOf } from './formats.ts'
import type { Axis, Mark, Panel, Plot, Series } from './plot.ts'

/** Without quotes, which would end the attribute of a drawing that it stands in. */
export const FONT = 'system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif'
const PANEL_HEIGHT = 190
const ROW_HEIGHT = 38
const BELOW = 52
const GAP = 34
/** A row of the legend, of which a narrow plot needs several. */
const LEGEND_ROW = 22
/** About what a character of the legend takes, and its mark with the gap. */
const CHARACTER = 6.4
const MARK_WIDTH = 46
const NARROW = 560

/** A plot without its table, which is not drawn. */
type Drawn = Omit<Plot, 'table'>

interface Layout {
  width: number
  height: number
  left: number
  legend: number
  panels: { top: number; height: number }[]
}

/** Where everything stands in a plot of this width. The height follows. */
export function layoutOf(plot: Drawn, width: number): Layout {
  const names = [...legendSeries(plot).keys()]
  const widths = names.map((name) => fitted(name, width).length * CHARACTER + MARK_WIDTH)
  const legend = names.length < 2 ? 0 : rowsOf(widths, width - 20) * LEGEND_ROW
  const heights = plot.panels.map(({ y }) =>
    y.scale === 'category' ? Math.max(90, (y.categories?.length ?? 1) * ROW_HEIGHT) : PANEL_HEIGHT,
  )
  let top = legend + 30
  const panels = heights.map((height) => {
    const panel = { top, height }
    top += height + GAP
    return panel
  })
  const categories = plot.panels.flatMap(({ y }) => y.categories ?? [])
  const longest = Math.max(0, ...categories.map((name) => name.length))
  const left = categories.length > 0 ? Math.min(width * 0.38, longest * CHARACTER + 24) : 58
  return { width, height: top - GAP + BELOW, left, legend, panels }
}

function rowsOf(widths: readonly number[], room: number): number {
  let [rows, used] = [1, 0]
  for (const width of widths) {
    if (used > 0 && used + width > room) {
      rows++
      used = 0
    }
    used += width
  }
  return rows
}

/** What the legend explains, by name: not the only line of a panel, if the panel is named as it is. */
function legendSeries({ panels }: Drawn): Map<string, Series> {
  const explained = panels.flatMap(({ y, series }) =>
    series.filter(({ name }) => series.length > 1 || name !== y.name).map((one) => [one.name, one] as const),
  )
  return new Map(explained)
}

/** A name of the legend as far as a row of it has room. */
function fitted(name: string, width: number): string {
  const room = Math.floor((width - MARK_WIDTH) / CHARACTER)
  return name.length <= room ? name : `${name.slice(0, room - 1)}…`
}

export function optionOf(plot: Drawn, layout: Layout): EChartsCoreOption {
  const { panels, x } = plot
  const last = panels.length - 1
  const narrow = layout.width < NARROW
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: FONT, color: INK },
    ...(layout.legend > 0 ? { legend: legendOf(plot, layout.width) } : {}),
    tooltip: {
      trigger: isOfCategories(plot) ? 'axis' : 'item',
      confine: true,
      backgroundColor: PAPER,
      borderColor: GRID,
      textStyle: { color: INK, fontSize: 12 },
      axisPointer: { type: isOfCategories(plot) ? 'shadow' : 'line', lineStyle: { color: MUTED } },
      ...(isOfCategories(plot) ? {} : { formatter: tooltipOf(plot) }),
    },
    grid: layout.panels.map(({ top, height }) => ({ left: layout.left, right: 22, top, height })),
    xAxis: panels.map((_, index) => ({
      ...axisOf(x, narrow),
      gridIndex: index,
      name: index === last ? x.name : '',
      nameLocation: 'middle',
      nameGap: 30,
      axisLabel: { ...axisOf(x, narrow).axisLabel, show: index === last, hideOverlap: true },
    })),
    yAxis: panels.map(({ y, series }, index) => ({
      ...axisOf(y, narrow),
      ...(y.unit === 'bytes' ? byteScale(heightsOf(series), y.min) : {}),
      ...(y.unit === 'count' ? { minInterval: 1 } : {}),
      gridIndex: index,
      ...(y.scale === 'category' ? { inverse: true, name: '' } : { name: y.name, nameLocation: 'end', nameGap: 10 }),
      nameTextStyle: { align: 'left', color: MUTED, fontSize: 12, padding: [0, 0, 0, 8 - layout.left] },
      ...(y.scale === 'category' ? {} : { splitNumber: 4 }),
      axisLabel: {
        ...axisOf(y, narrow).axisLabel,
        ...(y.scale === 'category' ? { width: layout.left - 16, overflow: 'truncate', interval: 0 } : {}),
      },
    })),
    series: panels.flatMap((panel, index) => seriesOf(panel, index, x)),
  }
}

function heightsOf(series: readonly Series[]): number[] {
  const points = series.flatMap((one) => ('points' in one ? one.points : []))
  return points.flatMap(([, height]) => height ?? [])
}

function isOfCategories({ x, panels }: Drawn): boolean {
  return x.scale === 'category' || panels.some(({ y }) => y.scale === 'category')
}

function legendOf(plot: Drawn, width: number): object {
  return {
    top: 0,
    left: 8,
    itemGap: 14,
    itemWidth: 22,
    itemHeight: 9,
    textStyle: { color: INK, fontSize: 12 },
    formatter: (name: string) => fitted(name, width),
    data: [...legendSeries(plot).values()].map((one) => ({
      name: one.name,
      ...(one.kind === 'line'
        ? {}
        : { icon: { bars: 'rect', whiskers: 'rect', ticks: 'rect', dots: 'circle' }[one.kind] }),
    })),
  }
}

interface AxisOption {
  axisLabel: object
  [key: string]: unknown
}

function axisOf(axis: Axis, narrow: boolean): AxisOption {
  const tick = tickOf(axis.unit)
  const common = {
    name: axis.name,
    nameTextStyle: { color: MUTED, fontSize: 12 },
    axisLine: { show: true, lineStyle: { color: MUTED } },
    axisTick: { show: false },
    splitLine: { show: axis.scale !== 'category', lineStyle: { color: GRID } },
    axisLabel: { color: MUTED, fontSize: narrow ? 10 : 11 },
  }
  if (axis.scale === 'category') return { ...common, type: 'category', data: axis.categories ?? [] }
  return {
    ...common,
    type: axis.scale === 'log' ? 'log' : 'value',
    // Without a zero that was asked for, what differs fills the axis.
    scale: axis.min === undefined,
    ...(axis.min === undefined ? {} : { min: axis.min }),
    ...(axis.max === undefined ? {} : { max: axis.max }),
    ...(narrow && axis.scale === 'linear' ? { splitNumber: 4 } : {}),
    axisLabel: { ...common.axisLabel, formatter: tick },
  }
}

function seriesOf({ y, series, marks = [] }: Panel, index: number, x: Axis): object[] {
  const formats = { x: formatOf(x.unit), y: formatOf(y.unit) }
  const sideways = y.scale === 'category'
  const value = sideways ? formats.x : formats.y
  const common = (one: Series): object => ({
    name: one.name,
    xAxisIndex: index,
    yAxisIndex: index,
    color: colorOf(one.color),
    itemStyle: { color: colorOf(one.color) },
    emphasis: { disabled: true },
    tooltip: { valueFormatter: (given: unknown) => (typeof given === 'number' ? value(given) : '-') },
  })
  const drawn = series.map((one) => ({ ...common(one), ...drawing(one) }))
  const [first, ...others] = drawn
  if (!first || marks.length === 0) return drawn
  return [{ ...first, markLine: markLine(marks) }, ...others]
}

function drawing(one: Series): object {
  switch (one.kind) {
    case 'line':
      return {
        type: 'line',
        data: one.points,
        showSymbol: one.dots ?? false,
        symbol: 'circle',
        symbolSize: 5,
        lineStyle: { color: colorOf(one.color), width: 2, type: one.dashed ? 'dashed' : 'solid' },
      }
    case 'dots':
      return { type: 'scatter', data: one.points, symbol: 'circle', symbolSize: 7 }
    case 'ticks':
      return { type: 'scatter', data: one.points, symbol: 'rect', symbolSize: [4, 24], z: 5 }
    case 'bars':
      return { type: 'bar', data: one.values, barMaxWidth: 14, barGap: '10%' }
    case 'whiskers':
      return {
        type: 'custom',
        data: one.items.map(({ at, low, high }) => [at, low, high]),
        encode: one.along === 'x' ? { x: [1, 2], y: 0 } : { x: 0, y: [1, 2] },
        renderItem: whisker(one.along, colorOf(one.color)),
        z: 6,
      }
    default:
      return one satisfies never
  }
}

interface RenderApi {
  value(dimension: number): number
  coord(point: number[]): number[]
}

const CAP = 5

/** A line with a cap at both ends. */
function whisker(along: 'x' | 'y', stroke: string) {
  return (_: unknown, api: RenderApi) => {
    const at = api.value(0)
    const ends = [api.value(1), api.value(2)].map((end) => api.coord(along === 'x' ? [end, at] : [at, end]))
    const [[x1 = 0, y1 = 0] = [], [x2 = 0, y2 = 0] = []] = ends
    const line = (shape: object): object => ({ type: 'line', shape, style: { stroke, lineWidth: 1.5 } })
    const cap = (x: number, y: number): object =>
      line(along === 'x' ? { x1: x, x2: x, y1: y - CAP, y2: y + CAP } : { x1: x - CAP, x2: x + CAP, y1: y, y2: y })
    return { type: 'group', children: [line({ x1, y1, x2, y2 }), cap(x1, y1), cap(x2, y2)] }
  }
}

function markLine(marks: readonly Mark[]): object {
  return {
    silent: true,
    symbol: 'none',
    animation: false,
    lineStyle: { color: colorOf(3), type: 'dotted', width: 1.5 },
    label: { color: colorOf(3), fontSize: 11, formatter: '{b}' },
    // Labels of lines close to each other stand at different ends.
    data: marks.map(({ axis, at, label }, index) => ({
      name: label,
      [axis === 'x' ? 'xAxis' : 'yAxis']: at,
      label: { position: index % 2 === 0 ? 'insideEndTop' : 'insideStartTop' },
    })),
  }
}

/** What is shown of the thing under the pointer. Everything in it came from a report. */
function tooltipOf({ x, panels }: Drawn) {
  return ({
    seriesName = '',
    value,
    seriesIndex = 0,
  }: {
    seriesName?: string
    value: unknown
    seriesIndex?: number
  }) => {
    const axes = panels.flatMap(({ y, series }) => series.map(() => y))
    const y = axes[seriesIndex]
    if (!Array.isArray(value) || !y) return ''
    const [first, second] = value.map(Number)
    const [at, reading] = [formatOf(x.unit)(first ?? 0), formatOf(y.unit)(second ?? 0)]
    return [escapeText(seriesName), at, reading].join('<br>')
  }
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
