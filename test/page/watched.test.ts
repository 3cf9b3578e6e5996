// What was watched beside a run, in words and on the timeline of its page.
import { describe, expect, test } from 'vitest'
import { watchLines } from '../../src/output/watch-lines.ts'
import { benchDocument } from '../../src/page/bench-document.ts'
import { plotsOf } from '../../src/page/document.ts'
import { renderPage } from '../../src/page/render.ts'
import { drawSvg } from '../../src/plots/engine.ts'
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

describe('what a server told', () => {
  const many = Array.from({ length: 9 }, (_, index) => ({
    metric: 'kt_pool_connections',
    labels: { state: `s${index}` },
    kind: 'gauge' as const,
    values: seconds.map((second) => second * 10 + index),
  }))
  const requests = { metric: 'kt_requests_total', labels: {}, kind: 'rate' as const }
  const target = {
    name: 'gateway',
    url: 'http://127.0.0.1:9090/metrics',
    everyS: 1,
    scrapes: seconds.length + 1,
    failed: 1,
    error: 'the page answered 503',
    leftOut: 3,
    seconds,
    series: [{ ...requests, values: seconds.map((second) => (second === 1 ? null : 40.5 + second)) }, ...many],
  }
  const [plot] = plotsOf(benchDocument({ ...run, scraped: [target] })).filter(({ id }) => id === 'scraped-1')

  test('is a plot on the seconds of the run, a panel a metric, with the numbers of the report', () => {
    expect(plot?.panels.map(({ y, series }) => [y.name, series.length])).toEqual([
      ['kt_requests_total a second', 1],
      ['kt_pool_connections', 8],
    ])
    expect(plot?.panels[0]?.series[0]).toMatchObject({
      points: target.series[0]?.values.map((value, second) => [second, value]),
    })
    expect(plot?.x.max).toBe(seconds.at(-1))
    const { head = [], rows = [] } = plot?.table ?? {}
    const column = head.indexOf('kt_pool_connections{state="s7"}')
    expect(rows.map((row) => row[column])).toMatchObject(seconds.map((second) => ({ value: second * 10 + 7 })))
  })

  test('says once what all series have, and names each line by the rest, in one colour', () => {
    const of = (metric: string, code: string, index: number) => ({
      metric,
      labels: { job: 'gateway', code },
      kind: 'gauge' as const,
      values: seconds.map((second) => second + index),
    })
    const series = [of('open', '200', 0), of('asked', '404', 1), of('asked', '200', 2), of('answered', '200', 3)]
    const both = benchDocument({ ...run, scraped: [{ ...target, series: [...series, of('answered', '500', 4)] }] })
    const [told] = plotsOf(both).filter(({ id }) => id === 'scraped-1')
    expect(told?.says).toContain('All have job="gateway".')
    expect(told?.panels.map((panel) => panel.series.map(({ name, color }) => [name, color]))).toEqual([
      [['code="200"', 1]],
      [
        ['code="404"', 0],
        ['code="200"', 1],
      ],
      [
        ['code="200"', 1],
        ['code="500"', 4],
      ],
    ])
    expect(told?.table.head).toEqual([
      'second',
      ...['open{code="200"}', 'asked{code="404"}', 'asked{code="200"}'],
      ...['answered{code="200"}', 'answered{code="500"}'],
    ])
  })

  test('has a legend for lines that share a panel, and none for a line that is named by its axis', () => {
    if (!plot) throw new Error('the target has a plot')
    const drawing = drawSvg(plot, 360)
    expect(drawing.match(/>kt_requests_total a second</g)).toHaveLength(1)
    expect(drawing).toContain('>state=&quot;s7&quot;<')
  })

  test('says what is not in it', () => {
    expect(plot?.says).toContain('1 more series in the report.')
    expect(plot?.says).toContain('3 series left out')
    expect(plot?.says).toContain('1 reading failed, the first time: the page answered 503.')
    const [line] = watchLines({ scraped: [target] })
    expect(line).toMatchObject({ name: 'Scraped', warn: true })
    expect(line?.text).toContain(`10 series of ${target.url}; 3 series left out`)
  })
})
