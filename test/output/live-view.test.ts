// The live view as lines, from a state: what stands where at the usual sizes, and that it fits every size.
import { stripVTControlCharacters } from 'node:util'
import { Chalk } from 'chalk'
import fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { type LiveView, liveLines } from '../../src/output/live-view.ts'
import { beside, type Extent, type ProgressView } from '../../src/output/progress.ts'
import type { LiveMargin } from '../../src/verdict/live.ts'

const SIZE = { width: 80, height: 24 }
const none = new Chalk({ level: 0 })

const progress: ProgressView = {
  ...beside('probing'),
  phase: 'measuring',
  elapsedUs: 12_000_000,
  doneByArm: [600, 598],
  done: 1_198,
  failed: 3,
  inFlight: 4,
}
const extent: Extent = { arms: ['gateway', 'direct'], durationMs: 48_000 }

function margin(blocks: number, high: number, more: Partial<LiveMargin> = {}): LiveMargin {
  return {
    ...{ metric: 'overhead.p99', source: 'by stamps', limit: 7, unit: 'ms', blocks, value: 2.4, low: 2.1, high },
    ...{ verdict: 'inconclusive', why: 'too few blocks' },
    later: { blocks: 12, verdict: 'pass' },
    ...more,
  }
}

/** Of a margin that no block of the run decides. */
const NEVER = { later: undefined } as const

const second = (number: number, gateway: number | null, direct: number | null) => ({
  ...{ second: number, sent: 100, done: 99, p50Us: gateway, p99Us: gateway },
  byArm: [gateway, direct].map((us) => ({ p50Us: us, p99Us: us === null ? null : us * 2 })),
})

const view: LiveView = {
  asked: { mode: 'open', level: 100 },
  keptRate: 99.8,
  seconds: Array.from({ length: 12 }, (_, i) =>
    i % 2 === 0 ? second(i, 10_000 + 500 * i, null) : second(i, null, 8_000),
  ),
  failures: [{ KT_TIMEOUT: 2, KT_HTTP_5XX: 1 }, {}],
  closing: [
    margin(1, Number.POSITIVE_INFINITY),
    margin(2, 9.8),
    margin(3, 8.1),
    margin(4, 6.2),
    margin(5, 5.5, { value: 2.45 }),
  ],
  margins: [
    margin(5, 5.5),
    margin(5, 40, { metric: 'latency.p99', limit: 50, value: 31, low: 28, verdict: 'pass' }),
    {
      ...margin(5, 1, { metric: 'errors.rate', unit: 'share', limit: 0.01, value: 0.0025, low: 0 }),
      later: { blocks: 14, verdict: 'pass' },
    },
  ],
  blocks: 20,
  blockMs: 2_400,
  analyses: [],
}

const lines = (state: LiveView, width: number, height: number, of = extent, notes: string[] = []): string[] =>
  liveLines(state, progress, of, { width, height }, none, notes)

describe('two arms against a budget', () => {
  it('at 80x24', () => {
    const note = 'After 10 pairs of blocks: INCONCLUSIVE, on to 20.'
    expect(lines(view, 80, 24, extent, [note])).toEqual([
      'gateway and direct                                               12 s, 36 s left',
      '██████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  25 %',
      '',
      'load     100/s asked   99.8/s kept   4 in flight   1,198 done',
      'failed   gateway: KT_TIMEOUT 2, KT_HTTP_5XX 1',
      '',
      'latency, ms           a column is 1 s; full height P50 to 15.0, P99 to 30.0',
      'gateway P50    15.0   ▅ ▆ ▆ ▇ ▇ █ ',
      '        P99    30.0   ▅ ▆ ▆ ▇ ▇ █ ',
      'direct  P50    8.00    ▄ ▄ ▄ ▄ ▄ ▄',
      '        P99    16.0    ▄ ▄ ▄ ▄ ▄ ▄',
      '',
      'overhead.p99, ms, against 7 ms  by stamps, 95 % interval after each pair',
      'pair 1      2.40 [2.10, ?]                  ╶●──────────────────╂──────────────→',
      'pair 2      2.40 [2.10, 9.80]               ╶●──────────────────╂───────────╴   ',
      'pair 3      2.40 [2.10, 8.10]               ╶●──────────────────╂────╴          ',
      'pair 4      2.40 [2.10, 6.20]               ╶●───────────────╴  ┃               ',
      'pair 5      2.45 [2.10, 5.50]               ╶●────────────╴     ┃               ',
      '                                   0                          7 ms          10.5',
      'no verdict yet: PASS after pair 12 of 20, in about 17 s, if it stays so',
      'latency.p99  31.0 [28.0, 40.0] against 50 ms: PASS',
      'errors.rate  0.25 % [0 %, 100 %] against 1 %: no verdict yet, PASS after 14',
      note,
    ])
  })

  it('at 120x40 has higher bars, on one scale for both arms', () => {
    const high = lines(view, 120, 40)
    const rows = high.findIndex((line) => line.startsWith('latency'))
    expect(high.slice(rows + 1, rows + 5)).toEqual([
      '                          ▂ ▄ ▆ █ ',
      '                      ▅ ▇ █ █ █ █ ',
      '                      █ █ █ █ █ █ ',
      'gateway P50    15.0   █ █ █ █ █ █ ',
    ])
    expect(high).toContain('direct  P50    8.00    █ █ █ █ █ █')
    expect(high.filter((line) => line.startsWith('pair '))).toHaveLength(5)
  })

  it('on the smallest screen keeps the newest of the interval, and its verdict', () => {
    const low = lines(view, 60, 18)
    expect(low.filter((line) => line.startsWith('pair ')).map((line) => line.slice(0, 7).trim())).toEqual([
      'pair 3',
      'pair 4',
      'pair 5',
    ])
    expect(low.at(-1)).toBe('no verdict yet: PASS after pair 12 of 20, in about 17 s, if ')
  })
})

