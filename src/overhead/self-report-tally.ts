/**
 * Keeps what one arm's answers said of their gateway: each definition's readings over the run, the components, and how many figures
 * were left out and why. O(1) an answer; plain data comes out.
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
  components: Record<string, EncodedHistogram>
  /** Rule -> figures left out by it. */
  rejected: Record<string, number>
}

interface LiveTold {
  total: Histogram
  source: string
  note: string
}

/** Where one block keeps its readings. */
export type ToldBlock = Partial<Record<Told, Histogram>>

export class SelfReportTally {
  #gateway = ''
  #unsure = false
  #caveat = ''
  readonly #told: Partial<Record<Told, LiveTold>> = {}
  readonly #components = new Map<string, Histogram>()
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
      let inBlock = block[definition]
      if (!inBlock) {
        inBlock = new Histogram()
        block[definition] = inBlock
      }
      inBlock.record(us)
      if (definition === 'self-reported') ownUs = us
    }
    for (const name in report.componentsUs) this.#component(name).record(report.componentsUs[name] ?? 0)
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
      components: Object.fromEntries([...this.#components].map(([name, values]) => [name, values.encode()])),
      rejected: this.#rejected,
    }
  }

  #component(name: string): Histogram {
    const known = this.#components.get(name)
    if (known) return known
    const added = new Histogram()
    this.#components.set(name, added)
    return added
  }
}
