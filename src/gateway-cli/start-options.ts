/** The flags of `kt gateway start` with their types, and the config that the gateway is started with. */
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import type { GatewayConfig } from '../../reference-gateway/config/config.ts'
import { accessLogFile, baseUrl } from '../../reference-gateway/config/config-file.ts'
import { isLoopback } from '../../reference-gateway/http/request-head.ts'
import { failure, success, UserError } from '../errors.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { Faults, givenOf } from '../parse/parse-flags.ts'
import { durationOrZeroMs, parsedBy, port, wordOr } from '../parse/quantity.ts'
import { readGatewayConfig } from './gateway-config.ts'

const { text, toggle, yesOrNo } = flagGroup()

const MOST_WORKERS = 64

const workers = parsedBy((given) => {
  if (given === 'auto') return success(availableParallelism())
  const count = /^\d{1,2}$/.test(given) ? Number(given) : 0
  if (count >= 1 && count <= MOST_WORKERS) return success(count)
  return failure(
    `'${given}' is not a number from 1 to ${MOST_WORKERS}`,
    "Give a number, or 'auto' for one process for each core.",
  )
})

export const startFlags = {
  config: text(z.string().optional(), 'config file (YAML), as the argument names it', { helpValue: 'file.yaml' }),
  // An empty address would mean every interface of the machine.
  host: text(z.string().min(1, 'is empty: give an address').optional(), 'address to listen on [default: 127.0.0.1]', {
    example: '127.0.0.1',
  }),
  open: toggle('with --host: serve other machines although the config has no keys (auth.keys)'),
  port: text(port.optional(), 'port to listen on, 0 for any [default: 41002]'),
  'admin-port': text(
    wordOr('off', wordOr('auto', port)).optional(),
    'port of /metrics, /stats, the cache and the live events, on loopback: 0 for any, off for none, auto for 41003 ' +
      'if that is free [default: auto]',
  ),
  'access-log': text(z.string().min(1).optional(), 'write a line for each request to this file, - for stdout', {
    helpValue: 'file',
  }),
  workers: text(workers.optional(), 'serving processes: a number, or auto for one for each core [default: 1]'),
  'next-free-port': toggle('use the next free port when --port is taken'),
  upstream: text(
    baseUrl.optional(),
    "base URL of the provider, such as http://127.0.0.1:41001/v1, instead of the config's",
    { helpValue: 'url' },
  ),
  'jit-warmup': yesOrNo(
    'have the code compiled before /readyz says yes, which takes up to 3 s and some 50 MB [default: yes, but where ' +
      "memory is limited to less than 256 MB for each process, or the config's warmup.jit says otherwise]",
  ),
  'inject-delay': text(
    durationOrZeroMs.refine((ms) => ms <= 60_000, 'must be at most 1m').default(0),
    'delay every request by this much before it goes to the provider: a gateway of known overhead',
    { example: '15ms' },
  ),
  json: toggle('print the address it listens on as one line of JSON'),
}

type StartOptions = FlagValues<typeof startFlags>

/** The flags' values, and the config with those in it that it has keys for. */
export function parseStartFlags(flags: Readonly<Record<string, unknown>>): StartOptions & { gateway: GatewayConfig } {
  const faults = new Faults()
  const options = faults.read(startFlags, givenOf(flags))
  const gateway = faults.attempt(() => withUpstream(readGatewayConfig(options.config), options.upstream))
  faults.refuse('kt gateway start')
  if (!gateway) throw new Error('a gateway without a config, and nothing is wrong')
  const { host } = options
  if (host !== undefined && !isLoopback(host) && !gateway.clientKeys && !options.open && !gateway.open) {
    throw new UserError(
      `--host ${host} would let every machine that reaches it use the providers' keys`,
      'Give clients keys of their own (gateway.auth.keys), or say --open.',
    )
  }
  return {
    ...options,
    gateway: {
      ...gateway,
      host: options.host ?? gateway.host,
      port: options.port ?? gateway.port,
      adminPort: options['admin-port'] === 'off' ? undefined : (options['admin-port'] ?? gateway.adminPort),
      workers: options.workers ?? gateway.workers,
      warmup: { ...gateway.warmup, jit: options['jit-warmup'] ?? gateway.warmup.jit },
      accessLog: withAccessLog(gateway.accessLog, options['access-log']),
    },
  }
}

/** The flag names the file; the rest stays as in the config. */
function withAccessLog(config: GatewayConfig['accessLog'], file: string | undefined): GatewayConfig['accessLog'] {
  if (file === undefined) return config
  const path = file === '-' ? '/dev/stdout' : file
  return config ? { ...config, path } : accessLogFile.parse({ path })
}

/** `--upstream` in place of the provider's base URL, where there is one provider. */
function withUpstream(config: GatewayConfig, upstream: StartOptions['upstream']): GatewayConfig {
  if (upstream === undefined) return config
  const [first, ...others] = config.providers
  if (others.length > 0) {
    throw new UserError(
      '--upstream stands for a single provider, and the config has several',
      'Set base_url in the config.',
    )
  }
  return { ...config, providers: [{ ...first, ...upstream }] }
}
