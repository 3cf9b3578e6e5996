/**
 * Quantiles of one figure over the gateway's events. Every request that ended counts, failed ones too; what has no
 * value (TTFT of an answer that is no stream) does not. Beside each quantile stands the interval that so many
 * independent observations give it: requests are not quite that, so it is for reading, not for a verdict.
 */
import { z } from 'zod'
import { failure, type Result, success } from '../errors.ts'
import { flagGroup } from '../parse/flags.ts'
import { didYouMean } from '../parse/near.ts'
import { parseEach, parsePercentile } from '../parse/percentile.ts'
import { durationMs, parsedBy } from '../parse/quantity.ts'
import { Histogram } from '../stats/histogram.ts'
import { orderIntervalUs } from '../stats/quantile-interval.ts'
import { type GatewayEvent, parseEvent } from '../wire/gateway-event.ts'
import { OVERHEAD_COMPONENTS } from '../wire/overhead-components.ts'
import type { EventStats } from './answers.ts'
import { adminFlags } from './client.ts'

interface EventMetric {
  name: string
  unit: 'ms' | 'tokens'
  read(event: GatewayEvent): number | null | undefined
}

const WHOLE: EventMetric[] = [
  { name: 'latency', unit: 'ms', read: (event) => event.latency_ms },
  { name: 'ttft', unit: 'ms', read: (event) => event.ttft_ms },
  { name: 'overhead', unit: 'ms', read: (event) => event.overhead_ms },
  { name: 'upstream', unit: 'ms', read: (event) => (event.attempts > 0 ? event.upstream_ms : null) },
  { name: 'input_tokens', unit: 'tokens', read: (event) => event.input_tokens },
  { name: 'output_tokens', unit: 'tokens', read: (event) => event.output_tokens },
]
const PARTS = OVERHEAD_COMPONENTS.map(
  ({ field }): EventMetric => ({ name: field, unit: 'ms', read: (event) => event.overhead[field] }),
)
const METRICS: readonly EventMetric[] = [...WHOLE, ...PARTS]
export const EVENT_METRICS = METRICS.map(({ name }) => name)

function findMetric(name: string): Result<EventMetric> {
  const found = METRICS.find((metric) => metric.name === name)
  if (found) return success(found)
  const near = didYouMean(name.replace(/_ms$/, ''), EVENT_METRICS)
  return failure(
    `events have no '${name}'`,
    near ? `Did you mean '${near}'?` : `There are ${EVENT_METRICS.join(', ')}.`,
  )
}

/** '50,90,99.9' -> shares of one. */
const parsePercentiles = (given: string): Result<number[]> => parseEach(given, parsePercentile)

const { text, toggle } = flagGroup()

/** The flags of `kt events stats`. */
export const statsFlags = {
  metric: text(parsedBy(findMetric), 'metric of each request', {
    default: 'latency',
    helpValue: 'latency',
    choices: EVENT_METRICS,
  }),
  percentiles: text(parsedBy(parsePercentiles), 'percentiles to print', { default: '50,90,95,99' }),
  last: text(durationMs.optional(), 'only requests that ended within this time', { example: '1h' }),
  model: text(z.string().optional(), 'only requests for this model'),
  file: text(z.string().optional(), 'event file to read, with its rotated files'),
  ...adminFlags,
  json: toggle('print the figures as JSON'),
}

/** The instant `lastMs` ago as events have it (such stamps compare as text), or before them all. */
export function stampBefore(lastMs: number | undefined): string {
  if (lastMs === undefined) return ''
  const at = new Date()
  at.setMilliseconds(at.getMilliseconds() - lastMs)
  return at.toISOString()
}

export async function eventStats(
  lines: AsyncIterable<string>,
  metric: EventMetric,
  shares: readonly number[],
  wanted: { since: string; model?: string | undefined },
): Promise<EventStats> {
  const values = new Histogram(4)
  const stats: EventStats = {
    metric: metric.name,
    unit: metric.unit,
    count: 0,
    failed: 0,
    mean: null,
    max: null,
    percentiles: [],
    dropped: 0,
    unreadable: 0,
    from: null,
    to: null,
  }
  for await (const line of lines) {
    if (line === '') continue
    const event = parseEvent(line)
    if (!event) stats.unreadable++
    else if (event.ts >= wanted.since) {
      stats.dropped += event.dropped_before
      const value = wanted.model === undefined || event.model === wanted.model ? metric.read(event) : undefined
      if (value === null || value === undefined) continue
      values.record(value * SCALE)
      stats.failed += event.status >= 400 || event.error !== undefined ? 1 : 0
      stats.from ??= event.ts
      stats.to = event.ts
    }
  }
  if (values.count === 0) return stats
  const percentiles = shares.map((share) => {
    const [low, high] = orderIntervalUs(values, share)
    return {
      percentile: Number((share * 100).toPrecision(12)),
      value: values.quantileUs(share) / SCALE,
      low: low / SCALE,
      high: Number.isFinite(high) ? high / SCALE : null,
    }
  })
  return { ...stats, count: values.count, mean: values.meanUs / SCALE, max: values.maxUs / SCALE, percentiles }
}

/** The histogram holds whole numbers: microseconds, or thousandths of a token. */
const SCALE = 1_000
