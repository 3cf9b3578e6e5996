/** How the rows of requests are written into a file: as JSON a line, or as CSV. */
import { csvLine } from '../exports/csv-line.ts'
import { type Sample, sampleSchema } from '../report/sample-schema.ts'
import type { RunPlan } from './plan.ts'
import { rowsOf, toSample } from './samples.ts'

/** How a line of a file of samples is written. */
export interface SampleFormat {
  /** Before the first line. */
  head: string
  line(sample: Sample): string
}

const COLUMN_NAMES = sampleSchema.keyof().options

const NDJSON: SampleFormat = { head: '', line: (sample) => `${JSON.stringify(sample)}\n` }
const CSV: SampleFormat = {
  head: csvLine(COLUMN_NAMES),
  line: (sample) => csvLine(COLUMN_NAMES.map((column) => sample[column] ?? '')),
}

export function sampleFormatOf(path: string): SampleFormat {
  return /\.csv$/i.test(path) ? CSV : NDJSON
}

/** The lines of a batch. */
export function sampleLines(rows: Float64Array, plan: RunPlan, startUs: number, format: SampleFormat = NDJSON): string {
  let text = ''
  for (const row of rowsOf(rows)) text += format.line(toSample(row, plan, startUs))
  return text
}
