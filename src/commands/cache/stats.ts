import { KtCommand } from '../../command.ts'
import { CACHE_STATS_SCHEMA, cacheStatsSchema } from '../../gateway-cli/answers.ts'
import { AdminClient, adminFlags } from '../../gateway-cli/client.ts'
import { renderCacheStats } from '../../output/gateway-tables.ts'
import { flagGroup, flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'

const statsFlags = { ...adminFlags, json: flagGroup().toggle('print the figures as JSON') }

export default class CacheStats extends KtCommand {
  static override summary = "Show the size and the hit rate of the running gateway's cache."

  static override examples = ['<%= config.bin %> cache stats', '<%= config.bin %> cache stats --json']

  static override flags = flagsOf(statsFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(CacheStats)
    const options = parseFlags(flags, statsFlags, 'kt cache stats')
    const client = new AdminClient(options)
    const stats = await client.fetch('GET', '/cache', cacheStatsSchema)
    this.show({ json: options.json }, { schema: CACHE_STATS_SCHEMA, ...stats }, renderCacheStats)
  }
}
