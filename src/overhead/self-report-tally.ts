/**
 * Keeps what one arm's answers said of their gateway: each definition's readings over the run and by block, the components by
 * block, and how many figures were left out and why. O(1) an answer; plain data comes out.
 */
import type { Exchange } from '../client/exchange.ts'
import { type EncodedHistogram, Histogram } from '../stats/histogram.ts'
import { readSelfReport, type Told } from './self-reported.ts'

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
  record(answer: Exchange, stream: boolean, block: ToldBlock): number | undefined {
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
