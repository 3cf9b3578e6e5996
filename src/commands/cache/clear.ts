import { z } from 'zod'
import { KtCommand } from '../../command.ts'
import { CACHE_CLEAR_SCHEMA, clearedSchema } from '../../gateway-cli/answers.ts'
import { AdminClient, adminFlags } from '../../gateway-cli/client.ts'
import { flagGroup, flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'
import { counted } from '../../units.ts'

const { text, toggle } = flagGroup()

const clearFlags = {
  model: text(z.string().optional(), 'only answers to requests for this model'),
  ...adminFlags,
  json: toggle('print the result as JSON'),
}

export default class CacheClear extends KtCommand {
  static override summary = "Clear the running gateway's cache, whole or for one model."

  static override examples = ['<%= config.bin %> cache clear', '<%= config.bin %> cache clear --model gpt-4o']

  static override flags = flagsOf(clearFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(CacheClear)
    const options = parseFlags(flags, clearFlags, 'kt cache clear')
    const { model, json } = options
    const client = new AdminClient(options)
    const only = model === undefined ? '' : `?${new URLSearchParams({ model })}`
    const result = await client.fetch('DELETE', `/cache${only}`, clearedSchema)
    if (json) this.printJson({ schema: CACHE_CLEAR_SCHEMA, ...result })
    else {
      const entries = counted(result.cleared, 'entry', 'entries')
      this.print(`cleared ${entries}${model === undefined ? '' : ` of ${model}`}`)
    }
  }
}
