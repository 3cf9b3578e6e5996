// Memory and latency over hours: constructed reports whose slopes are known.
import { describe, expect, test } from 'vitest'
import { ending } from '../../src/output/bench-ending.ts'
import { soakLines } from '../../src/output/soak-lines.ts'
import { makePage } from '../../src/output/table.ts'
import { benchDocument } from '../../src/page/bench-document.ts'
import { plotsOf } from '../../src/page/document.ts'
import { writeHistogram } from '../../src/report/histogram-text.ts'
import { readReport, readRun } from '../../src/report/read.ts'
import { primaryRun, splitReport } from '../../src/report/runs.ts'
import { type BenchReport, benchReportSchema } from '../../src/report/schema.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { normal, randomFrom } from '../../src/stats/random.ts'
import { judgeSoak } from '../../src/verdict/soak.ts'

const MB = 1024 ** 2
const HOUR = 3_600
const report = readReport('fixtures/reports/paired.json')
const [gateway] = report.arms
const second = { sent: 100, done: 100, failed: 0, inFlight: 2, p50: 20, p99: 30 }
const block = { sent: 100, outcomes: {}, overhead: {} }

interface Given {
  lengthS: number
  /** In MB, at a second. */
  memory?: (atS: number) => number
  /** Milliseconds of the request of this number from 0 to 1, at a second. */
  latency?: (atS: number, share: number) => number
  blocks?: number
  requests?: number
}

function soakOf({ lengthS, memory, latency = () => 20, blocks = 20, requests = 200 }: Given, load = report.load) {
  const series = Array.from({ length: lengthS }, (_, at) => ({ ...second, second: at }))
  const everyS = Math.ceil(lengthS / 3_600)
  const at = Array.from({ length: Math.floor(lengthS / everyS) }, (_, index) => index * everyS)
  const readings = at.map((atS) => ({ second: atS, cpuPercent: 5, rssBytes: Math.round((memory?.(atS) ?? 0) * MB) }))
  const process = { name: 'gateway', pid: 7, endedAtS: null, everyS, readings }
  const made = Array.from({ length: blocks }, (_, index) => {
    const startedAtS = (index * lengthS) / blocks
    const histogram = new Histogram()
    for (let i = 0; i < requests; i++) histogram.record(Math.round(latency(startedAtS, i / requests) * 1_000))
    return { ...block, index, startedAtS, latency: writeHistogram(histogram) }
  })
  const measured: BenchReport = {
    ...report,
    load,
    series,
    ...(memory ? { processes: [process] } : {}),
    arms: [{ ...gateway, blocks: made }],
  }
  const soak = judgeSoak(measured)
  return { soak, measured, trends: Object.fromEntries((soak?.trends ?? []).map((trend) => [trend.of, trend])) }
}

/** A saw tooth of 90 s, as collections of garbage make it, and noise. */
function garbage(seed: string): (atS: number) => number {
  const random = randomFrom(seed)
  return (atS) => 0.05 * (atS % 90) + 0.3 * normal(random)
}

