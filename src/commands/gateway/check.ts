/** `kt gateway check`: checks a config and prints what it amounts to, without starting anything. */

import { Args, Flags } from '@oclif/core'
import { KtCommand } from '../../command.ts'
import { checkGatewayConfig, gatewayCheckJson, oneFile } from '../../gateway-cli/gateway-config.ts'
import { renderGatewayCheck } from '../../output/gateway-tables.ts'

export default class GatewayCheck extends KtCommand {
  static override summary = 'Check a config of the reference gateway without starting it.'
  static override description =
    'Prints every effective key, with defaults marked and secrets masked. Exit 2 where the gateway would not ' +
    'start: unknown keys, values out of range, contradictions.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> --config reference-gateway/gateway.yaml',
    '<%= config.bin %> <%= command.id %> gateway.yaml --json',
  ]

  static override args = {
    file: Args.string({ description: 'config file (YAML) [default: the defaults of the gateway]' }),
  }

  static override flags = {
    config: Flags.string({ description: 'the same, as kt gateway start takes it', helpValue: 'file.yaml' }),
    json: Flags.boolean({ description: 'print the effective config as JSON' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(GatewayCheck)
    const checked = checkGatewayConfig(oneFile(args.file, flags.config))
    if (flags.json) this.printJson(gatewayCheckJson(checked))
    else this.print(renderGatewayCheck(checked))
  }
}
