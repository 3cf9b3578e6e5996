import { KtCommand } from '../../command.ts'
import { EXIT } from '../../errors.ts'
import { openEventSource } from '../../gateway-cli/event-source.ts'
import { EVENT_METRICS, eventStats, stampBefore, statsFlags } from '../../gateway-cli/event-stats.ts'
import { renderEventStats } from '../../output/gateway-tables.ts'
import { flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'

export default class EventsStats extends KtCommand {
  static override summary = "Percentiles of latency, overhead or tokens over the gateway's requests."

  static override description =
    `Reads the event file of the running gateway, or --file without a gateway, or the events in the gateway's memory.
Metrics: ${EVENT_METRICS.join(', ')}.
Exit 4 where no event has the metric.`

  static override examples = [
    '<%= config.bin %> events stats --metric latency --percentiles 50,90,95,99 --last 1h',
    '<%= config.bin %> events stats --metric overhead --file events.ndjson --json',
  ]

  static override flags = flagsOf(statsFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(EventsStats)
    const options = parseFlags(flags, statsFlags, 'kt events stats')
    const { metric, percentiles, last: lastMs, model } = options
    const since = stampBefore(lastMs)
    const source = await openEventSource(options, since)
    const stats = await eventStats(source.lines, metric, percentiles, { since, model })
    if (options.json) this.printJson({ schema: 'kt.events.stats/1', ...stats, source: source.name })
    else this.print(renderEventStats(stats, { source: source.name, lastMs, model }, this.page()))
    this.finish(stats.count === 0 ? EXIT.inconclusive : EXIT.passed)
  }
}
