/** The metrics of thresholds: their units, which direction is better, and the one list that messages quote. */

const DURATIONS = ['overhead', 'latency', 'ttfb', 'ttft', 'tpot', 'interToken'] as const
export type DurationMetric = (typeof DURATIONS)[number]

/** The parts of a gateway's overhead that have a budget, as overhead.<part>. */
export const COMPONENTS = [
  'input_policy',
  'routing',
  'connection_acquisition',
  'output_policy',
  'event_emission',
] as const
export type ComponentName = (typeof COMPONENTS)[number]

/** Single figures of a run. `share` is judged by block, `rate` is a rate per second. */
export const FIGURES = {
  'errors.rate': { unit: 'share', better: 'lower' },
  goodput: { unit: 'share', better: 'higher' },
  'throughput.rps': { unit: 'rate', better: 'higher' },
  'throughput.tokens': { unit: 'rate', better: 'higher' },
} as const satisfies Record<string, { unit: 'share' | 'rate'; better: 'lower' | 'higher' }>
export type FigureMetric = keyof typeof FIGURES

const SHOWN_QUANTILES = ['p50', 'p90', 'p95', 'p99', 'p99.9']

/** Every metric that messages suggest. A threshold may use any other quantile (p75) too. */
export const KNOWN_METRICS: readonly string[] = [
  ...DURATIONS.flatMap((metric) => SHOWN_QUANTILES.map((quantile) => `${metric}.${quantile}`)),
  ...DURATIONS.flatMap((metric) => SHOWN_QUANTILES.map((quantile) => `delta.${metric}.${quantile}`)),
  ...COMPONENTS.flatMap((part) => SHOWN_QUANTILES.map((quantile) => `overhead.${part}.${quantile}`)),
  ...Object.keys(FIGURES),
]

/** The same list in words. */
export const METRICS_IN_WORDS = [
  `${DURATIONS.join(', ')}: each with .p50 .p90 .p95 .p99 .p99.9 (or another quantile), also as delta.<metric>`,
  `overhead.<part>, as the gateway reports it: ${COMPONENTS.join(', ')}`,
  ...Object.keys(FIGURES),
]

export function isComponent(name: string): name is ComponentName {
  return (COMPONENTS as readonly string[]).includes(name)
}

export function isDuration(name: string): name is DurationMetric {
  return (DURATIONS as readonly string[]).includes(name)
}

export function isFigure(name: string): name is FigureMetric {
  return name in FIGURES
}
