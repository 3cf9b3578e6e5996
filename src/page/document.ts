/** What a page says of one result, before it is markup. */

import type { Plot, PlotTable } from '../plots/plot.ts'
import type { Verdict } from '../report/schema.ts'
import { printableValues } from '../system/printable.ts'

export interface Sentence {
  verdict: Verdict | null
  text: string
}

export interface Section {
  title: string
  lines?: readonly string[]
  tables?: readonly { caption: string; table: PlotTable }[]
  plots?: readonly Plot[]
}

export interface Document {
  title: string
  /** What a reader must have read: the verdicts, and what the gateway adds. */
  sentences: readonly Sentence[]
  /** What was measured, with what, when: name and text. */
  facts: readonly (readonly [string, string])[]
  sections: readonly Section[]
}

/** The document with every text of a result on one line, and without what steers a terminal. */
export function printableDocument(document: Document): Document {
  return printableValues(document)
}

export function plotsOf({ sections }: Document): Plot[] {
  return sections.flatMap(({ plots = [] }) => plots)
}
