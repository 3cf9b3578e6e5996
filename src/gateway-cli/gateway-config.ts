/**
 * The reference gateway's config as `kt gateway` takes it: a file or the defaults, references looked up in the
 * environment; and, for `kt gateway check`, every value that counts in the file's own keys, given or by the schema's
 * default. Secrets are masked; references to the environment are not, since they name a secret and do not hold it.
 */
import { z } from 'zod'
import { type GatewayConfig, gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { configFile } from '../../reference-gateway/config/config-file.ts'
import { UserError } from '../errors.ts'
import { SECRETS } from '../parse/config-values.ts'
import { parseWith, readYaml } from '../parse/file.ts'
import { ADMIN_PORT } from '../system/serve.ts'
import { fileNamed } from '../system/shipped.ts'
import type { GatewayCheckJson } from './answers.ts'

/** A value of the file, and whether it was given there. */
export type Effective =
  | { kind: 'value'; value: unknown; given: boolean }
  | { kind: 'list'; items: Effective[]; given: boolean }
  | { kind: 'map'; entries: [string, Effective][]; given: boolean }

const WHAT = 'gateway config'

export function readGatewayConfig(file: string | undefined): GatewayConfig {
  const schema = gatewayConfigSchema(process.env)
  return file === undefined ? parseWith({}, schema, 'defaults', WHAT) : readYaml(fileNamed(file), schema, WHAT)
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
  const given = file === undefined ? {} : readYaml(fileNamed(file), z.unknown(), WHAT)
  return { file, config, effective: effectiveValue(configFile, given, SECRETS) }
}

/** `kt gateway check --json`. */
export function gatewayCheckJson({ file, config, effective }: GatewayCheck): GatewayCheckJson {
  return {
    schema: 'kt.gateway.check/1',
    file: file ?? null,
    listens: { host: config.host, port: config.port, adminPort: adminPortOf(config), workers: config.workers },
    notices: config.notices,
    config: plain(effective),
  }
}

function adminPortOf({ adminPort }: GatewayConfig): number | null {
  return adminPort === 'auto' ? ADMIN_PORT : (adminPort ?? null)
}

/** The file is an argument or the value of `--config`. */
export function oneFile(argument: string | undefined, flag: string | undefined, example: string): string | undefined {
  if (argument !== undefined && flag !== undefined)
    throw new UserError('two config files were named', `Give one: ${example}.`)
  return argument ?? flag
}

const MASK = '***'
const REFERENCE = /^\$\{\w+\}$/

/** `given` has been accepted by `schema`; values of the schemas in `secrets` are masked. */
function effectiveValue(schema: z.ZodType, given: unknown, secrets: ReadonlySet<z.ZodType>): Effective {
  return walk(schema, given, given !== undefined, secrets)
}

/** As JSON: keys that are unset are left out. */
function plain(effective: Effective): unknown {
  if (effective.kind === 'value') return effective.value
  if (effective.kind === 'list') return effective.items.map(plain)
  return Object.fromEntries(effective.entries.map(([key, value]) => [key, plain(value)]))
}

function walk(schema: z.ZodType, raw: unknown, given: boolean, secrets: ReadonlySet<z.ZodType>): Effective {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const inner = schema.unwrap() as z.ZodType
    return raw === undefined ? walk(inner, schema.def.defaultValue, false, secrets) : walk(inner, raw, given, secrets)
  }
  if (schema instanceof z.ZodOptional) return walk(schema.unwrap() as z.ZodType, raw, given, secrets)
  if (schema instanceof z.ZodPipe) return walk(schema.in as z.ZodType, raw, given, secrets)
  if (schema instanceof z.ZodObject && isRecord(raw)) {
    const entries = Object.entries(schema.shape).map(([key, child]): [string, Effective] => [
      key,
      walk(child as z.ZodType, raw[key], given && raw[key] !== undefined, secrets),
    ])
    return { kind: 'map', entries: entries.filter(([, value]) => isSet(value)), given }
  }
  if (schema instanceof z.ZodRecord && isRecord(raw)) {
    const entries = Object.entries(raw).map(([key, value]): [string, Effective] => [
      key,
      walk(schema.valueType as z.ZodType, value, given, secrets),
    ])
    return { kind: 'map', entries, given }
  }
  if (schema instanceof z.ZodArray && Array.isArray(raw)) {
    return { kind: 'list', items: raw.map((item) => walk(schema.element as z.ZodType, item, given, secrets)), given }
  }
  return { kind: 'value', value: shown(raw, secrets.has(schema)), given }
}

function shown(raw: unknown, secret: boolean): unknown {
  if (typeof raw !== 'string' || REFERENCE.test(raw)) return raw
  // A URL may hold a password (redis://user:password@host).
  return secret ? MASK : raw.replace(/(:\/\/[^/:@]*):[^/@]+@/, `$1:${MASK}@`)
}

function isSet(effective: Effective): boolean {
  return effective.kind !== 'value' || effective.value !== undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
