import * as Args from '@oclif/core/args'
import { KtCommand, plainFlags } from '../../command.ts'
import { readShipped } from '../../report/shipped-file.ts'
import { writeNewFile } from '../../report/write-output.ts'

export default class ProfilesCopy extends KtCommand {
  static override summary = 'Copy a file that ships with kt into this folder, to be changed.'
  static override description = 'A file that is there is not replaced.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> slo',
    '<%= config.bin %> <%= command.id %> guide my-gateway.yaml',
  ]

  static override args = {
    name: Args.string({ description: "its name, as 'kt profiles list' has it", required: true }),
    file: Args.string({ description: 'file to write [default: its own name, in this folder]' }),
  }

  static override baseFlags = plainFlags

  async run(): Promise<void> {
    const { args } = await this.parse(ProfilesCopy)
    const { text, fileName } = readShipped(args.name)
    const file = args.file ?? fileName
    writeNewFile(file, text)
    this.print(`wrote ${file}`)
  }
}
