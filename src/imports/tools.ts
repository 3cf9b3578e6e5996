/**
 * The tools whose results `kt bench compare` reads, a row each: how a result is known and read, and what it does not
 * tell. Keys that are not named here are left alone, since their formats grow.
 */
import { z } from 'zod'
import type { Durations, ForeignFigures } from './figures.ts'

interface Tool {
  name: string
  lacks: readonly string[]
  read(value: unknown): ForeignFigures | undefined
}

function tool<T>(
  name: string,
  schema: z.ZodType<T>,
  lacks: readonly string[],
  read: (value: T) => ForeignFigures,
): Tool {
  return {
    name,
    lacks,
    read(value) {
      const parsed = schema.safeParse(value)
      return parsed.success ? read(parsed.data) : undefined
    },
  }
}

const FROM_SENT = 'latency counts from sending: the wait of requests that were due and not sent is not in it'
const OMITTED = 'requests that were due and not sent (coordinated omission) are not told'
const number = z.number()

const ohaQuantiles = z.object({ p50: number, p90: number, p95: number, p99: number })
const oha = z.object({
  summary: z.object({ successRate: number, requestsPerSec: number }),
  latencyPercentiles: ohaQuantiles,
  statusCodeDistribution: z.record(z.string(), number),
  errorDistribution: z.record(z.string(), number),
})

const vegeta = z.object({
  latencies: z.object({ '50th': number, '90th': number, '95th': number, '99th': number }),
  earliest: z.string(),
  requests: number,
  throughput: number,
  success: number,
})

/** `handleSummary` gets the values of a metric under `values`; `--summary-export` writes them without that. */
const k6Values = <T extends z.ZodRawShape>(shape: T) =>
  z.union([z.object({ values: z.object(shape) }).transform(({ values }) => values), z.object(shape)])
/** Which quantiles there are is an option of its run. */
const k6Metrics = z.object({
  http_req_duration: k6Values({
    med: number.optional(),
    'p(90)': number.optional(),
    'p(95)': number.optional(),
    'p(99)': number.optional(),
  }),
  http_reqs: k6Values({ count: number, rate: number.optional() }),
  http_req_failed: z
    .union([
      k6Values({ value: number }).transform(({ value }) => value),
      k6Values({ rate: number }).transform(({ rate }) => rate),
    ])
    .optional(),
})
const k6 = z.union([
  z.object({ metrics: k6Metrics }).transform(({ metrics }) => ({ metrics, durationS: undefined })),
  // With `--new-machine-readable-summary` the metrics are a list, and no count has a rate.
  z
    .object({
      config: z.object({ duration: number }),
      results: z.object({ metrics: z.array(z.looseObject({ name: z.string() })) }),
    })
    .transform(({ config, results }): { metrics: unknown; durationS: number } => ({
      metrics: Object.fromEntries(results.metrics.map((metric) => [metric.name, metric])),
      durationS: config.duration,
    }))
    .pipe(z.object({ metrics: k6Metrics, durationS: number })),
])

const quantiles = z.object({ p50: number, p90: number, p95: number, p99: number })
const successful = z.object({ successful: z.object({ percentiles: quantiles }) })
const guidellm = z.object({
  benchmarks: z.tuple([
    z.object({
      duration: number,
      start_time: number,
      metrics: z.object({
        request_totals: z.object({ successful: number, errored: number }),
        request_latency: successful,
        time_to_first_token_ms: successful.optional(),
        inter_token_latency_ms: successful.optional(),
        time_per_output_token_ms: successful.optional(),
      }),
    }),
  ]),
})

const average = z.object({ avg: number })
const aiperf = z.object({
  request_count: average,
  error_request_count: average.optional(),
  request_throughput: average,
  request_latency: quantiles,
  time_to_first_token: quantiles.optional(),
  inter_token_latency: quantiles.optional(),
})

/** Of a metric it writes `median_ttft_ms` and `p99_ttft_ms`: which metrics and which percentiles are its options. */
const vllm = z.looseObject({
  model_id: z.string(),
  completed: number,
  num_prompts: number,
  failed: number.optional(),
  request_throughput: number,
  total_input_tokens: number,
})
const VLLM_METRICS = { latency: 'e2el', ttft: 'ttft', tpot: 'tpot', interToken: 'itl' } as const
const VLLM_QUANTILES = { p50: 'median', p90: 'p90', p95: 'p95', p99: 'p99' } as const

