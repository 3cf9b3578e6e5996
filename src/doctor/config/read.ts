/**
 * Reads the config of a gateway and tells which gateway's it is: the reference gateway's YAML (its own schema, so
 * defaults are known), Kong's declarative config, LiteLLM's. A file of none of these kinds is a UserError, never a
 * clean bill of health.
 */
import { z } from 'zod'
import { configFile } from '../../../reference-gateway/config/config-file.ts'
import { UserError } from '../../errors.ts'
import { parseWith, readYaml } from '../../parse/file.ts'
import { fileNamed } from '../../system/shipped.ts'

/** The part of a LiteLLM proxy's config.yaml that rules look at. Everything else passes unread. */
const liteLlmFile = z.looseObject({
  model_list: z.array(z.looseObject({ model_name: z.string() })).nullish(),
  litellm_settings: z
    .looseObject({
      cache: z.boolean().optional(),
      cache_params: z.looseObject({}).nullish(),
      request_timeout: z.number().optional(),
      set_verbose: z.boolean().optional(),
    })
    .nullish(),
  router_settings: z.looseObject({ timeout: z.number().optional() }).nullish(),
  general_settings: z
    .looseObject({
      database_url: z.string().optional(),
      proxy_batch_write_at: z.number().optional(),
      always_include_stream_usage: z.boolean().optional(),
    })
    .nullish(),
})

const pluginFile = z.looseObject({
  name: z.string(),
  enabled: z.boolean().default(true),
  config: z.record(z.string(), z.unknown()).nullish(),
})
const plugins = z.array(pluginFile).nullish()
const routes = z.array(z.looseObject({ name: z.string().optional(), plugins })).nullish()

/**
 * The part of Kong's declarative config (DB-less, decK) that rules look at: its plugins, which may stand at the top, or
 * in a service, a route or a consumer. Everything else passes unread.
 */
const kongFile = z.looseObject({
  _format_version: z.union([z.string(), z.number()]),
  services: z.array(z.looseObject({ name: z.string().optional(), plugins, routes })).nullish(),
  routes,
  consumers: z.array(z.looseObject({ plugins })).nullish(),
  plugins,
})

export interface KongPlugin {
  name: string
  config: Record<string, unknown>
}

export interface KtFile {
  kind: 'kt'
  path: string
  /** As it stands in the file. */
  raw: unknown
  /** With every default; references to the environment are not looked up. */
  config: z.output<typeof configFile>
}

export interface KongFile {
  kind: 'kong'
  path: string
  /** Those that are enabled, wherever they stand. */
  plugins: KongPlugin[]
}

export interface LiteLlmFile {
  kind: 'litellm'
  path: string
  config: z.output<typeof liteLlmFile>
}

export type GatewayFile = KtFile | KongFile | LiteLlmFile

/** The keys at the top of a file that tell its kind, in the order in which they are looked for. */
const MARKS = {
  kong: ['_format_version'],
  litellm: ['model_list', 'litellm_settings', 'router_settings'],
  kt: ['gateway', 'policies'],
} as const

export function readGatewayFile(path: string): GatewayFile {
  const raw = readYaml(fileNamed(path), z.unknown(), 'gateway config')
  const keys = typeof raw === 'object' && raw !== null ? Object.keys(raw) : []
  const has = (marks: readonly string[]): boolean => marks.some((mark) => keys.includes(mark))
  if (has(MARKS.kong)) {
    return { kind: 'kong', path, plugins: enabledPlugins(parseWith(raw, kongFile, path, 'declarative config of Kong')) }
  }
  if (has(MARKS.litellm)) {
    return { kind: 'litellm', path, config: parseWith(raw, liteLlmFile, path, 'LiteLLM config') }
  }
  if (has(MARKS.kt)) return { kind: 'kt', path, raw, config: parseWith(raw, configFile, path, 'gateway config') }
  throw new UserError(
    `${path}: not the config of a gateway that kt doctor knows`,
    `It knows its own (gateway:, policies:), Kong's declarative config (_format_version:)
and LiteLLM's (model_list:, litellm_settings:). Any other gateway is examined
by measuring: kt doctor --url http://…`,
  )
}

/** Every enabled plugin, wherever it stands. */
function enabledPlugins(file: z.output<typeof kongFile>): KongPlugin[] {
  const owners = [
    file,
    ...(file.services ?? []).flatMap((service) => [service, ...(service.routes ?? [])]),
    ...(file.routes ?? []),
    ...(file.consumers ?? []),
  ]
  return owners
    .flatMap((owner) => owner.plugins ?? [])
    .filter(({ enabled }) => enabled)
    .map(({ name, config }) => ({ name, config: config ?? {} }))
}
