import fc from 'fast-check'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry, Summary } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { toOpenMetrics } from '../../src/exports/openmetrics.ts'
import { readReport } from '../../src/report/read.ts'
import { parseExposition, seriesKey } from '../../src/watch/exposition.ts'

function read(text: string, openMetrics = false) {
  const parsed = parseExposition(text, openMetrics)
  if (!parsed.ok) throw new Error(parsed.why)
  return parsed.value
}

function whyNot(text: string, openMetrics = false): string {
  const parsed = parseExposition(text, openMetrics)
  return parsed.ok ? 'accepted' : parsed.why
}

const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,12}$/)
const label = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/)
const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.POSITIVE_INFINITY, Number.NaN))
const sample = fc.record({ name, labels: fc.dictionary(label, fc.string({ unit: 'binary' }), { maxKeys: 4 }), value })

/** As servers write it; of minus zero JavaScript drops the sign. */
const decimal = (number: number): string => (Object.is(number, -0) ? '-0' : `${number}`)

function written({ name: metric, labels, value: number }: { name: string; labels: object; value: number }): string {
  const pairs = Object.entries(labels).map(([key, text]) => {
    return `${key}="${String(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
  })
  const shown = Number.isNaN(number) ? 'NaN' : Number.isFinite(number) ? decimal(number) : number > 0 ? '+Inf' : '-Inf'
  return `${metric}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${shown}`
}

test('what is written is what is read, whatever is in the labels', () => {
  fc.assert(
    fc.property(fc.uniqueArray(sample, { selector: seriesKey, maxLength: 8 }), (samples) => {
      const text = samples.map((one) => `${written(one)}\n`).join('')
      const found = read(text)
      expect(found.map(({ cumulative: _, ...one }) => one)).toEqual(
        samples.map(({ labels, ...one }) => ({ ...one, labels: { ...labels } })),
      )
    }),
  )
})

test('no text breaks it, and none takes it long', () => {
  const piece = fc.constantFrom(
    'a',
    '{',
    '}',
    '"',
    '\\',
    ',',
    '=',
    ' ',
    '1',
    '# TYPE',
    '# EOF',
    '\n',
    'counter',
    '+Inf',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 400 }), fc.boolean(), (pieces, openMetrics) => {
      expect(typeof parseExposition(pieces.join(''), openMetrics).ok).toBe('boolean')
    }),
    { numRuns: 500 },
  )
  const blanks = ' '.repeat(50_000)
  expect(whyNot(`a{b="c"${blanks},${blanks}d`)).toContain('line 1')
})

describe('types', () => {
  test.each([
    ['# TYPE a counter\na 1\n', true],
    ['# TYPE a counter\na_total 1\n', true],
    ['# TYPE a_total counter\na_total 1\n', true],
    ['# TYPE a histogram\na_bucket{le="+Inf"} 1\n', true],
    ['# TYPE a summary\na_sum 1\n', true],
    ['# TYPE a summary\na{quantile="0.5"} 1\n', false],
    ['# TYPE a gauge\na 1\n', false],
    ['# TYPE a gauge\na_total 1\n', false],
    ['a_total 1\n', false],
  ])('%j grows only: %s', (text, cumulative) => {
    expect(read(text).map((one) => one.cumulative)).toEqual([cumulative])
  })
})

test.each([
  ['<html>404</html>', 'line 1 is not of the text format of Prometheus: <html>404</html>'],
  ['a 1\nb two\n', 'line 2 is not of the text format'],
  ['a 1\na 2\n', 'line 2 has a series for the second time'],
  ['a{b="1",c="2"} 1\na{c="2",b="1"} 2\n', 'line 2 has a series for the second time'],
  ['a{b="1",b="2"} 1\n', 'line 1 is not of the text format'],
  ['# TYPE a counter\n# TYPE a gauge\n', 'line 2 gives a type for the second time'],
  ['# TYPE a number\n', 'line 1 has a type that there is not'],
])('%j is refused', (text, why) => {
  expect(whyNot(text)).toContain(why)
})

test('OpenMetrics has an end mark, and nothing after it', () => {
  expect(whyNot('a 1\n', true)).toBe('it ends without an end mark')
  expect(whyNot('a 1\n# EOF\nb 1\n', true)).toContain('line 3 follows the end mark')
  expect(read('# TYPE a counter\n# UNIT a seconds\na_total{b="c"} 3 1.5 # {id="x"} 0.1 2.5\n# EOF\n', true)).toEqual([
    { name: 'a_total', labels: { b: 'c' }, value: 3, cumulative: true },
  ])
})

test.each(['paired', 'mix'])("kt's own OpenMetrics text of %s is read, figure by figure", (report) => {
  const recorded = readReport(`fixtures/reports/${report}.json`)
  const samples = read(toOpenMetrics(recorded), true)
  for (const { name: arm, latencyMs } of recorded.arms) {
    const p99 = samples.find(
      (one) => one.name === 'kt_bench_latency_seconds' && one.labels.arm === arm && one.labels.quantile === '0.99',
    )
    expect(p99?.value).toBe((latencyMs?.p99 ?? Number.NaN) / 1_000)
  }
})

test.each([false, true])("what Prometheus' client library for Node writes is read (OpenMetrics: %s)", async (open) => {
  const registry = new Registry()
  const registers = [registry]
  if (open) (registry as { setContentType(type: string): void }).setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  collectDefaultMetrics({ register: registry })
  new Counter({ name: 'asked', help: 'a "quoted"\nhelp', labelNames: ['path'], registers }).inc({ path: 'a\\"\n{}' }, 3)
  new Gauge({ name: 'now', help: 'now', registers }).set(-1.5e-9)
  new Histogram({ name: 'took', help: 'took', registers }).observe(0.3)
  new Summary({ name: 'lasted', help: 'lasted', registers }).observe(0.7)
  const samples = read(await registry.metrics(), open)
  const found = (metric: string) => samples.find((one) => one.name === metric)
  expect(samples.find(({ labels }) => labels.path === 'a\\"\n{}')).toMatchObject({ value: 3, cumulative: true })
  expect(found('now')).toMatchObject({ value: -1.5e-9, cumulative: false })
  expect(found('took_sum')).toMatchObject({ value: 0.3, cumulative: true })
  expect(found('lasted_count')).toMatchObject({ value: 1, cumulative: true })
})
