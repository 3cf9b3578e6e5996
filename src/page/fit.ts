/**
 * Keeps a page small enough to be mailed: where a run of many blocks or a history of many files would make it larger,
 * its lines keep fewer points, the highest ones, and its tables fewer rows. What is left out is said beside it. Where
 * that is not enough, as with many arms, only the script of the page draws the plots.
 */
import { UserError } from '../errors.ts'
import type { Plot, PlotTable, Point, Series } from '../plots/plot.ts'
import { formatNumber } from '../units.ts'
import { type Document, plotsOf, type Section } from './document.ts'

export const MOST_BYTES = 1_000_000
/** Points of a line and rows of a table, tried one after the other. */
const FEWER = [400, 200, 100, 50, 25]

/** What a plot of these documents looks like: as SVG. */
export type Drawings = ReadonlyMap<Plot, string>

interface Renderer {
  /** With these drawings; without them the plots are left to the script. */
  render(documents: readonly Document[], drawings?: Drawings): string
  draw(plot: Plot): string
}

/** The page of the documents, whole if it can be. */
export function fitPage(documents: readonly Document[], { render, draw }: Renderer): string {
  let left: string | undefined
  let bytes = 0
  for (const most of [Number.POSITIVE_INFINITY, ...FEWER]) {
    const fewer = documents.map((document) => thinned(document, most))
    const page = render(fewer)
    bytes = Buffer.byteLength(page)
    if (bytes >= MOST_BYTES) continue
    left ??= page
    const drawings = drawWithin(MOST_BYTES - bytes, fewer.flatMap(plotsOf), draw)
    if (drawings) return render(fewer, drawings)
  }
  if (left !== undefined) return left
  throw new UserError(
    `the page would take ${formatNumber(bytes / 1e6, 1)} MB, and a page stays under ${MOST_BYTES / 1e6} MB`,
    documents.length > 1 ? 'Name fewer files at once.' : 'kt report --svg writes each plot by itself.',
  )
}

/** Drawing takes most of the time of a page, so it ends as soon as there is no more room. */
function drawWithin(bytes: number, plots: readonly Plot[], draw: (plot: Plot) => string): Drawings | undefined {
  const drawings = new Map<Plot, string>()
  let room = bytes
  for (const plot of plots) {
    const drawing = draw(plot)
    room -= Buffer.byteLength(drawing)
    if (room <= 0) return undefined
    drawings.set(plot, drawing)
  }
  return drawings
}

function thinned(document: Document, most: number): Document {
  return { ...document, sections: document.sections.map((section) => thinSection(section, most)) }
}

function thinSection({ plots = [], tables = [], ...section }: Section, most: number): Section {
  return {
    ...section,
    plots: plots.map((plot) => thinPlot(plot, most)),
    tables: tables.map(({ caption, table }) => {
      const fewer = thinTable(table, most)
      return { caption: [caption, ...rowsLeft(table, fewer)].join('; '), table: fewer }
    }),
  }
}

function thinPlot(plot: Plot, most: number): Plot {
  const panels = plot.panels.map((panel) => ({ ...panel, series: panel.series.map((one) => thinSeries(one, most)) }))
  const table = thinTable(plot.table, most)
  return { ...plot, says: [plot.says, ...rowsLeft(plot.table, table).map(sentence)].join(' '), panels, table }
}

function rowsLeft(whole: PlotTable, fewer: PlotTable): string[] {
  const [all, kept] = [whole.rows.length, fewer.rows.length]
  return kept === all ? [] : [`to keep the page small, ${formatNumber(kept)} of ${formatNumber(all)} rows are in it`]
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}, and the highest point of each stretch.`
}

function thinSeries(series: Series, most: number): Series {
  switch (series.kind) {
    case 'line':
    case 'dots':
    case 'ticks':
      return { ...series, points: stretches(series.points, most).flatMap(highest) }
    case 'whiskers':
      return { ...series, items: firsts(series.items, most) }
    case 'bars':
      return series
    default:
      return series satisfies never
  }
}

function thinTable({ head, rows }: PlotTable, most: number): PlotTable {
  return { head, rows: firsts(rows, most) }
}

/** As many stretches as may be, of the same length. */
function stretches<T>(all: readonly T[], most: number): T[][] {
  const length = Math.max(1, Math.ceil(all.length / most))
  return Array.from({ length: Math.ceil(all.length / length) }, (_, index) =>
    all.slice(index * length, (index + 1) * length),
  )
}

function firsts<T>(all: readonly T[], most: number): T[] {
  return stretches(all, most).flatMap((stretch) => stretch.slice(0, 1))
}

/** A gap stays one only where nothing is in it. */
function highest(stretch: readonly Point[]): Point[] {
  const [first, ...others] = stretch
  if (!first) return []
  return [others.reduce((most, point) => ((point[1] ?? -Infinity) > (most[1] ?? -Infinity) ? point : most), first)]
}
