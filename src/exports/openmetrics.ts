/**
 * A run as OpenMetrics text, for a push gateway or a textfile collector. Quantiles are what was measured, which no
 * client library of metrics takes, so the text is made here (OpenMetrics 1.0).
 */
import type { BenchReport } from '../report/schema.ts'
import { type Family, familiesOf, type Labels } from './families.ts'

export function toOpenMetrics(report: BenchReport): string {
  return openMetricsText(familiesOf(report), { model: report.target.model, run: report.runId })
}

/** `common`: labels of every line. */
function openMetricsText(families: readonly Family[], common: Labels): string {
  const lines = families.flatMap((family) => [...headOf(family), ...linesOf(family, common)])
  return `${lines.join('\n')}\n# EOF\n`
}

function headOf({ name, type, help, unit }: Family): string[] {
  return [`# TYPE ${name} ${type}`, ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]), `# HELP ${name} ${help}`]
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
