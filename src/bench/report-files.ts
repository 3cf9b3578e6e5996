/** The report files of a bench: the run, and with --split each of its arms. */
import { UserError } from '../errors.ts'
import { assertExportsWritable } from '../exports/write.ts'
import { assertCiWritable } from '../output/ci.ts'
import { assertPageWritable } from '../page/flag.ts'
import { runsOf, splitReport } from '../report/runs.ts'
import type { BenchReport } from '../report/schema.ts'
import { assertWritable, noteForeign, resolveWritableTarget } from '../report/write-output.ts'
import { writeReports } from '../report/write-report.ts'
import { formatNumber } from '../units.ts'
import type { OutputOptions } from './options/output.ts'
import type { RunHooks } from './send.ts'

export interface ReportWriter {
  /** Writes the report; the failure is noted and returned, and what was measured is kept. */
  write(report: BenchReport, note: RunHooks['note']): Promise<UserError | undefined>
}

/**
 * Called before anything is sent, because a file that cannot be written would be found out too late. `arms`: what the
 * arms are called by themselves.
 */
export function openReportFiles(
  { output, split, json, html, csv, openmetrics, junit, markdown }: OutputOptions,
  arms: readonly string[],
  note: (line: string) => void,
): ReportWriter {
  if (output !== undefined) {
    assertWritable(output)
    noteForeign(output, note)
  }
  if (output !== undefined && split) assertSplitWritable(output, arms)
  assertCiWritable({ junit, markdown })
  assertPageWritable(html)
  assertExportsWritable({ csv, openmetrics })
  return {
    async write(report, note) {
      const unwritten = output === undefined ? undefined : await writeReports(filesOf(report, output, split), note)
      if (json) noteFailure(report, note)
      return unwritten
    },
  }
}

function assertSplitWritable(output: string, arms: readonly string[]): void {
  if (resolveWritableTarget(output).kind !== 'file')
    throw new UserError(`--split writes files beside --output, and ${output} is not a file`, 'Give --output r.json.')
  for (const arm of arms) assertWritable(armPath(output, arm))
}

/** Report by file name. */
function filesOf(report: BenchReport, output: string, split: boolean): Record<string, BenchReport> {
  const arms = Object.entries((split && splitReport(report)) || {})
  return { [output]: report, ...Object.fromEntries(arms.map(([arm, own]) => [armPath(output, arm), own])) }
}

/** `r.json` -> `r.baseline.json` and `r.gateway.json`, or by the names of several gateways. */
function armPath(output: string, arm: string): string {
  return `${output.replace(/\.json$/, '')}.${arm}.json`
}

/** With --json no table says that every request failed. */
function noteFailure(report: BenchReport, note: (line: string) => void): void {
  const runs = runsOf(report)
  if (runs.some((run) => run.totals.successful > 0)) return
  const [{ totals }] = runs
  const classes = Object.entries(totals.outcomes).map(([code, count]) => `${formatNumber(count)} x ${code}`)
  note(`every request failed: ${classes.join(', ') || 'none was sent'}`)
}