function vllmDurations(result: Readonly<Record<string, unknown>>): Durations {
  const metrics = Object.entries(VLLM_METRICS).flatMap(([metric, theirs]) => {
    const found = Object.entries(VLLM_QUANTILES).flatMap(([quantile, word]) => {
      const value = result[`${word}_${theirs}_ms`]
      return typeof value === 'number' ? [[quantile, value] as const] : []
    })
    return found.length === 0 ? [] : [[metric, Object.fromEntries(found)] as const]
  })
  return Object.fromEntries(metrics)
}

const SECOND = 1_000
const NANOSECOND = 1e-6
const GOOD_STATUS = /^2\d\d$/

function scaled<T extends Record<string, number>>(values: T, by: number): Record<keyof T, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value * by])) as Record<
    keyof T,
    number
  >
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Without what is not told. */
function told<K extends string, V>(values: Partial<Record<K, V | undefined>>): Partial<Record<K, V>> {
  const known = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known) as Partial<Record<K, V>>
}

export const TOOLS: readonly Tool[] = [
  tool('oha', oha, [FROM_SENT], ({ summary, latencyPercentiles, statusCodeDistribution, errorDistribution }) => {
    const errors = sum(Object.values(errorDistribution))
    const answers = Object.entries(statusCodeDistribution)
    const good = sum(answers.filter(([status]) => GOOD_STATUS.test(status)).map(([, count]) => count))
    const requests = sum(answers.map(([, count]) => count)) + errors
    const perSecond = requests === 0 ? null : (summary.requestsPerSec * good) / requests
    return {
      requests,
      failed: requests - good,
      perSecond,
      durations: { latency: scaled(latencyPercentiles, SECOND) },
    }
  }),
  tool('vegeta', vegeta, [FROM_SENT], ({ latencies, earliest, requests, throughput, success }) => ({
    startedAt: earliest,
    requests,
    failed: requests - Math.round(requests * success),
    perSecond: throughput,
    durations: {
      latency: scaled(
        { p50: latencies['50th'], p90: latencies['90th'], p95: latencies['95th'], p99: latencies['99th'] },
        NANOSECOND,
      ),
    },
  })),
  tool(
    'k6',
    k6,
    [`${OMITTED}: look at its dropped_iterations`, 'P99 is told only where it was asked for (summaryTrendStats)'],
    ({ metrics, durationS }) => {
      const {
        http_req_duration: duration,
        http_reqs: { count, rate = durationS ? count / durationS : undefined },
        http_req_failed: failed = 0,
      } = metrics
      return {
        requests: count,
        failed: Math.round(count * failed),
        perSecond: rate === undefined ? null : rate * (1 - failed),
        durations: {
          latency: told({
            p50: duration.med,
            p90: duration['p(90)'],
            p95: duration['p(95)'],
            p99: duration['p(99)'],
          }),
        },
      }
    },
  ),
  tool('guidellm', guidellm, [OMITTED, 'requests under way at the end are in no figure'], ({ benchmarks: [run] }) => {
    const { request_totals: totals, ...metrics } = run.metrics
    const of = (one: z.infer<typeof successful> | undefined, by = 1) => one && scaled(one.successful.percentiles, by)
    return {
      startedAt: new Date(run.start_time * SECOND).toISOString(),
      requests: totals.successful + totals.errored,
      failed: totals.errored,
      perSecond: totals.successful / run.duration,
      durations: told({
        latency: of(metrics.request_latency, SECOND),
        ttft: of(metrics.time_to_first_token_ms),
        tpot: of(metrics.time_per_output_token_ms),
        interToken: of(metrics.inter_token_latency_ms),
      }),
    }
  }),
  tool('AIPerf', aiperf, [OMITTED], (result) => {
    const failed = result.error_request_count?.avg ?? 0
    return {
      requests: result.request_count.avg + failed,
      failed,
      perSecond: result.request_throughput.avg,
      durations: {
        latency: result.request_latency,
        ...(result.time_to_first_token && { ttft: result.time_to_first_token }),
        ...(result.inter_token_latency && { tpot: result.inter_token_latency }),
      },
    }
  }),
  tool(
    'vllm bench',
    vllm,
    [FROM_SENT, 'only those metrics and percentiles are told that it was asked for'],
    ({ completed, num_prompts: asked, failed = asked - completed, request_throughput: perSecond, ...result }) => ({
      requests: completed + failed,
      failed,
      perSecond,
      durations: vllmDurations(result),
    }),
  ),
]
