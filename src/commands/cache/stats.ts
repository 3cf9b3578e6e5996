import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { AdminClient, adminFlags, cacheStatsSchema } from '../../gateway-cli/client.ts'
import { renderCacheStats } from '../../output/gateway-tables.ts'

export default class CacheStats extends KtCommand {
  static override summary = "Show the size and the hit rate of the running gateway's cache."

  static override examples = ['<%= config.bin %> cache stats', '<%= config.bin %> cache stats --json']

  static override flags = {
    ...adminFlags,
    json: Flags.boolean({ description: 'print the figures as JSON' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(CacheStats)
    const client = new AdminClient({ url: flags.admin, token: flags['admin-token'] })
    const stats = await client.fetch('GET', '/cache', cacheStatsSchema)
    if (flags.json) this.printJson(stats)
    else this.print(renderCacheStats(stats, this.color))
  }
}
