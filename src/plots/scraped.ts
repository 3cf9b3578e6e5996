/** What servers told of themselves during a run, on the same seconds as its timeline: a plot for each of them. */

import type { Run } from '../report/schema.ts'
import type { ScrapedTarget } from '../report/watch-schema.ts'
import { labelPairs, seriesName } from '../report/watched.ts'
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
  const { name, url, seconds, failed, leftOut } = target
  const { common, series } = withoutCommon(target.series)
  const metrics = Map.groupBy(series, ({ metric }) => metric)
  const shown = [...metrics.values()].slice(0, MOST_PANELS).map((lines) => lines.slice(0, MOST_LINES))
  const together = shown.filter((lines) => lines.length > 1)
  const names = [...new Set(together.flat().map(lineName))]
  const hidden = series.length - shown.flat().length
  return {
    id: `scraped-${index + 1}`,
    title: `What ${name} told of itself`,
    says: [
      `Read from ${url}, every ${counted(target.everyS, 'second')}; what only grows is shown as its growth a second.`,
      common === '' ? '' : `All have ${common}.`,
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
    panels: shown.map((lines) => panelOf(lines, seconds, names)),
    table: {
      head: ['second', ...shown.flat().map(headOf)],
      rows: seconds.map((second, at) => [
        cell(second, 'count'),
        ...shown.flat().map((line) => cell(line.values[at], unitOf(line))),
      ]),
    },
  }
}

/** The series without the labels that do not tell them apart, and these. */
function withoutCommon(series: readonly ScrapedSeries[]): { common: string; series: ScrapedSeries[] } {
  const [first, ...others] = series
  const isCommon = ([label, text]: [string, string]): boolean =>
    others.length > 0 && others.every(({ labels }) => labels[label] === text)
  const common = Object.fromEntries(Object.entries(first?.labels ?? {}).filter(isCommon))
  const ownLabels = ({ labels }: ScrapedSeries) =>
    Object.fromEntries(Object.entries(labels).filter(([label]) => !(label in common)))
  return { common: labelPairs(common), series: series.map((one) => ({ ...one, labels: ownLabels(one) })) }
}

/** Lines of one name look alike in all panels, because the legend shows one of them. */
function panelOf(lines: readonly ScrapedSeries[], seconds: readonly number[], names: readonly string[]): Panel {
  const [first] = lines
  return {
    y: { name: first ? nameOf(first) : '', unit: first ? unitOf(first) : 'plain', scale: 'linear' },
    series: lines.map((line) => {
      const name = lineName(line)
      const place = Math.max(0, names.indexOf(name))
      return {
        kind: 'line',
        name,
        color: PALETTE[place % PALETTE.length] ?? 0,
        dashed: (place + Math.floor(place / PALETTE.length)) % 2 === 1,
        dots: seconds.length < 30,
        points: seconds.map((second, at) => [second, line.values[at] ?? null] as const),
      }
    }),
  }
}

/** Its panel names the metric. */
function lineName(line: ScrapedSeries): string {
  return labelPairs(line.labels) || nameOf(line)
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
