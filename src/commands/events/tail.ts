import { KtCommand } from '../../command.ts'
import { AdminClient } from '../../gateway-cli/client.ts'
import { followEvents } from '../../gateway-cli/event-source.ts'
import { chooseTemplate, TAIL_RULES, tailFlags } from '../../gateway-cli/template.ts'
import { flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'
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

  static override flags = flagsOf(tailFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(EventsTail)
    const options = parseFlags(flags, tailFlags, 'kt events tail', TAIL_RULES)
    const render = chooseTemplate(options)
    const client = new AdminClient(options)
    const events = followEvents(client, this.interruption(), options.count, (note) => this.note(`kt: ${note}`))
    for await (const event of events) this.print(render(event))
  }
}
