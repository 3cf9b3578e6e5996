/**
 * A run as OpenMetrics text, for a push gateway or a textfile collector. Quantiles are what was measured, which no
 * client library of metrics takes, so the text is made here (OpenMetrics 1.0).
 */
import type { BenchReport } from '../report/schema.ts'
import { type Family, familiesOf, type Labels } from './families.ts'

export function toOpenMetrics(report: BenchReport): string {
  return metricsText(familiesOf(report), { model: report.target.model, run: report.runId })
}

/**
 * `common`: labels of every line. Prometheus' own text format, which was there before OpenMetrics, knows a counter by
 * its whole name, and neither units nor an end mark.
 */
export function metricsText(families: readonly Family[], common: Labels, openMetrics = true): string {
  const lines = families.flatMap((family) => [...headOf(family, openMetrics), ...linesOf(family, common)])
  return `${[...lines, ...(openMetrics ? ['# EOF'] : [])].join('\n')}\n`
}

function headOf({ name, type, help, unit }: Family, openMetrics: boolean): string[] {
  const named = type === 'counter' && !openMetrics ? `${name}_total` : name
  const units = unit === undefined || !openMetrics ? [] : [`# UNIT ${named} ${unit}`]
  return [`# TYPE ${named} ${type}`, ...units, `# HELP ${named} ${help}`]
}

function linesOf(family: Family, common: Labels): string[] {
  const { name } = family
  switch (family.type) {
    case 'counter':
      return family.points.map(({ labels, value }) => line(`${name}_total`, { ...common, ...labels }, value))
    case 'gauge':
      return family.points.map(({ labels, value }) => line(name, { ...common, ...labels }, value))
    case 'summary':
      return family.points.flatMap(({ labels: own, quantiles, count, sum }) => {
        const labels = { ...common, ...own }
        return [
          ...quantiles.map(([quantile, value]) => line(name, { ...labels, quantile: String(quantile) }, value)),
          line(`${name}_count`, labels, count),
          line(`${name}_sum`, labels, sum),
        ]
      })
    case 'histogram':
      return family.points.flatMap(({ labels: own, upTo, count, sum }) => {
        const labels = { ...common, ...own }
        return [
          ...upTo.map(([bound, below]) => line(`${name}_bucket`, { ...labels, le: String(bound) }, below)),
          line(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
          line(`${name}_count`, labels, count),
          line(`${name}_sum`, labels, sum),
        ]
      })
    default:
      return family satisfies never
  }
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
  return `${name}{${pairs.join(',')}} ${value}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
