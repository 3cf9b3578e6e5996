import { Args, Flags } from '@oclif/core'
import { KtCommand } from '../command.ts'
import { diagnose } from '../doctor/doctor.ts'
import { renderDoctor } from '../output/doctor-table.ts'

export default class Doctor extends KtCommand {
  static override summary =
    'Examine a gateway for faults that make it slow, expensive or wrong: evidence, cost and fix of each.'

  static override description =
    `Examines a config (kt's reference gateway, Kong's declarative config, LiteLLM's YAML), a finished report, and a
running gateway, to which it sends a few dozen requests, one after another. A rule that cannot be checked says why.
Severities: critical (answers lost, altered or given to others; one request stalls all), warning (costs latency or
money on every request), info (depends on the workload). Exit 3 on findings at or above --severity, 4 where nothing
could be measured.`

  static override examples = [
    '<%= config.bin %> <%= command.id %> gateway.yaml',
    '<%= config.bin %> <%= command.id %> gateway.yaml --run',
    '<%= config.bin %> <%= command.id %> kong.yaml --report report.json --severity critical',
    '<%= config.bin %> <%= command.id %> --url http://localhost:41002 --provider-url http://localhost:41001',
  ]

  static override args = {
    config: Args.string({ description: "config of a gateway: kt's, Kong's (declarative) or LiteLLM's" }),
  }

  static override flags = {
    report: Flags.string({ helpValue: 'r.json', description: 'report of kt bench through the gateway' }),
    url: Flags.string({ description: 'URL of a running gateway to measure' }),
    'provider-url': Flags.string({
      description: "kt's simulated provider behind the gateway [default: the one in the config]",
    }),
    run: Flags.boolean({
      description: 'start the gateway from the config in front of a simulated provider, and measure it',
    }),
    'api-key': Flags.string({ description: 'API key for the gateway; safer in KT_API_KEY' }),
    'other-api-key': Flags.string({
      description: "another tenant's key, to test whether the cache keeps tenants apart",
    }),
    header: Flags.string({ description: "extra header 'Name: value'; repeatable", multiple: true }),
    model: Flags.string({ description: 'model to ask for [default: gpt-4o-mini]' }),
    severity: Flags.option({
      description: 'lowest severity of findings that gives exit 3 [default: warning]',
      options: ['info', 'warning', 'critical'] as const,
    })(),
    json: Flags.boolean({ description: 'print the diagnosis as JSON (kt.doctor/1)' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Doctor)
    const { result, exitCode } = await diagnose(
      { ...flags, config: args.config, 'api-key': this.apiKey(flags['api-key']) },
      { note: (line) => process.stderr.write(`${line}\n`), interrupt: this.interruption() },
    )
    if (flags.json) this.printJson(result)
    else this.print(renderDoctor(result, this.color))
    this.finish(exitCode)
  }
}
