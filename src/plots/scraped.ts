/** What servers told of themselves during a run, on the same seconds as its timeline: a plot for each of them. */

import type { Run } from '../report/schema.ts'
import type { ScrapedTarget } from '../report/watch-schema.ts'
import { seriesName } from '../report/watched.ts'
import { counted } from '../units.ts'
import { cell } from './formats.ts'
import { PALETTE, type Panel, type Plot } from './plot.ts'

/** More panels, or lines in one, than these nobody reads; the report has the rest. */
const MOST_PANELS = 6
const MOST_LINES = 8

type ScrapedSeries = ScrapedTarget['series'][number]

export function scrapedPlots({ scraped = [], series }: Pick<Run, 'scraped' | 'series'>): Plot[] {
  return scraped.filter((target) => target.series.length > 0).map((target, index) => plotOf(target, index, series))
}

function plotOf(target: ScrapedTarget, index: number, timeline: Run['series']): Plot {
  const { name, url, seconds, series, failed, leftOut } = target
  const metrics = Map.groupBy(series, ({ metric }) => metric)
  const shown = [...metrics.values()].slice(0, MOST_PANELS).map((lines) => lines.slice(0, MOST_LINES))
  const hidden = series.length - shown.flat().length
  return {
    id: `scraped-${index + 1}`,
    title: `What ${name} told of itself`,
    says: [
      `Read from ${url}, every ${counted(target.everyS, 'second')}; what only grows is shown as its growth a second.`,
      hidden > 0 ? `${counted(hidden, 'more series', 'more series')} in the report.` : '',
      leftOut > 0 ? `${counted(leftOut, 'series', 'series')} left out: there were too many.` : '',
      failed > 0 ? `${counted(failed, 'reading')} failed, the first time: ${target.error}.` : '',
    ]
      .filter((sentence) => sentence !== '')
      .join(' '),
    x: {
      name: 'second of the run',
      unit: 'seconds',
      scale: 'linear',
      min: timeline[0]?.second ?? seconds[0] ?? 0,
      max: timeline.at(-1)?.second ?? seconds.at(-1) ?? 1,
    },
    panels: shown.map((lines) => panelOf(lines, seconds)),
    table: {
      head: ['second', ...shown.flat().map(headOf)],
      rows: seconds.map((second, at) => [
        cell(second, 'count'),
        ...shown.flat().map((line) => cell(line.values[at], unitOf(line))),
      ]),
    },
  }
}

function panelOf(lines: readonly ScrapedSeries[], seconds: readonly number[]): Panel {
  const [first] = lines
  return {
    y: { name: first ? nameOf(first) : '', unit: first ? unitOf(first) : 'plain', scale: 'linear' },
    series: lines.map((line, index) => ({
      kind: 'line',
      name: seriesName(line),
      color: PALETTE[index % PALETTE.length] ?? 0,
      dashed: index % 2 === 1,
      dots: seconds.length < 30,
      points: seconds.map((second, at) => [second, line.values[at] ?? null] as const),
    })),
  }
}

function nameOf({ metric, kind }: ScrapedSeries): string {
  return kind === 'rate' ? `${metric} a second` : metric
}

function headOf(line: ScrapedSeries): string {
  return line.kind === 'rate' ? `${seriesName(line)} a second` : seriesName(line)
}

/** The name of a metric ends in its unit, by the custom of Prometheus. */
function unitOf({ metric, kind }: ScrapedSeries): 'bytes' | 'plain' {
  return kind === 'gauge' && metric.endsWith('_bytes') ? 'bytes' : 'plain'
}