describe('memory', () => {
  test('that leaks 12 MB an hour grows, by its slope, under the saw tooth of collections', () => {
    const noise = garbage('leak')
    const { memory } = soakOf({ lengthS: 2 * HOUR, memory: (atS) => 200 + (12 * atS) / HOUR + noise(atS) }).trends
    expect(memory).toMatchObject({ verdict: 'grows', why: null, name: 'gateway' })
    expect(memory?.perHour).toBeGreaterThan(11)
    expect(memory?.perHour).toBeLessThan(13)
    const [low, high] = memory?.perHour99 ?? [0, 0]
    expect(low).toBeLessThan(12)
    expect(high).toBeGreaterThan(12)
    expect(memory?.p).toBeLessThan(0.01)
    expect(memory?.perHourShare).toBeCloseTo(12 / 208, 2)
  })

  test('that grows for minutes and then stays is steady: nothing leaks', () => {
    const noise = garbage('settles')
    const settled = (atS: number) => 200 + 80 * (1 - Math.exp(-atS / 240)) + noise(atS)
    expect(soakOf({ lengthS: 2 * HOUR, memory: settled }).trends.memory).toMatchObject({ verdict: 'steady' })
  })

  test('that is still levelling off is not called a leak', () => {
    const random = randomFrom('levels')
    const levels = (atS: number) => 200 + 80 * (1 - Math.exp(-atS / 900)) + 18 * normal(random)
    expect(soakOf({ lengthS: 2 * HOUR, memory: levels }).trends.memory).toMatchObject({
      verdict: 'cannot-tell',
      why: 'it grew and levels off: a longer run tells',
    })
  })

  test('whose leak is proven and does not matter is steady, and one that is given back falls', () => {
    const slow = soakOf({ lengthS: 2 * HOUR, memory: (atS) => 200 + (0.5 * atS) / HOUR }).trends.memory
    expect(slow).toMatchObject({ verdict: 'steady', perHour: 0.5 })
    const falling = soakOf({ lengthS: 2 * HOUR, memory: (atS) => 200 - (20 * atS) / HOUR }).trends.memory
    expect(falling).toMatchObject({ verdict: 'falls', perHour: -20 })
  })

  test('that wanders too much for the time cannot be told', () => {
    const random = randomFrom('wander')
    let level = 0
    const memory = () => {
      level = 0.9 * level + normal(random)
      return 200 + level
    }
    const trend = soakOf({ lengthS: HOUR / 2, memory }).trends.memory
    expect(trend).toMatchObject({ verdict: 'cannot-tell', why: 'its interval is too wide: a longer run tells' })
  })

  test('that fills its pools smoothly has no interval, and cannot be told', () => {
    const filling = soakOf({ lengthS: HOUR / 2, memory: (atS) => 102 - 6.5 * Math.exp(-atS / 1_200) }).trends.memory
    expect(filling).toMatchObject({ verdict: 'cannot-tell', perHour99: null })
    expect(filling?.why).toBe('too few of its values are independent: a longer run tells')
  })

  test('of a day, whose readings are far apart, is judged in sixty windows', () => {
    const { memory } = soakOf({ lengthS: 24 * HOUR, memory: (atS) => 100 + (3 * atS) / HOUR }).trends
    expect(memory).toMatchObject({ verdict: 'grows', perHour: 3, values: 60 })
  })
})

describe('latency', () => {
  const tail = (share: number): number => (share < 0.95 ? 20 + share : 60)

  test('whose tail drifts grows at P99 and is steady at P50', () => {
    const drift = (atS: number, share: number) => tail(share) + (share < 0.95 ? 0 : (15 * atS) / HOUR)
    const { p50, p99 } = soakOf({ lengthS: 2 * HOUR, latency: drift }).trends
    expect(p50).toMatchObject({ verdict: 'steady', name: gateway.name })
    expect(p99).toMatchObject({ verdict: 'grows' })
    expect(p99?.perHour).toBeGreaterThan(14.5)
    expect(p99?.perHour).toBeLessThan(15.5)
    expect(p99?.perHourShare).toBeCloseTo(15 / 67.5, 2)
  })

  test('of few blocks, or of blocks without a P99, cannot be told', () => {
    const few = soakOf({ lengthS: HOUR, blocks: 10 }).trends
    expect(few.p50).toMatchObject({ verdict: 'cannot-tell', line: null, values: 7 })
    const { p50, p99 } = soakOf({ lengthS: HOUR, requests: 60 }).trends
    expect(p50).toMatchObject({ verdict: 'steady', perHour: 0 })
    expect(p99).toMatchObject({
      verdict: 'cannot-tell',
      why: 'it takes 10 blocks of 100 requests, and 0 are there to judge',
    })
  })

  test('of a load that changes by itself is not judged', () => {
    const load = { ...report.load, stages: [{ from: 1, to: 2, durationS: HOUR }] }
    expect(soakOf({ lengthS: HOUR, memory: () => 100 }, load).soak?.trends.map(({ of }) => of)).toEqual(['memory'])
  })
})

describe('false alarms', () => {
  test('a gateway that stands is called growing or falling in few of 200 runs', () => {
    const called = Array.from({ length: 200 }, (_, seed) => {
      const random = randomFrom(`soak/${seed}`)
      let state = normal(random)
      // By block, as a shared machine has it: 12 %, each block telling of the next.
      const latency = (_atS: number, share: number) => {
        if (share === 0) state = 0.6 * state + 0.8 * normal(random)
        return 20 * (1 + 0.12 * state)
      }
      return soakOf({ lengthS: HOUR, latency, requests: 10 }).trends.p50?.verdict
    }).filter((verdict) => verdict === 'grows' || verdict === 'falls')
    expect(called.length).toBeLessThanOrEqual(8)
  })
})

