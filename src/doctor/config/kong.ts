/**
 * The part of Kong's declarative config (DB-less, decK) that rules look at: its plugins, which may stand at the top, or in a
 * service, a route or a consumer. Everything else passes unread.
 */
import { z } from 'zod'

const pluginFile = z.looseObject({
  name: z.string(),
  enabled: z.boolean().default(true),
  config: z.record(z.string(), z.unknown()).nullish(),
})
const plugins = z.array(pluginFile).nullish()
const routes = z.array(z.looseObject({ name: z.string().optional(), plugins })).nullish()

export const kongFile = z.looseObject({
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

/** Every enabled plugin, wherever it stands. */
export function pluginsOf(file: z.output<typeof kongFile>): KongPlugin[] {
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
