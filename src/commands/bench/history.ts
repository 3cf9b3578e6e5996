import * as Args from '@oclif/core/args'
import { z } from 'zod'
import { KtCommand } from '../../command.ts'
import { EXIT } from '../../errors.ts'
import { renderHistory } from '../../output/history-plot.ts'
import { htmlFlag, openPage } from '../../page/flag.ts'
import { writePage } from '../../page/write.ts'
import { flagGroup, flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'
import { readHistory } from '../../verdict/history.ts'

const { text, toggle } = flagGroup()

const historyFlags = {
  metric: text(
    z.string().optional(),
    'metric, such as latency.p99, ttft.p50 or errors.rate [default: overhead.p99, otherwise latency.p99]',
  ),
  ...htmlFlag,
  json: toggle('print the history (kt.history/1) instead of the plot'),
}

export default class BenchHistory extends KtCommand {
  static override summary = 'Show a metric over the reports of a folder, and where it changed.'

  static override description =
    `Reports are ordered by the time they were measured. Reports that differ from the newest one in workload, load,
machine or target are excluded and listed. Changes of level are found by E-divisive with a seeded permutation test
(p <= 0.01).`

  static override examples = [
    '<%= config.bin %> <%= command.id %> reports/',
    '<%= config.bin %> <%= command.id %> reports/ --metric latency.p99 --json',
  ]

  static override args = {
    folder: Args.string({ description: 'folder of reports (*.json)', required: true }),
  }

  static override flags = flagsOf(historyFlags)

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BenchHistory)
    const { metric, json, html } = parseFlags(flags, historyFlags, 'kt bench history')
    const taken = openPage(html, json)
    const history = readHistory(args.folder, metric)
    this.show({ json, taken }, history, renderHistory)
    const unwritten = await this.writeBeside(() =>
      writePage(html, async () => {
        const { historyDocument } = await import('../../page/documents.ts')
        return historyDocument(history)
      }),
    )
    this.finish(unwritten ?? EXIT.passed)
  }
}
