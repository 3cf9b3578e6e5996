import { KtCommand, plainFlags } from '../../command.ts'
import { columns } from '../../output/table.ts'
import { flagGroup, flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'
import type { ProfilesJson } from '../../report/shipped-file.ts'
import { describeShipped } from '../../system/shipped.ts'

const listFlags = { json: flagGroup().toggle('print the list as JSON') }

export default class ProfilesList extends KtCommand {
  static override summary = 'List the files that ship with kt, by the names that flags take.'
  static override description =
    'A flag that takes such a file takes its name as well: kt bench --workload chat, kt gateway start --config ' +
    'guide, kt slo check report.json --slo-file slo.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  static override baseFlags = plainFlags

  static override flags = flagsOf(listFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(ProfilesList)
    const { json } = parseFlags(flags, listFlags, 'kt profiles list')
    const list: ProfilesJson = { schema: 'kt.profiles/1', files: describeShipped() }
    this.show({ json }, list, ({ files }, { width }) =>
      columns(
        files.map(({ name, about }) => [name, about]),
        { width, align: ['left', 'left'], indent: 0 },
      ),
    )
  }
}
