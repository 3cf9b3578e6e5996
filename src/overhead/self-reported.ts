/**
 * From what a gateway says of itself (adapters/) to readings of its overhead, under three names: `self-reported` is the gateway's own
 * figure, `upstream-reported` the client's time less the wait that the gateway reports, `provider-reported` the same less what the
 * provider says of itself. What cannot be is rejected, with the
 * rule's name: never clamped into a figure, never mixed.
 */
import type { RequestResult } from '../client/request-result.ts'
import { type EncodedHistogram, Histogram } from '../stats/histogram.ts'
import type { Reading } from './adapters/adapter.ts'
import { readStatement } from './adapters/index.ts'
import { readStats } from './stamped.ts'

/**
 * Whether a target that answers with stamps is the simulated provider itself: then what the stamps leave is the floor of the
 * instrument, and no gateway's overhead. Its control path answers only directly; a gateway passes on the API alone.
 */

const WITHIN_MS = 1_000

export function isProviderItself(origin: string): Promise<boolean> {
  return readStats(origin, WITHIN_MS).then(
    () => true,
    () => false,
  )
}

/**
 * Keeps what one arm's answers said of their gateway: each definition's readings over the run and by block, the components by
 * block, and how many figures were left out and why. O(1) an answer; plain data comes out.
 */

export interface ToldRecord {
  total: EncodedHistogram
  source: string
  note: string
}

export interface SelfReportRecord {
  /** '' when nothing named a gateway. */
  gateway: string
  /** Only headers that a provider may have sent itself name it. */
  unsure: boolean
  caveat: string
  told: Partial<Record<Told, ToldRecord>>
  /** Rule -> figures left out by it. */
  rejected: Record<string, number>
}

interface LiveTold {
  total: Histogram
  source: string
  note: string
}

/** Where one block keeps its readings, and what of them each component took. */
export interface ToldBlock {
  told: Partial<Record<Told, Histogram>>
  components: Record<string, Histogram>
}

export class SelfReportTally {
  #gateway = ''
  #unsure = false
  #caveat = ''
  readonly #told: Partial<Record<Told, LiveTold>> = {}
  readonly #rejected: Record<string, number> = {}

  /** Takes one answer; gives back the gateway's own figure in microseconds where it has a usable one. */
  record(answer: RequestResult, stream: boolean, block: ToldBlock): number | undefined {
    const report = readSelfReport(answer, stream)
    if (!report) return undefined
    if (report.gateway !== '') this.#gateway = report.gateway
    this.#unsure = report.unsure
    if (report.caveat !== '') this.#caveat = report.caveat
    for (const rule of report.rejected) this.#rejected[rule] = (this.#rejected[rule] ?? 0) + 1
    let ownUs: number | undefined
    for (const { definition, us, source, note } of report.readings) {
      let told = this.#told[definition]
      if (!told) {
        told = { total: new Histogram(), source, note }
        this.#told[definition] = told
      }
      told.source = source
      told.note = note
      told.total.record(us)
      recordIn(block.told, definition, us)
      if (definition === 'self-reported') ownUs = us
    }
    for (const name in report.componentsUs) recordIn(block.components, name, report.componentsUs[name] ?? 0)
    return ownUs
  }

  toRecord(): SelfReportRecord {
    const told = Object.entries(this.#told).map(([definition, { total, source, note }]) => {
      return [definition, { total: total.encode(), source, note }]
    })
    return {
      gateway: this.#gateway,
      unsure: this.#unsure,
      caveat: this.#caveat,
      told: Object.fromEntries(told),
      rejected: this.#rejected,
    }
  }
}

function recordIn<K extends string>(block: Partial<Record<K, Histogram>>, name: K, us: number): void {
  let values = block[name]
  if (!values) {
    values = new Histogram()
    block[name] = values
  }
  values.record(us)
}

/** In the order in which a report has them. */
export const TOLD = ['self-reported', 'upstream-reported', 'provider-reported'] as const

export type Told = (typeof TOLD)[number]

interface ToldReading {
  definition: Told
  us: number
  source: string
  note: string
}

export interface SelfReport {
  gateway: string
  unsure: boolean
  caveat: string
  readings: ToldReading[]
  componentsUs: Record<string, number>
  /** Rules that were broken, one for each figure left out. */
  rejected: string[]
}

const NONE: Record<string, number> = {}

const STREAM_NOTE = '; of a stream, only up to the headers'

type Watched = Pick<RequestResult, 'headers' | 'trailers' | 'sentUs' | 'headersUs' | 'endUs'>

export function readSelfReport(answer: Watched, stream: boolean): SelfReport | undefined {
  const tookUs = answer.endUs - answer.sentUs
  const statement = readStatement(answer.headers, answer.trailers, tookUs)
  if (!statement) return undefined
  const { gateway, unsure = false, caveat = '', unusable, componentsUs = NONE } = statement
  if (unusable !== undefined) return { gateway, unsure, caveat, readings: [], componentsUs: NONE, rejected: [unusable] }
  const report: SelfReport = { gateway, unsure, caveat, readings: [], componentsUs, rejected: [] }
  if (statement.overhead) takeOwn(report, statement.overhead, tookUs)
  // The wait ends with the upstream's headers: what a stream takes after its own is no one's overhead.
  const untilUs = stream ? answer.headersUs - answer.sentUs : tookUs
  const wait = (definition: Told, reading: Reading): void => takeWait(report, definition, reading, untilUs, stream)
  if (statement.upstream) wait('upstream-reported', statement.upstream)
  if (statement.provider) wait('provider-reported', statement.provider)
  if (!report.readings.some(({ definition }) => definition === 'self-reported')) report.componentsUs = NONE
  else if (Object.values(componentsUs).some((us) => !(us >= 0 && us <= tookUs))) {
    report.componentsUs = NONE
    report.rejected.push('a component below zero or above the time of the whole request')
  }
  return report
}

function takeOwn(report: SelfReport, { us, source, note }: Reading, tookUs: number): void {
  const wrong = Number.isNaN(us)
    ? 'not a number'
    : us < 0
      ? 'below zero'
      : us > tookUs
        ? "above the client's own time"
        : undefined
  if (wrong !== undefined) report.rejected.push(`${source} ${wrong}`)
  else report.readings.push({ definition: 'self-reported', us, source, note })
}

function takeWait(report: SelfReport, definition: Told, reading: Reading, untilUs: number, stream: boolean): void {
  const { us, source, note, resolutionUs } = reading
  const leftUs = untilUs - us
  if (Number.isNaN(us)) report.rejected.push(`${source} not a number`)
  else if (us < 0) report.rejected.push(`${source} below zero`)
  // A wait given in whole milliseconds may be rounded up by one.
  else if (leftUs < -resolutionUs) report.rejected.push(`${source} above the client's own time`)
  else if (!Number.isNaN(leftUs)) {
    report.readings.push({
      definition,
      us: Math.max(0, leftUs),
      source: `${stream ? 'time to headers' : 'client time'} less ${source}`,
      note: stream ? note + STREAM_NOTE : note,
    })
  }
}
