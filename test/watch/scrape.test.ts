// Pages of metrics of real servers, read on the seconds of a measurement.
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { MOST_SERIES, scrapedSchema } from '../../src/report/watch-schema.ts'
import { now } from '../../src/system/clock.ts'
import { listenAt } from '../../src/system/serve.ts'
import { Scraper } from '../../src/watch/scrape.ts'
import { messageOf } from '../support/refusal.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(answer: (response: ServerResponse, asked: number) => void): Promise<URL> {
  let asked = 0
  const server = createServer((_, response) => answer(response, asked++))
  const { authority } = await listenAt(server, 0, '127.0.0.1')
  closing.push(() => server.close().closeAllConnections())
  return new URL(`http://${authority}/metrics`)
}

async function scrape(url: URL, forMs: number, metrics: readonly string[] = []) {
  const notes: string[] = []
  const scraper = new Scraper({ name: 'gateway', url, everyS: 1, metrics, note: (line) => notes.push(line) })
  scraper.measuring(now())
  scraper.measuring(now())
  await sleep(forMs)
  return { ...scrapedSchema.parse(await scraper.end()), notes }
}

const seriesOf = ({ series }: { series: readonly { metric: string; values: (number | null)[] }[] }, metric: string) =>
  series.find((one) => one.metric === metric)

test('counters become rates, gauges stay what they are, buckets are left out', async () => {
  const startMs = performance.now()
  const url = await serve((response) => {
    const counted = ((performance.now() - startMs) / 1_000) * 50
    response.end(
      '# TYPE asked_total counter\n' +
        `asked_total{code="200"} ${counted}\n` +
        '# TYPE open gauge\nopen 12345678901\n' +
        '# TYPE took histogram\ntook_bucket{le="+Inf"} 4\ntook_sum 2\ntook_count 4\n',
    )
  })
  const told = await scrape(url, 2_500)
  expect(told).toMatchObject({ failed: 0, error: null, leftOut: 0, notes: [], url: url.href })
  expect(told.seconds).toEqual([0, 1, 2])
  expect(told.series.map(({ metric, kind }) => [metric, kind])).toEqual([
    ['asked_total', 'rate'],
    ['open', 'gauge'],
    ['took_sum', 'rate'],
    ['took_count', 'rate'],
  ])
  expect(told.series[0]?.labels).toEqual({ code: '200' })
  // What the server counts by its own clock and kt divides by its own: the same rate, but for the time on the way.
  for (const rate of seriesOf(told, 'asked_total')?.values ?? []) expect(rate).toBeGreaterThan(20)
  for (const rate of seriesOf(told, 'asked_total')?.values ?? []) expect(rate).toBeLessThan(120)
  expect(seriesOf(told, 'open')?.values).toEqual([12345678901, 12345678901, 12345678901])
  expect(seriesOf(told, 'took_sum')?.values).toEqual([0, 0, 0])
})

test('a counter that fell began anew; a reading that failed is a gap, is counted and told once', async () => {
  const url = await serve((response, asked) => {
    if (asked === 1) return response.writeHead(503).end('busy')
    if (asked === 2) return response.end('<html></html>')
    return response.end(`# TYPE asked counter\nasked ${asked === 0 ? 1_000 : 30}\n`)
  })
  const told = await scrape(url, 3_600)
  expect(told).toMatchObject({ scrapes: 5, failed: 2, error: 'the page answered 503' })
  expect(told.notes).toEqual(['--scrape gateway: the page answered 503. The run goes on without it.'])
  expect(told.seconds).toEqual([2, 3])
  const [first, second] = seriesOf(told, 'asked')?.values ?? []
  expect(first).toBeGreaterThan(5)
  expect(first).toBeLessThan(15)
  expect(second).toBe(0)
})

test('nobody there: the run has no series and a reason', async () => {
  const url = await serve((response) => response.end())
  for (const close of closing.splice(0)) close()
  const told = await scrape(url, 1_200)
  expect(told).toMatchObject({ series: [], seconds: [] })
  expect(told.failed).toBe(told.scrapes)
  expect(told.error).toContain('nothing listens at 127.0.0.1:')
})

test('so many series at most, those of the server itself before those of its runtime; patterns choose', async () => {
  const url = await serve((response) => {
    const many = Array.from({ length: 60 }, (_, index) => `go_thing{n="${index}"} 1\n`)
    response.end(`${many.join('')}own_thing 7\nother 1\n`)
  })
  const all = await scrape(url, 1_200)
  expect(all.series).toHaveLength(MOST_SERIES)
  expect(all.leftOut).toBe(62 - MOST_SERIES)
  expect(all.series[0]?.metric).toBe('own_thing')
  const chosen = await scrape(url, 1_200, ['own_*', 'oth*r'])
  expect(chosen.series.map(({ metric }) => metric)).toEqual(['own_thing', 'other'])
})

test.each([
  [{ scrape: ['gateway=no host'] }, 'is not a URL'],
  [{ scrape: ['a=http://h', 'a=http://i'] }, 'two of them have one name'],
  [{ scrape: ['http://user:secret@h/'] }, 'must not hold a user or password'],
  [{ scrape: ['http://h'], 'scrape-interval': '1500ms' }, 'must be whole seconds'],
  [{ scrape: ['http://h'], 'scrape-metrics': ['a{b'] }, 'must be the name of a metric'],
  [{ 'scrape-metrics': ['a*'] }, '--scrape-metrics chooses from what --scrape reads'],
])('%j is refused', (values, why) => {
  const message = messageOf(() => parseBenchOptions({ values }))
  expect(message).toContain(why)
  expect(message).not.toContain('secret')
})

test('the path of metrics is the usual one, the name that of the host; the query is not in the report', () => {
  const { watch, shown } = parseBenchOptions({ values: { scrape: ['127.0.0.1:9090', 'b=http://h:1/m?token=x'] } })
  expect(watch.scrape.map(({ name, url }) => [name, url.href])).toEqual([
    ['127.0.0.1:9090', 'http://127.0.0.1:9090/metrics'],
    ['b', 'http://h:1/m?token=x'],
  ])
  expect(shown.scrape).toEqual(['127.0.0.1:9090', 'b=http://h:1/m?***'])
})
