/** The reference gateway's config as `kt gateway` takes it: a file or the defaults, references looked up in the environment. */
import { z } from 'zod'
import { type GatewayConfig, gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { configFile, parseBaseUrl } from '../../reference-gateway/config/config-file.ts'
import { UserError } from '../errors.ts'
import { SECRETS } from '../parse/config-values.ts'
import { parseWith, readYaml } from '../parse/file.ts'
import { type Effective, effectiveValue, plain } from './effective-config.ts'

const WHAT = 'gateway config'

export function readGatewayConfig(file: string | undefined): GatewayConfig {
  const schema = gatewayConfigSchema(process.env)
  return file === undefined ? parseWith({}, schema, 'defaults', WHAT) : readYaml(file, schema, WHAT)
}

export interface GatewayCheck {
  /** Undefined: the defaults were checked. */
  file: string | undefined
  config: GatewayConfig
  /** Every key that counts, as the file would write it. */
  effective: Effective
}

/** Reads the file as a start would, and opens nothing. */
export function checkGatewayConfig(file: string | undefined): GatewayCheck {
  const config = readGatewayConfig(file)
  const given = file === undefined ? {} : readYaml(file, z.unknown(), WHAT)
  return { file, config, effective: effectiveValue(configFile, given, SECRETS) }
}

/** `--upstream` in place of the provider's base URL, where there is one provider. */
export function withUpstream(config: GatewayConfig, upstream: string | undefined): GatewayConfig {
  if (upstream === undefined) return config
  const [first, ...others] = config.providers
  if (others.length > 0) {
    throw new UserError(
      '--upstream stands for a single provider, and the config has several',
      'Set base_url in the config.',
    )
  }
  const place = parseBaseUrl(upstream)
  if (typeof place === 'string') throw new UserError(`--upstream: ${place}`, 'Correct the URL and run again.')
  return { ...config, providers: [{ ...first, ...place }] }
}

/** `kt gateway check --json`. */
export function gatewayCheckJson({ file, config, effective }: GatewayCheck): unknown {
  return {
    schema: 'kt.gateway.check/1',
    file: file ?? null,
    listens: { host: config.host, port: config.port, adminPort: config.adminPort ?? null, workers: config.workers },
    notices: config.notices,
    config: plain(effective),
  }
}

/** The file is an argument or the value of `--config`. */
export function oneFile(argument: string | undefined, flag: string | undefined): string | undefined {
  if (argument !== undefined && flag !== undefined)
    throw new UserError('two config files were named', 'Give one: kt gateway check gateway.yaml.')
  return argument ?? flag
}
