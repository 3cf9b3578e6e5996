// What the rules read in a finished report, both ways.
import { describe, expect, test } from 'vitest'
import { askRule } from '../../src/doctor/doctor.ts'
import { RULES } from '../../src/doctor/rules.ts'
import type { ArmResult, BenchReport } from '../../src/report/schema.ts'
import { around, fixed, type Model, makeRun, type ReportShape } from '../support/make-report.ts'

const STREAM: ReportShape = { requests: 400, stream: true, upstream: around(12), added: around(1), role: 'gateway' }

type Change = (report: BenchReport, arm: ArmResult) => void

const later =
  (ms: number): Model =>
  (random) =>
    ms * 1_000 + around(11)(random)

/** Twenty tokens an answer, all at once. */
function burst(_: BenchReport, arm: ArmResult): void {
  const { throughput, totals } = arm
  throughput.outputTokensPerSec = (20 * totals.successful) / totals.durationS
  delete arm.interTokenMs
}

function statusOf(id: string, shape: ReportShape, change?: Change) {
  const rule = RULES.find((one) => one.id === id)
  if (!rule) throw new Error(`there is no rule ${id}`)
  const report = makeRun(shape, change)
  return askRule(rule, { file: undefined, report, measured: undefined, failure: null }).status
}

describe('of a report', () => {
  test.each<[string, ReportShape, Change]>([
    [
      'new-connection-per-request',
      STREAM,
      (_, { totals }) => Object.assign(totals.connections, { opened: 400, reused: 0 }),
    ],
    ['fixed-timer-ttft', { ...STREAM, upstream: (random) => 25_300 + 1_000 * random(), added: fixed(21) }, () => {}],
    ['fixed-timer-ttft', { ...STREAM, upstream: later(27), direct: { upstream: around(11), stream: true } }, () => {}],
    // Bursts 41 ms apart: three gaps in a hundred.
    [
      'delayed-ack',
      { ...STREAM, upstream: (random) => (random() < 0.03 ? 41_000 + 3_000 * random() : 2_000) },
      () => {},
    ],
    ['fake-streaming', { ...STREAM, upstream: around(1_500), added: fixed(20) }, burst],
    ['missing-done', STREAM, (_, arm) => Object.assign(arm, { answers: { unmarked: 3 } })],
    ['missing-usage', STREAM, (_, { throughput }) => Object.assign(throughput, { tokenSource: 'events' })],
    ['shared-cache', STREAM, (_, { overhead }) => Object.assign(overhead[0] ?? {}, { cacheHits: 3 })],
    [
      'server-timing-seconds',
      STREAM,
      (_, arm) =>
        Object.assign(arm, {
          signals: {
            gateway: null,
            caveat: '',
            rejected: { 'Server-Timing looks like seconds, not milliseconds': 400 },
          },
        }),
    ],
    ['noisy-instrument', STREAM, ({ client }) => Object.assign(client, { floorMs: { p50: 1, p99: 5 } })],
  ])('%s is found', (id, shape, change) => {
    expect(statusOf(id, shape, change)).toBe('found')
  })

  test('truncated streams are found', () => {
    expect(statusOf('missing-done', { ...STREAM, failures: { KT_TRUNCATED: 1 } })).toBe('found')
  })

  test.each([
    'new-connection-per-request',
    'fixed-timer-ttft',
    'delayed-ack',
    'missing-usage',
    'missing-done',
    'shared-cache',
  ])('%s is fine in a good run', (id) => {
    expect(statusOf(id, STREAM)).toBe('fine')
  })

  test('a run straight to the provider says nothing of a gateway', () => {
    expect(statusOf('missing-usage', { ...STREAM, role: 'direct' })).toBe('not-checked')
  })
})
