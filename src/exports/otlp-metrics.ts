/**
 * A run as OTLP metrics: the families of the OpenMetrics text under their names, and the duration of each arm's
 * requests as the histogram that the semantic conventions for generative AI ask of a client.
 */

import { readHistogram } from '../report/histogram-text.ts'
import type { BenchReport } from '../report/schema.ts'
import { endpointOf } from '../wire/endpoints.ts'
import { bucketsOf, type Family, familiesOf } from './families.ts'
import { attributesOf, unixNano } from './otlp-json.ts'

/** By the conventions for `gen_ai.client.operation.duration`, in seconds. */
const DURATION_BOUNDS_S = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const CUMULATIVE = 2
/** The operation, and whose protocol the target speaks: who answers behind a gateway is not known. */
export function operationOf({ target }: BenchReport) {
  const { operation, provider } = endpointOf(target.endpoint)
  return { 'gen_ai.operation.name': operation, 'gen_ai.provider.name': provider }
}

/** What every metric and span of a run is of. */
export function resourceOf({ kt, runId, labels = {}, load }: BenchReport) {
  const own = Object.fromEntries(Object.entries(labels).map(([key, value]) => [`kt.label.${key}`, value]))
  return {
    attributes: attributesOf({
      'service.name': 'kt',
      'service.version': kt.version,
      'kt.run.id': runId,
      'kt.workload': load.workload.name,
      ...own,
    }),
  }
}

export function otlpMetrics(report: BenchReport, endMs: number) {
  const startTimeUnixNano = unixNano(Date.parse(report.startedAt))
  const span = { startTimeUnixNano, timeUnixNano: unixNano(endMs) }
  const of = {
    ...operationOf(report),
    'gen_ai.request.model': report.target.model,
  }
  const metrics = [...familiesOf(report), durationFamily(report)].map((family) => toMetric(family, span, of))
  const scope = { name: 'kt', version: report.kt.version }
  return { resourceMetrics: [{ resource: resourceOf(report), scopeMetrics: [{ scope, metrics }] }] }
}

type Span = Readonly<Record<'startTimeUnixNano' | 'timeUnixNano', string>>
type Common = Readonly<Record<string, string>>

/** In the words of UCUM. */
const UNITS: Readonly<Record<string, string>> = { seconds: 's', bytes: 'By', cores: '{core}' }

function toMetric(family: Family, span: Span, of: Common) {
  const { name, help: description, unit } = family
  const described = { name, description, unit: UNITS[unit ?? ''] ?? '1' }
  const attributes = (labels: Common) => attributesOf({ ...of, ...labels })
  switch (family.type) {
    case 'counter':
      return {
        ...described,
        sum: {
          aggregationTemporality: CUMULATIVE,
          isMonotonic: true,
          dataPoints: family.points.map(({ labels, value }) => ({
            ...span,
            attributes: attributes(labels),
            asInt: String(value),
          })),
        },
      }
    case 'gauge':
      return {
        ...described,
        gauge: {
          dataPoints: family.points.map(({ labels, value }) => ({
            ...span,
            attributes: attributes(labels),
            asDouble: value,
          })),
        },
      }
    case 'summary':
      return {
        ...described,
        summary: {
          dataPoints: family.points.map(({ labels, count, sum, quantiles }) => ({
            ...span,
            attributes: attributes(labels),
            count: String(count),
            sum,
            quantileValues: quantiles.map(([quantile, value]) => ({ quantile, value })),
          })),
        },
      }
    case 'histogram':
      return {
        ...described,
        histogram: {
          aggregationTemporality: CUMULATIVE,
          dataPoints: family.points.map(({ labels, count, sum, upTo }) => ({
            ...span,
            attributes: attributes(labels),
            count: String(count),
            sum,
            explicitBounds: upTo.map(([bound]) => bound),
            bucketCounts: [...upTo.map(([, below]) => below), count].map((below, index, all) =>
              String(below - (all[index - 1] ?? 0)),
            ),
          })),
        },
      }
    default:
      return family satisfies never
  }
}

/** The latency of each arm as the histogram of the conventions. */
function durationFamily({ arms }: BenchReport): Family {
  return {
    name: 'gen_ai.client.operation.duration',
    type: 'histogram',
    help: 'GenAI operation duration.',
    unit: 'seconds',
    points: arms.flatMap(({ name: arm, latencyMs }) =>
      latencyMs ? [bucketsOf({ arm }, readHistogram(latencyMs.histogram), DURATION_BOUNDS_S)] : [],
    ),
  }
}
