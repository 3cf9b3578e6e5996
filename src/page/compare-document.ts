/** The page of a comparison: the verdict, the figures side by side, and the distributions of both runs. */
import { isForeign, type Side } from '../imports/compare.ts'
import { intervalWords, noiseLine } from '../output/sentences.ts'
import { armsOf, besides } from '../plots/arms.ts'
import { blockPlots } from '../plots/blocks.ts'
import { cell, formatOf } from '../plots/formats.ts'
import { overheadPlots } from '../plots/overhead.ts'
import type { Cell, PlotTable, PlotUnit } from '../plots/plot.ts'
import { timelinePlots } from '../plots/timeline.ts'
import type { ComparedRun, Comparison } from '../report/compare-schema.ts'
import type { Unit } from '../slo/metrics.ts'
import { counted, formatNumber } from '../units.ts'
import { checkSentences, distributionSections, section } from './bench-document.ts'
import type { Document, Section } from './document.ts'

/** `runs` are what was compared; a comparison that is read from a file has none. */
export function compareDocument(comparison: Comparison, runs?: { baseline: Side; gateway: Side }): Document {
  const { mode, modeWhy, pairing, baseline, gateway, noise, gate, notes, judgedBy, overhead } = comparison
  const names = new Set([baseline.file, gateway.file])
  const title = [...names].join(' and ')
  return {
    title: `kt bench compare: ${title}`,
    sentences: gate ? checkSentences(gate.checks) : [{ verdict: null, text: 'Nothing was judged.' }],
    facts: [
      ['Question', `${mode} (${modeWhy}), ${pairing}`],
      ['Baseline', runLine(baseline)],
      ['Gateway', runLine(gateway)],
      ...(judgedBy ? [['Judged by', `${judgedBy.definition}, ${judgedBy.source}`] as const] : []),
      ['Noise', noiseLine(noise ?? undefined)],
    ],
    sections: [
      {
        title: 'Side by side',
        lines: notes,
        tables: [
          { caption: 'Figures of both', table: rowsTable(comparison) },
          ...(overhead.length === 0 ? [] : [{ caption: 'Overhead', table: overheadTable(comparison) }]),
          ...(comparison.differences.length === 0
            ? []
            : [{ caption: 'In what the runs differ', table: differencesTable(comparison) }]),
        ],
      },
      ...(runs ? plotSections(runs, pairing === 'paired') : []),
    ],
  }
}

/** Not every other tool tells when it began. */
function runLine({ file, url, startedAt, requests, failed }: ComparedRun): string {
  const began = startedAt === '' ? '' : `${startedAt}, `
  return `${file}: ${url}, ${began}${counted(requests, 'request')}, ${formatNumber(failed)} failed`
}

/** The result of another tool has nothing to draw. */
function plotSections({ baseline, gateway }: Record<'baseline' | 'gateway', Side>, paired: boolean): Section[] {
  if (isForeign(baseline) || isForeign(gateway)) return []
  const [name, baselineName] = gateway.name === baseline.name ? ['gateway', 'baseline'] : [gateway.name, baseline.name]
  const arms = besides(gateway, baseline, name, baselineName)
  return [
    ...distributionSections(arms),
    ...section('Overhead', overheadPlots(gateway)),
    // Blocks of separate runs were not measured beside each other.
    ...section('Blocks', blockPlots(paired ? arms : arms.slice(0, 1))),
    ...section('The gateway over time', timelinePlots(gateway, armsOf(gateway))),
  ]
}

const UNITS: Readonly<Record<Unit, PlotUnit>> = { ms: 'ms', share: 'share', 'per second': 'per second' }

function rowsTable({ rows }: Comparison): PlotTable {
  return {
    head: ['', 'baseline', 'gateway', 'difference', '95 %', ''],
    rows: rows.map(({ metric, unit, baseline, gateway, delta, delta95, verdict }): Cell[] => [
      metric,
      cell(baseline, UNITS[unit]),
      cell(gateway, UNITS[unit]),
      cell(delta, UNITS[unit]),
      delta95 ? intervalWords(delta95, formatOf(UNITS[unit])) : '-',
      verdict ?? '',
    ]),
  }
}

function overheadTable({ overhead }: Comparison): PlotTable {
  return {
    head: ['', 'readings', 'P50', 'P90', 'P95', 'P99', 'max'],
    rows: overhead.map(({ of, definition, count, totalMs }) => [
      `${of}, ${definition}`,
      cell(count, 'count'),
      ...[totalMs.p50, totalMs.p90, totalMs.p95, totalMs.p99, totalMs.max].map((value) => cell(value, 'ms')),
    ]),
  }
}

function differencesTable({ differences }: Comparison): PlotTable {
  return {
    head: ['', 'baseline', 'gateway', 'forbids a verdict'],
    rows: differences.map(({ what, baseline, gateway, forbids }) => [what, baseline, gateway, forbids ? 'yes' : 'no']),
  }
}
