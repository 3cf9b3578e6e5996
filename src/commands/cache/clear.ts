import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { AdminClient, adminFlags, clearedSchema } from '../../gateway-cli/client.ts'
import { formatNumber } from '../../units.ts'

export default class CacheClear extends KtCommand {
  static override summary = "Clear the running gateway's cache, whole or for one model."

  static override examples = ['<%= config.bin %> cache clear', '<%= config.bin %> cache clear --model gpt-4o']

  static override flags = {
    model: Flags.string({ description: 'only answers to requests for this model' }),
    ...adminFlags,
    json: Flags.boolean({ description: 'print the result as JSON' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(CacheClear)
    const client = new AdminClient({ url: flags.admin, token: flags['admin-token'] })
    const only = flags.model === undefined ? '' : `?${new URLSearchParams({ model: flags.model })}`
    const result = await client.fetch('DELETE', `/cache${only}`, clearedSchema)
    if (flags.json) this.printJson(result)
    else {
      const entries = `${formatNumber(result.cleared)} ${result.cleared === 1 ? 'entry' : 'entries'}`
      this.print(`cleared ${entries}${flags.model === undefined ? '' : ` of ${flags.model}`}`)
    }
  }
}
