/** The flags of a run that is exported, and the files that they name. */
import { z } from 'zod'
import { flagGroup } from '../parse/flags.ts'
import type { BenchReport } from '../report/schema.ts'
import { assertWritable, writeOutput } from '../report/write-output.ts'
import { toCsv } from './csv.ts'
import { toOpenMetrics } from './openmetrics.ts'

const { text } = flagGroup('RESULT')

export const exportFlags = {
  csv: text(z.string().optional(), "write summary, blocks and series as CSV, a figure a row; '-': stdout", {
    helpValue: 'r.csv',
  }),
  openmetrics: text(z.string().optional(), "write the figures as OpenMetrics text to this file; '-': stdout", {
    helpValue: 'r.prom',
  }),
}

interface ExportFiles {
  csv?: string | undefined
  openmetrics?: string | undefined
}

/** Called before anything is sent. */
export function assertExportsWritable({ csv, openmetrics }: ExportFiles): void {
  if (csv !== undefined) assertWritable(csv, '--csv')
  if (openmetrics !== undefined) assertWritable(openmetrics, '--openmetrics')
}

export async function writeExports({ csv, openmetrics }: ExportFiles, report: BenchReport): Promise<void> {
  if (csv !== undefined) await writeOutput(csv, toCsv(report), '--csv')
  if (openmetrics !== undefined) await writeOutput(openmetrics, toOpenMetrics(report), '--openmetrics')
}
