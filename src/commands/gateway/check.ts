/** `kt gateway check`: checks a config and prints what it amounts to, without starting anything. */

import * as Args from '@oclif/core/args'
import { z } from 'zod'
import { KtCommand } from '../../command.ts'
import { checkGatewayConfig, gatewayCheckJson, oneFile } from '../../gateway-cli/gateway-config.ts'
import { renderGatewayCheck } from '../../output/gateway-tables.ts'
import { flagGroup, flagsOf } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'

const { text, toggle } = flagGroup()

const checkFlags = {
  config: text(z.string().optional(), 'the same, as kt gateway start takes it', { helpValue: 'file.yaml' }),
  json: toggle('print the effective config as JSON'),
}

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

  static override flags = flagsOf(checkFlags)

  async run(): Promise<void> {
    const { args, flags } = await this.parse(GatewayCheck)
    const { config, json } = parseFlags(flags, checkFlags, 'kt gateway check')
    const named = oneFile(args.file, this.typed(flags, 'config'), 'kt gateway check gateway.yaml')
    const checked = checkGatewayConfig(named ?? config)
    if (json) this.printJson(gatewayCheckJson(checked))
    else this.print(renderGatewayCheck(checked, this.page()))
  }
}