test('a report that is taken apart keeps the drift of its own arm, and all memory', () => {
  const trend = { values: 0, line: null, perHour: null, perHour99: null, perHourShare: null, p: null, why: 'few' }
  const rows = [
    { ...trend, of: 'memory' as const, name: 'server', verdict: 'cannot-tell' as const },
    ...report.arms.map(({ name }) => ({ ...trend, of: 'p50' as const, name, verdict: 'cannot-tell' as const })),
  ]
  const apart = splitReport({ ...report, soak: { leftOutS: 450, trends: rows } })
  const names = (one: BenchReport | undefined) => one?.soak?.trends.map(({ name }) => name)
  expect(names(apart?.gateway)).toEqual(['server', gateway.name])
  expect(names(apart?.baseline)).toEqual(['server', report.arms[1]?.name])
})

describe('a report', () => {
  const leaking = { memory: (atS: number) => 200 + (12 * atS) / HOUR }

  test('of under half an hour is too short to tell, in words where memory was watched', () => {
    const { soak, measured } = soakOf({ lengthS: HOUR / 2 - 1, ...leaking })
    expect(soak).toBeUndefined()
    expect(soakLines(measured)).toMatchObject([{ name: 'Soak', warn: false }])
    expect(soakLines(measured)[0]?.text).toBe(
      'too short to tell whether memory or latency grows: a run of 30 min tells',
    )
    expect(soakLines({})).toEqual([])
  })

  test('carries its trends through the schema, and tells what grows without being asked', () => {
    const { soak, measured } = soakOf({ lengthS: HOUR, ...leaking })
    expect(benchReportSchema.parse({ ...measured, soak }).soak).toEqual(soak)
    const lines = soakLines({ ...measured, ...(soak ? { soak } : {}) })
    expect(lines.map(({ warn }) => warn)).toEqual([true, false, false])
    expect(lines[0]?.text).toMatch(
      /^memory of gateway: GROWS, \+12\.0 MiB an hour \[\+12\.0, \+12\.0\], \+5\.91 %; 203 to 212 MiB in 44 min$/,
    )
    expect(lines[1]?.text).toContain(`P50 of ${gateway.name}: STEADY, 0.000 ms an hour`)
  })

  test('says below the answer what grows, and with --explain the rest', () => {
    const { soak, measured } = soakOf({ lengthS: HOUR, ...leaking })
    const run = { ...primaryRun(measured), ...(soak ? { soak } : {}) }
    const [short, long] = [false, true].map((explain) => ending(run, null, false, makePage(200, false, explain)))
    expect(short).toContain('Soak  memory of gateway: GROWS, +12.0 MiB an hour')
    expect(short).not.toContain('STEADY')
    expect(long?.match(/^Soak .*STEADY/gm)).toHaveLength(2)
  })

  test('has a table of the verdicts on its page, and the fitted line in the panel of memory', () => {
    const { soak, measured } = soakOf({ lengthS: HOUR, ...leaking })
    const run = { ...readRun('fixtures/reports/paired.json'), series: measured.series }
    const page = benchDocument({ ...run, processes: measured.processes ?? [], ...(soak ? { soak } : {}) })
    const section = page.sections.find(({ title }) => title === 'Soak')
    const rows = section?.tables?.[0]?.table.rows ?? []
    expect(rows.map(([what, verdict]) => [what, verdict])).toEqual([
      ['memory of gateway', 'GROWS'],
      [`P50 of ${gateway.name}`, 'STEADY'],
      [`P99 of ${gateway.name}`, 'STEADY'],
    ])
    expect(rows[0]?.[2]).toEqual({ value: soak?.trends[0]?.perHour, text: '+12.0 MiB' })
    const memory = plotsOf(page)
      .find(({ id }) => id === 'timeline')
      ?.panels.find(({ y }) => y.name === 'memory')
    const [read, trend] = memory?.series.map((series) => ('points' in series ? series.points : [])) ?? []
    const fitted = trend?.filter(([, value]) => value !== null) ?? []
    expect(fitted.length).toBeGreaterThan(100)
    for (const [at, value] of fitted) {
      const measuredThere = read?.find(([x]) => x === at)?.[1] ?? 0
      expect(Math.abs((value ?? 0) - measuredThere)).toBeLessThan(MB)
    }
  })
})
