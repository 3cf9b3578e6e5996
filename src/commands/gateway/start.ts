/** `kt gateway start`: runs the reference gateway until it is asked to stop. */

import { availableParallelism } from 'node:os'
import { Flags } from '@oclif/core'
import { runGateway } from '../../../reference-gateway/gateway.ts'
import { KtCommand } from '../../command.ts'
import { UserError } from '../../errors.ts'
import { readGatewayConfig, withUpstream } from '../../gateway-cli/gateway-config.ts'
import { durationOrZeroMs, parseFlag } from '../../parse/quantity.ts'
import { onFreePort, untilAskedToStop } from '../../system/serve.ts'

const injectDelay = durationOrZeroMs.refine((ms) => ms <= 60_000, 'must be at most 1m')

export default class GatewayStart extends KtCommand {
  static override summary = 'Start the reference gateway: an OpenAI-compatible proxy that measures itself.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --config reference-gateway/gateway.yaml',
    '<%= config.bin %> <%= command.id %> --upstream https://api.openai.com/v1',
  ]

  static override flags = {
    config: Flags.string({ summary: 'Config file (YAML).', helpValue: 'file.yaml' }),
    host: Flags.string({ summary: 'Address to listen on [default: 127.0.0.1].' }),
    port: Flags.integer({ summary: 'Port to listen on, 0 for any [default: 41002].', min: 0, max: 65_535 }),
    'admin-port': Flags.integer({
      summary: 'Port of /metrics, /stats, the cache and the live events, on loopback; 0 for any [default: none].',
      min: 0,
      max: 65_535,
    }),
    workers: Flags.string({ summary: 'Serving processes: a number, or auto for one for each core [default: 1].' }),
    'next-free-port': Flags.boolean({ summary: 'Use the next free port when --port is taken.' }),
    upstream: Flags.string({ summary: "Base URL of the provider, instead of the config's.", helpValue: 'url' }),
    'inject-delay': Flags.string({
      summary: 'Delay every request by this much before it goes to the provider: a gateway of known overhead.',
      helpValue: '15ms',
    }),
    json: Flags.boolean({ summary: 'Print the address it listens on as one line of JSON.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(GatewayStart)
    const injectDelayMs = parseFlag('inject-delay', flags['inject-delay'] ?? '0', injectDelay, '15ms')
    const given = configOf(flags)
    const config = flags.workers === undefined ? given : { ...given, workers: workersOf(flags.workers) }
    const note = (text: string): boolean => process.stderr.write(`kt gateway: ${text}\n`)
    config.notices.forEach(note)
    // Before it says that it listens: whoever reads that may ask it to stop at once.
    const asked = untilAskedToStop()
    const gateway = await onFreePort(config.port, flags['next-free-port'], (port) =>
      runGateway({ ...config, port }, { injectDelayMs, report: note }).catch((error) => {
        throw adminPortProblem(error, config.adminPort, port) ?? error
      }),
    )
    const upstreams = config.providers.map(({ origin, basePath }) => origin + basePath).join(', ')
    this.print(
      flags.json
        ? JSON.stringify({ url: gateway.url, pid: process.pid, adminUrl: gateway.adminUrl })
        : `kt gateway listening on ${gateway.url} -> ${upstreams}`,
    )
    if (gateway.adminUrl && !flags.json) this.print(`kt gateway admin on ${gateway.adminUrl}`)
    await asked
    await gateway.close()
  }
}

/** Node's error says which port it is about. */
function adminPortProblem(error: unknown, adminPort: number | undefined, port: number): UserError | undefined {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error
  if (!taken || adminPort === undefined || error.port !== adminPort || error.port === port) return undefined
  return new UserError(
    `the admin port ${adminPort} is taken`,
    'Choose another with --admin-port (0 lets the system choose).',
  )
}

function workersOf(text: string): number {
  if (text === 'auto') return availableParallelism()
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= 64) return count
  throw new UserError(
    `--workers ${text} is not a number from 1 to 64`,
    "Give a number, or 'auto' for one process for each core.",
  )
}

function configOf(flags: {
  config: string | undefined
  host: string | undefined
  port: number | undefined
  'admin-port': number | undefined
  upstream: string | undefined
}) {
  // An empty address would mean every interface of the machine.
  if (flags.host === '') throw new UserError('--host is empty', 'Give an address, such as 127.0.0.1.')
  const config = withUpstream(readGatewayConfig(flags.config), flags.upstream)
  return {
    ...config,
    host: flags.host ?? config.host,
    port: flags.port ?? config.port,
    adminPort: flags['admin-port'] ?? config.adminPort,
  }
}
