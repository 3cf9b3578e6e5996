/**
 * Reads a server's metrics page every few seconds while a run is measured: `--scrape gateway=http://127.0.0.1:9090`.
 * It runs on the main thread, which sends nothing. A page that cannot be read is counted and said, and never ends the
 * run.
 */
import { failure, type Result } from '../errors.ts'
import { MOST_SCRAPED_READINGS, MOST_SERIES, type ScrapedTarget } from '../report/watch-schema.ts'
import { now } from '../system/clock.ts'
import { plainReason } from '../wire/connection-errors.ts'
import { parseExposition, type Sample, seriesKey } from './exposition.ts'
import { Readings } from './readings.ts'
import { Ticker } from './ticker.ts'

export interface ScrapeOptions {
  name: string
  url: URL
  everyS: number
  /** Names of metrics, where a `*` stands for any text; none: all but the buckets of histograms. */
  metrics: readonly string[]
  note(line: string): void
}

interface Series extends Pick<Sample, 'name' | 'labels' | 'cumulative'> {
  /** Its place in the values of a reading. */
  index: number
}

interface Reading {
  atUs: number
  /** By the index of a series. */
  values: number[]
}

const ACCEPT = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5'
const MOST_BYTES = 4_000_000
/** What client libraries tell of every program. */
const OF_RUNTIME = /^(?:process|nodejs|go|python|jvm|dotnet|promhttp|scrape)_/
const LONGEST_MS = 10_000
/** What the run waits for at its end. */
const LAST_MS = 1_000
/** A rate over a shorter span says little. */
const SHORTEST_SPAN_S = 0.2

export class Scraper {
  readonly #options: ScrapeOptions
  readonly #chosen: (name: string) => boolean
  readonly #series = new Map<string, Series>()
  readonly #readings: Readings<Reading>
  readonly #ticker: Ticker
  /** From which the rates of the first reading count. */
  #base: Reading | undefined
  #leftOut = 0
  #scrapes = 0
  #failed = 0
  #error: string | null = null
  /** The one under way. */
  #last: Promise<void> | undefined

  constructor(options: ScrapeOptions) {
    this.#options = options
    this.#chosen = chooser(options.metrics)
    this.#readings = new Readings(options.everyS, MOST_SCRAPED_READINGS)
    this.#ticker = new Ticker(options.everyS, (second) => this.#start((reading) => this.#readings.add(second, reading)))
  }

  measuring(startUs: number): void {
    if (!this.#ticker.begin(startUs)) return
    this.#start((reading) => {
      this.#base = reading
    })
  }

  async end(): Promise<ScrapedTarget> {
    this.#ticker.end()
    const { elapsedS } = this.#ticker
    await this.#last
    if (elapsedS % this.#options.everyS >= SHORTEST_SPAN_S) {
      this.#start((reading) => this.#readings.addLast(Math.floor(elapsedS), reading), LAST_MS)
      await this.#last
    }
    const { name, url } = this.#options
    const { kept, everyS } = this.#readings
    return {
      name,
      url: url.origin + url.pathname,
      everyS,
      scrapes: this.#scrapes,
      failed: this.#failed,
      error: this.#error,
      leftOut: this.#leftOut,
      seconds: kept.map(({ second }) => second),
      series: [...this.#series.values()].map((series) => ({
        metric: series.name,
        labels: series.labels,
        kind: series.cumulative ? 'rate' : 'gauge',
        values: kept.map(({ value }, index) => {
          const before = kept[index - 1]?.value ?? this.#base
          return orNull(series.cumulative ? rate(series, before, value) : value.values[series.index])
        }),
      })),
    }
  }

  /** One at a time: a page that takes longer than the interval is read less often, which counts as a failure. */
  #start(keep: (reading: Reading) => void, withinMs = Math.min(this.#options.everyS * 1_000, LONGEST_MS)): void {
    this.#scrapes++
    if (this.#last) {
      this.#fail('the scrape before was still under way')
      return
    }
    const atUs = now()
    this.#last = readPage(this.#options.url, withinMs).then((page) => {
      this.#last = undefined
      if (page.ok) keep({ atUs, values: this.#take(page.value) })
      else this.#fail(page.why)
    })
  }

  #fail(why: string): void {
    this.#failed++
    if (this.#error !== null) return
    this.#error = why
    this.#options.note(`--scrape ${this.#options.name}: ${this.#error}. The run goes on without it.`)
  }

  #take(samples: readonly Sample[]): number[] {
    const values: number[] = []
    let leftOut = 0
    for (const sample of samples.filter(({ name }) => this.#chosen(name)).sort(ownFirst)) {
      const series = this.#seriesOf(sample)
      if (series) values[series.index] = sample.value
      else leftOut++
    }
    this.#leftOut = Math.max(this.#leftOut, leftOut)
    return values
  }

  /** Undefined where there are too many already. */
  #seriesOf({ name, labels, cumulative }: Sample): Series | undefined {
    const key = seriesKey({ name, labels })
    const known = this.#series.get(key)
    if (known || this.#series.size === MOST_SERIES) return known
    const series = { name, labels, cumulative, index: this.#series.size }
    this.#series.set(key, series)
    return series
  }
}

/** The samples of a page; why they cannot be had, otherwise. */
async function readPage(url: URL, withinMs: number): Promise<Result<Sample[]>> {
  try {
    const { request } = await import('undici')
    const signal = AbortSignal.timeout(withinMs)
    const { statusCode, headers, body } = await request(url, { headers: { accept: ACCEPT }, signal })
    const parts: Buffer[] = []
    let bytes = 0
    for await (const part of body as AsyncIterable<Buffer>) {
      bytes += part.length
      if (bytes > MOST_BYTES) return failure(`the page is larger than ${MOST_BYTES / 1e6} MB`)
      parts.push(part)
    }
    if (statusCode !== 200) return failure(`the page answered ${statusCode}`)
    const openMetrics = String(headers['content-type']).startsWith('application/openmetrics-text')
    return parseExposition(Buffer.concat(parts).toString('utf8'), openMetrics)
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') return failure(`no answer within ${withinMs} ms`)
    return failure(plainReason(error))
  }
}

function chooser(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.length === 0) return (name) => !/_(?:bucket|created)$/.test(name)
  const all = patterns.map((pattern) => `^${pattern.replaceAll('*', '.*')}$`).map((source) => new RegExp(source))
  return (name) => all.some((pattern) => pattern.test(name))
}

/** Where there are too many, a server's own metrics are kept before those of its runtime. */
function ownFirst(a: Sample, b: Sample): number {
  return Number(OF_RUNTIME.test(a.name)) - Number(OF_RUNTIME.test(b.name))
}

/** A second. A counter that fell began anew at 0, when its server did. */
function rate({ index }: Series, before: Reading | undefined, reading: Reading): number | undefined {
  const [from, to] = [before?.values[index], reading.values[index]]
  if (before === undefined || from === undefined || to === undefined) return undefined
  return Number((((to < from ? to : to - from) / (reading.atUs - before.atUs)) * 1e6).toPrecision(6))
}

function orNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value
}
