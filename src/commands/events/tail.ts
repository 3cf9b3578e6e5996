import { Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { AdminClient, adminFlags } from '../../gateway-cli/client.ts'
import { followEvents } from '../../gateway-cli/event-source.ts'
import { compileTemplate } from '../../gateway-cli/template.ts'
import { EVENT_FIELDS } from '../../wire/gateway-event.ts'

export default class EventsTail extends KtCommand {
  static override summary = 'Follow the running gateway: a line for each request that ends.'

  static override description = `Fields: ${EVENT_FIELDS.join(', ')}.
{{.overhead.routing}} is one component, {{.policy.NAME}} what one policy did, {{.}} the whole event. Ends with Ctrl-C.`

  static override examples = [
    '<%= config.bin %> events tail',
    '<%= config.bin %> events tail --format "{{.latency_ms}}ms {{.model}} {{.status}}"',
    '<%= config.bin %> events tail --json | jq .overhead',
  ]

  static override flags = {
    format: Flags.string({
      description: 'template of the line for each event',
      default:
        '{{.ts}} {{.status}} {{.latency_ms}}ms (overhead {{.overhead_ms}}ms) {{.model}} cache={{.cache}} ' +
        'in={{.input_tokens}} out={{.output_tokens}}',
    }),
    count: Flags.integer({ description: 'end after this many events', min: 1 }),
    ...adminFlags,
    json: Flags.boolean({ description: 'print each event as a line of JSON', exclusive: ['format'] }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(EventsTail)
    const render = compileTemplate(flags.json ? '{{.}}' : flags.format)
    const client = new AdminClient({ url: flags.admin, token: flags['admin-token'] })
    const events = followEvents(client, this.interruption(), flags.count, (note) =>
      process.stderr.write(`kt: ${note}\n`),
    )
    for await (const event of events) this.print(render(event))
  }
}
