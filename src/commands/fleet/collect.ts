import * as Args from '@oclif/core/args'
import { z } from 'zod'
import { KtCommand } from '../../command.ts'
import { EXIT } from '../../errors.ts'
import { fleetNats } from '../../load/fleet/flags.ts'
import { renderBench } from '../../output/bench-table.ts'
import { flagGroup, flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'
import { assertWritable } from '../../report/write-output.ts'
import { writeReports } from '../../report/write-report.ts'

const { text, toggle } = flagGroup()

const collectFlags = {
  ...fleetNats,
  output: text(z.string().optional(), 'write the report (kt.bench/2) to this file'),
  keep: toggle('leave the results with the broker'),
  json: toggle('print the report instead of tables'),
  explain: toggle('also show how it was measured'),
}

export default class FleetCollect extends KtCommand {
  static override summary = 'Get what the workers of a run measured whose coordinator was lost.'

  static override description =
    'kt fleet status lists the runs of which the broker keeps results. They are forgotten when they are collected, ' +
    'or after a day. The report is one of an interrupted run, and no verdict stands on it: exit 4.'

  static override args = { run: Args.string({ description: 'name of the run', required: true }) }

  static override flags = flagsOf(collectFlags)

  async run(): Promise<void> {
    const { args, flags } = await this.parse(FleetCollect)
    const { nats, output, keep, json, explain, ...credentials } = parseFlags(flags, collectFlags, 'kt fleet collect')
    if (output !== undefined) assertWritable(output)
    const { accessFrom, connectTo } = await import('../../load/fleet/link.ts')
    const { collectRun, forgetRun } = await import('../../bench/collect.ts')
    const link = await connectTo(nats, accessFrom(credentials, process.env), 'kt fleet collect')
    try {
      const report = await collectRun(link, args.run)
      const unwritten =
        output === undefined ? undefined : await writeReports({ [output]: report }, this.note.bind(this))
      if (!keep && !unwritten) await forgetRun(link, args.run)
      const view = { verdict: report.gate, stopped: 'interrupted' as const, details: {}, showTtfb: false }
      this.show({ json, explain }, report, (shown, page) => renderBench(shown, view, page))
      this.finish(unwritten?.exitCode ?? EXIT.inconclusive)
    } finally {
      await link.close()
    }
  }
}
