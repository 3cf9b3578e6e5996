// What was watched beside a run, in words and on the timeline of its page.
import { describe, expect, test } from 'vitest'
import { watchLines } from '../../src/output/watch-lines.ts'
import { benchDocument } from '../../src/page/bench-document.ts'
import { plotsOf, renderPage } from '../../src/page/render.ts'
import { readRun } from '../../src/report/read.ts'

const run = readRun('fixtures/reports/paired.json')
const seconds = run.series.map(({ second }) => second)
const readings = seconds.map((second) => ({ second, cpuPercent: 10.5 + second, rssBytes: 1_000_000 + second }))
const gateway = { name: 'gateway', pid: 12, endedAtS: null, everyS: 1, readings }
const provider = { ...gateway, name: 'provider', pid: 13, endedAtS: 1.5, readings: readings.slice(0, 1) }
const watched = { ...run, processes: [gateway, provider] }

describe('processes', () => {
  test('are lines of the timeline, second by second, with a gap where one was gone', () => {
    const [timeline] = plotsOf(benchDocument(watched)).filter(({ id }) => id === 'timeline')
    const [cpu, memory] = timeline?.panels.slice(-2) ?? []
    expect([cpu?.y.name, memory?.y.name]).toEqual(['CPU (% of a core)', 'memory'])
    expect(cpu?.series.map(({ name }) => name)).toEqual(['gateway', 'provider'])
    const [own, other] = cpu?.series ?? []
    expect(own).toMatchObject({ points: readings.map(({ second, cpuPercent }) => [second, cpuPercent]) })
    expect(other).toMatchObject({ points: seconds.map((second) => [second, second === 0 ? 10.5 : null]) })
  })

  test('are columns of its table, with the numbers of the report', () => {
    const [timeline] = plotsOf(benchDocument(watched)).filter(({ id }) => id === 'timeline')
    const { head = [], rows = [] } = timeline?.table ?? {}
    const column = head.indexOf('gateway memory')
    expect(rows.map((row) => row[column])).toMatchObject(readings.map(({ rssBytes }) => ({ value: rssBytes })))
    expect(rows.every((row) => row.length === head.length)).toBe(true)
    const page = renderPage([benchDocument(watched)], 'export {}')
    for (const { cpuPercent } of readings) expect(page).toContain(`data-value="${cpuPercent}"`)
  })

  test('are told in a line each; one that ended warns', () => {
    const [first, second] = watchLines(watched)
    const mean = readings.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0) / readings.length
    expect(first?.text).toContain(`gateway (12): CPU ${Math.round(mean)} % of a core`)
    expect(first?.warn).toBe(false)
    expect(second?.text).toMatch(/^provider \(13\): CPU 1[01] % .*; it ended during the run, after 1\.5 s$/)
    expect(second?.warn).toBe(true)
  })
})
