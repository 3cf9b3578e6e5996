/** `kt gateway start`: runs the reference gateway until it is asked to stop. */

import * as Args from '@oclif/core/args'
import type { GatewayConfig } from '../../../reference-gateway/config/config.ts'
import { type Gateway, runGateway } from '../../../reference-gateway/gateway.ts'
import { KtCommand } from '../../command.ts'
import { reasonOf, UserError } from '../../errors.ts'
import { oneFile } from '../../gateway-cli/gateway-config.ts'
import { parseStartFlags, startFlags } from '../../gateway-cli/start-options.ts'
import { flagsOf } from '../../parse/flags.ts'
import { keepDoublesApart, lowerHelperThreads } from '../../system/helper-threads.ts'
import { onFreePort, untilAskedToStop } from '../../system/serve.ts'

export default class GatewayStart extends KtCommand {
  static override summary = 'Start the reference gateway: an OpenAI-compatible proxy that measures itself.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> guide',
    '<%= config.bin %> <%= command.id %> --upstream https://api.openai.com/v1',
  ]

  static override args = {
    file: Args.string({
      description: "config file (YAML), or 'guide': the one of the performance guide [default: the gateway's defaults]",
    }),
  }

  static override flags = flagsOf(startFlags)

  async run(): Promise<void> {
    const { args, flags: typed } = await this.parse(GatewayStart)
    const named = oneFile(args.file, this.typed(typed, 'config'), 'kt gateway start gateway.yaml')
    const flags = { ...typed, config: named ?? typed.config }
    const { gateway: config, 'inject-delay': injectDelayMs, 'next-free-port': nextFree, json } = parseStartFlags(flags)
    const note = (text: string): void => this.note(`kt gateway: ${text}`)
    config.notices.forEach(note)
    keepDoublesApart()
    lowerHelperThreads()
    // Before it says that it listens: whoever reads that may ask it to stop at once.
    const asked = untilAskedToStop()
    const gateway = await onFreePort(config.port, nextFree, (port) =>
      runGateway({ ...config, port }, { injectDelayMs, report: note, jitWarmup: true }).catch((error) => {
        throw adminPortProblem(error, config.adminPort, port) ?? error
      }),
    )
    const reload = (): void => {
      const done = reloadFrom(flags, gateway)
      done.then(
        () => note('the config was read again'),
        (error: unknown) => note(`the config stays as it was: ${reasonOf(error)}`),
      )
    }
    process.on('SIGHUP', reload)
    // Node would open its debugger at SIGUSR1, and end at SIGUSR2.
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {})
    const upstreams = config.providers.map(({ origin, basePath }) => origin + basePath).join(', ')
    this.print(
      json
        ? JSON.stringify({
            url: gateway.url,
            pid: process.pid,
            adminUrl: gateway.adminUrl,
            metricsUrl: gateway.metricsUrl,
          })
        : `kt gateway listening on ${gateway.url} -> ${upstreams}`,
    )
    if (gateway.adminUrl && !json) this.print(`kt gateway admin on ${gateway.adminUrl}`)
    if (gateway.metricsUrl && !json) this.print(`kt gateway metrics on ${gateway.metricsUrl}/metrics`)
    await asked
    process.off('SIGHUP', reload)
    await gateway.close()
  }
}

/** A config that is wrong throws before anything has changed. */
async function reloadFrom(flags: Readonly<Record<string, unknown>>, gateway: Gateway): Promise<void> {
  await gateway.reload(parseStartFlags(flags).gateway)
}

/** Node's error says which port it is about. */
function adminPortProblem(error: unknown, adminPort: GatewayConfig['adminPort'], port: number): UserError | undefined {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error
  if (!taken || adminPort === undefined || error.port !== adminPort || error.port === port) return undefined
  return new UserError(
    `the admin port ${adminPort} is taken`,
    'Choose another with --admin-port (0 lets the system choose).',
  )
}
