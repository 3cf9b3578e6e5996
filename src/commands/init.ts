import * as Args from '@oclif/core/args'
import { z } from 'zod'
import { initialConfig } from '../cli/initial-config.ts'
import { CONFIG_FILE, KtCommand, plainFlags } from '../command.ts'
import { flagGroup, flagsOf } from '../parse/flags.ts'
import { parseFlags } from '../parse/parse-flags.ts'
import { writeNewFile } from '../report/write-output.ts'

const initFlags = {
  file: flagGroup().text(z.string(), 'file to write', { default: CONFIG_FILE, helpValue: 'kt.yaml' }),
}

export default class Init extends KtCommand {
  static override summary = `Write a ${CONFIG_FILE} with options of kt in this folder, all of them as comments.`
  static override description =
    'Every command that takes flags reads it wherever it is called in this folder: kt bench and kt bench sweep the ' +
    'keys at its top, others their section. Its first line gives editors the schema of its keys. A file that is ' +
    'there is not replaced.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> http://localhost:41002 --file other.yaml',
  ]

  static override args = { url: Args.string({ description: 'URL to send to, which is then no comment' }) }

  static override baseFlags = plainFlags

  static override flags = flagsOf(initFlags)

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Init)
    const { file } = parseFlags(flags, initFlags, 'kt init')
    const { url } = this.withUrl<{ url?: string }>({}, args.url)
    writeNewFile(file, initialConfig(file, url, this.config.commands))
    this.print(`wrote ${file}: take the # away from what you want, then run 'kt bench'`)
  }
}