describe('the verdict', () => {
  const said = (more: Partial<LiveMargin>, state: Partial<LiveView> = {}): string | undefined => {
    const now = margin(5, 5.5, more)
    return lines({ ...view, margins: [now], closing: [now], ...state }, 120, 24).at(-1)
  }

  it.each<[string, Partial<LiveMargin>, Partial<LiveView>, string]>([
    ['that is there', { verdict: 'pass', why: '0 % over' }, {}, 'PASS by now: 0 % over'],
    ['at an analysis', {}, { analyses: [10, 20] }, 'PASS after pair 20 of 20, in about 36 s, if it stays so'],
    [
      'that is due',
      { later: { blocks: 5, verdict: 'fail' } },
      {},
      'FAIL after pair 5 of 20, any moment, if it stays so',
    ],
    [
      'that does not come',
      { ...NEVER, requestsNeeded: 3_400 },
      {},
      'not in this run, but in about 3,400 requests on each arm',
    ],
    ['at the limit', { ...NEVER, why: 'between 6 and 8 ms' }, {}, 'not in this run: between 6 and 8 ms'],
    ['without a limit', { limit: null }, {}, 'no limit was given: nothing is judged'],
  ])('%s', (_name, more, state, words) => {
    expect(said(more, state)).toContain(words)
  })
})

it('a closed loop of one arm tells what it answers, and by which block', () => {
  const one: Extent = { arms: ['target'], requests: 4_000 }
  const now = margin(5, 0.01, { metric: 'errors.rate', unit: 'share', limit: 0.02, value: 0.002, low: 0 })
  const state: LiveView = {
    ...{ ...view, asked: { mode: 'closed', level: 4 }, keptRate: undefined },
    ...{ failures: [{}], margins: [now], closing: [now] },
  }
  const shown = lines(state, 80, 24, one)
  expect(shown[3]).toBe('load     4 in flight asked   4 in flight   99/s answered   1,198 done')
  expect(shown[4]).toBe('failed   none')
  expect(shown).toContain('errors.rate, against 2 %  by stamps, 95 % interval after each block')
  expect(shown.some((line) => line.startsWith('block 5    0.2 % [0 %, 1 %]'))).toBe(true)
})

it('a run of many seconds stands in columns of several, the highest P99 of each', () => {
  const seconds = Array.from({ length: 600 }, (_, i) => second(i, i === 300 ? 12_000 : 10_000, null))
  const shown = lines({ ...view, seconds }, 80, 24)
  expect(shown[6]).toContain('a column is 11 s; full height P50 to 10.0, P99 to 24.0')
  expect(shown[9]?.slice(22)).toMatch(/^▅{27}█▅{27}$/)
})

it('before it measures it says what it does', () => {
  const warm = { ...progress, phase: 'warm-up' as const }
  const [head = '', bar = ''] = liveLines({ ...view, seconds: [], closing: [], margins: [] }, warm, extent, SIZE, none)
  expect(head).toMatch(/^gateway and direct +warming up, 12 s$/)
  expect(bar).toMatch(/^░+ {3}0 %$/)
})

it('fits every size, with colours and without, whatever it shows', () => {
  const sizes = fc.record({ width: fc.integer({ min: 60, max: 200 }), height: fc.integer({ min: 16, max: 60 }) })
  const figure = fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY))
  const states = fc.record({
    seconds: fc.array(fc.tuple(fc.option(fc.nat(1e8)), fc.option(fc.nat(1e8))), { maxLength: 300 }),
    closing: fc.array(fc.tuple(figure, figure, fc.boolean()), { maxLength: 90 }),
    arms: fc.constantFrom(['gateway', 'direct'], ['target'], []),
    notes: fc.array(fc.constantFrom('a note', 'a long note '.repeat(20)), { maxLength: 5 }),
    level: fc.integer({ min: 0, max: 1 }),
  })
  fc.assert(
    fc.property(sizes, states, ({ width, height }, { seconds, closing, arms, notes, level }) => {
      const state: LiveView = {
        ...view,
        seconds: seconds.map(([gateway, direct], i) => second(i, gateway, direct)),
        closing: closing.map(([low, high, limited], i) => margin(i + 1, high, { low, limit: limited ? 7 : null })),
      }
      const c = new Chalk({ level: level === 0 ? 0 : 1 })
      const shown = liveLines(state, progress, { ...extent, arms }, { width, height }, c, notes)
      expect(shown.length).toBeLessThanOrEqual(height)
      expect(shown.filter((line) => stringWidth(line) > width)).toEqual([])
      if (level === 0) expect(shown.map((line) => stripVTControlCharacters(line))).toEqual(shown)
    }),
  )
})
