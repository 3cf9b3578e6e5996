/**
 * From what a gateway reports of itself (adapters/) to readings of its overhead, under three definitions:
 * `self-reported` is the gateway's own figure, `upstream-reported` the client's time less the wait that the gateway
 * reports, `provider-reported` the client's time less what the provider reports of itself. An impossible figure is
 * rejected under the name of its rule, never clamped.
 */
import type { RequestResult } from '../client/request-result.ts'
import { Histogram, type PackedHistogram } from '../stats/histogram.ts'
import type { Coarseness, Reading } from './adapters/adapter.ts'
import { readStatement } from './adapters/index.ts'

/** The definitions in the order of a report. */
export const SELF_REPORTED_DEFINITIONS = ['self-reported', 'upstream-reported', 'provider-reported'] as const

export type SelfReportedDefinition = (typeof SELF_REPORTED_DEFINITIONS)[number]

export interface SelfReportedReadings extends Coarseness {
  total: PackedHistogram
  source: string
  note: string
}

export interface SelfReportedRecord {
  /** '' when no answer names a gateway. */
  gateway: string
  /** True when only headers that a provider may have sent itself name the gateway. */
  unsure: boolean
  caveat: string
  readings: Partial<Record<SelfReportedDefinition, SelfReportedReadings>>
  /** Rule -> number of figures that it excluded. */
  rejected: Record<string, number>
}

interface LiveReadings extends Coarseness {
  total: Histogram
  source: string
  note: string
}

/** The readings of one block by definition, and those of each component. */
export interface SelfReportedBlock {
  selfReported: Partial<Record<SelfReportedDefinition, Histogram>>
  components: Record<string, Histogram>
}

/**
 * Records what the answers of one arm report of their gateway: the readings of each definition over the run and by
 * block, the components by block, and how many figures were excluded and why. Recording is O(1) an answer; `toRecord`
 * gives plain data.
 */
export class SelfReportedRecorder {
  #gateway = ''
  #unsure = false
  #caveat = ''
  readonly #readings: Partial<Record<SelfReportedDefinition, LiveReadings>> = {}
  readonly #rejected: Record<string, number> = {}

  /** Records one answer. Returns the gateway's own figure in microseconds where the answer has a usable one. */
  record(answer: RequestResult, stream: boolean, block: SelfReportedBlock): number | undefined {
    const report = readSelfReported(answer, stream)
    if (!report) return undefined
    if (report.gateway !== '') this.#gateway = report.gateway
    this.#unsure = report.unsure
    if (report.caveat !== '') this.#caveat = report.caveat
    for (const rule of report.rejected) this.#rejected[rule] = (this.#rejected[rule] ?? 0) + 1
    let ownUs: number | undefined
    for (const { definition, us, source, note, resolutionUs, centreUs } of report.readings) {
      let readings = this.#readings[definition]
      if (!readings) {
        readings = { total: new Histogram(), source, note, resolutionUs, centreUs }
        this.#readings[definition] = readings
      }
      // A figure that happens to be whole says nothing of the others.
      if (resolutionUs < readings.resolutionUs) {
        readings.resolutionUs = resolutionUs
        readings.centreUs = centreUs
      }
      readings.source = source
      readings.note = note
      readings.total.record(us)
      recordIn(block.selfReported, definition, us)
      if (definition === 'self-reported') ownUs = us
    }
    for (const name in report.componentsUs) recordIn(block.components, name, report.componentsUs[name] ?? 0)
    return ownUs
  }

  toRecord(): SelfReportedRecord {
    const readings = Object.entries(this.#readings).map(([definition, { total, ...rest }]) => {
      return [definition, { ...rest, total: total.pack() }]
    })
    return {
      gateway: this.#gateway,
      unsure: this.#unsure,
      caveat: this.#caveat,
      readings: Object.fromEntries(readings),
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

interface SelfReportedReading extends Coarseness {
  definition: SelfReportedDefinition
  us: number
  source: string
  note: string
}

export interface SelfReportedAnswer {
  gateway: string
  unsure: boolean
  caveat: string
  readings: SelfReportedReading[]
  componentsUs: Record<string, number>
  /** The broken rules, one for each excluded figure. */
  rejected: string[]
}

const NONE: Record<string, number> = {}

const STREAM_NOTE = '; of a stream, only up to the headers'

type Watched = Pick<RequestResult, 'headers' | 'trailers' | 'sentUs' | 'headersUs' | 'endUs'>

export function readSelfReported(answer: Watched, stream: boolean): SelfReportedAnswer | undefined {
  const tookUs = answer.endUs - answer.sentUs
  const statement = readStatement(answer.headers, answer.trailers, tookUs)
  if (!statement) return undefined
  const { gateway, unsure = false, caveat = '', unusable, componentsUs = NONE } = statement
  if (unusable !== undefined) return { gateway, unsure, caveat, readings: [], componentsUs: NONE, rejected: [unusable] }
  const report: SelfReportedAnswer = { gateway, unsure, caveat, readings: [], componentsUs, rejected: [] }
  if (statement.overhead) takeOwn(report, statement.overhead, tookUs)
  // The wait ends with the upstream's headers. The time of a stream after its own headers is not overhead.
  const untilUs = stream ? answer.headersUs - answer.sentUs : tookUs
  const wait = (definition: SelfReportedDefinition, reading: Reading): void =>
    takeWait(report, definition, reading, untilUs, stream)
  if (statement.upstream) wait('upstream-reported', statement.upstream)
  if (statement.provider) wait('provider-reported', statement.provider)
  if (!report.readings.some(({ definition }) => definition === 'self-reported')) report.componentsUs = NONE
  else if (Object.values(componentsUs).some((us) => !(us >= 0 && us <= tookUs))) {
    report.componentsUs = NONE
    report.rejected.push('a component below zero or above the time of the whole request')
  }
  return report
}

function takeOwn(report: SelfReportedAnswer, reading: Reading, tookUs: number): void {
  const { us, source, note, resolutionUs, centreUs } = reading
  const wrong = Number.isNaN(us)
    ? 'not a number'
    : us < 0
      ? 'below zero'
      : us > tookUs
        ? "above the client's own time"
        : undefined
  if (wrong !== undefined) report.rejected.push(`${source} ${wrong}`)
  else {
    const centredUs = Math.min(tookUs, us + centreUs)
    report.readings.push({ definition: 'self-reported', us: centredUs, source, note, resolutionUs, centreUs })
  }
}

function takeWait(
  report: SelfReportedAnswer,
  definition: SelfReportedDefinition,
  reading: Reading,
  untilUs: number,
  stream: boolean,
): void {
  const { us, source, note, resolutionUs, centreUs } = reading
  const leftUs = untilUs - us
  if (Number.isNaN(us)) report.rejected.push(`${source} not a number`)
  else if (us < 0) report.rejected.push(`${source} below zero`)
  // A wait in whole milliseconds may be rounded up by one.
  else if (leftUs < -resolutionUs) report.rejected.push(`${source} above the client's own time`)
  else if (!Number.isNaN(leftUs)) {
    report.readings.push({
      definition,
      us: Math.max(0, leftUs - centreUs),
      source: `${stream ? 'time to headers' : 'client time'} less ${source}`,
      note: stream ? note + STREAM_NOTE : note,
      resolutionUs,
      centreUs,
    })
  }
}
