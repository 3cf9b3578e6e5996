import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { EXIT } from '../../errors.ts'
import { adminFlags } from '../../gateway-cli/client.ts'
import { openEventSource } from '../../gateway-cli/event-source.ts'
import { EVENT_METRICS, eventStats, findMetric, parsePercentiles, stampBefore } from '../../gateway-cli/event-stats.ts'
import { renderEventStats } from '../../output/gateway-tables.ts'
import { durationMs, parseFlag } from '../../parse/quantity.ts'

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

  static override flags = {
    metric: Flags.string({ description: 'metric of each request', default: 'latency' }),
    percentiles: Flags.string({ description: 'percentiles to print', default: '50,90,95,99' }),
    last: Flags.string({ description: 'only requests that ended within this time', helpValue: '1h' }),
    model: Flags.string({ description: 'only requests for this model' }),
    file: Flags.string({ description: 'event file to read, with its rotated files' }),
    ...adminFlags,
    json: Flags.boolean({ description: 'print the figures as JSON' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(EventsStats)
    const metric = findMetric(flags.metric)
    const shares = parsePercentiles(flags.percentiles)
    const lastMs = flags.last === undefined ? undefined : parseFlag('last', flags.last, durationMs, '1h')
    const since = stampBefore(lastMs)
    const admin = { url: flags.admin, token: flags['admin-token'] }
    const source = await openEventSource({ file: flags.file, admin }, since)
    const stats = await eventStats(source.lines, metric, shares, { since, model: flags.model })
    const context = { source: source.name, lastMs, model: flags.model }
    if (flags.json) this.printJson({ ...stats, source: source.name })
    else this.print(renderEventStats(stats, context, this.color))
    this.finish(stats.count === 0 ? EXIT.inconclusive : EXIT.passed)
  }
}
