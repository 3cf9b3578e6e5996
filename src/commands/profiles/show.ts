import * as Args from '@oclif/core/args'
import { KtCommand, plainFlags } from '../../command.ts'
import { readShipped } from '../../report/shipped-file.ts'

export default class ProfilesShow extends KtCommand {
  static override summary = 'Print a file that ships with kt.'
  static override examples = ['<%= config.bin %> <%= command.id %> chat', '<%= config.bin %> <%= command.id %> guide']

  static override args = {
    name: Args.string({ description: "its name, as 'kt profiles list' has it", required: true }),
  }

  static override baseFlags = plainFlags

  async run(): Promise<void> {
    const { args } = await this.parse(ProfilesShow)
    this.print(readShipped(args.name).text.trimEnd())
  }
}
