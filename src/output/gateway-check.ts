/** A checked gateway config as text: what it comes to in the first line, then every key, with the defaults marked. */

import type { Effective } from '../gateway-cli/effective-config.ts'
import type { GatewayCheck } from '../gateway-cli/gateway-config.ts'
import { hung } from './text.ts'

export function renderGatewayCheck({ file, config, effective }: GatewayCheck): string {
  const { host, port, providers, policies, workers } = config
  const upstreams = providers.map(({ name, origin, basePath }) => `${name} at ${origin}${basePath}`).join(', ')
  const also = [
    ...(workers > 1 ? [`${workers} processes`] : []),
    ...(policies.length > 0 ? [`${policies.length} ${policies.length === 1 ? 'policy' : 'policies'}`] : []),
    ...(config.cache.enabled ? [`cache in ${config.cache.backend}`] : []),
  ]
  return [
    hung(`${file ?? 'the defaults'}: usable; ${[`${host}:${port} -> ${upstreams}`, ...also].join(', ')}`, '', 2),
    ...config.notices.map((notice) => hung(`- ${notice}`, '', 2)),
    '',
    ...lines(effective, 0),
  ].join('\n')
}

function lines(effective: Effective, indent: number): string[] {
  if (effective.kind !== 'map') return []
  return effective.entries.flatMap(([key, value]) => keyed(key, value, indent))
}

function keyed(key: string, value: Effective, indent: number): string[] {
  const pad = ' '.repeat(indent)
  if (value.kind === 'map' && value.entries.length > 0) return [`${pad}${key}:`, ...lines(value, indent + 2)]
  if (value.kind === 'list' && value.items.some(({ kind }) => kind === 'map')) {
    return [`${pad}${key}:`, ...value.items.flatMap((item) => dashed(item, indent + 2))]
  }
  return [marked(`${pad}${key}: ${inline(value)}`, value.given)]
}

function dashed(item: Effective, indent: number): string[] {
  const [first = '', ...rest] = lines(item, indent + 2)
  return [`${first.slice(0, indent)}- ${first.slice(indent + 2)}`, ...rest]
}

function inline(value: Effective): string {
  if (value.kind === 'map') return '{}'
  if (value.kind === 'list') return `[${value.items.map(inline).join(', ')}]`
  return scalar(value.value)
}

/** As YAML would read it back. */
function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  const bare =
    /^[\w./][\w./: @-]*$|^\$\{\w+\}$/.test(value) && !/: |^(?:true|false|null|yes|no|on|off|[\d.]+|.*:)$/i.test(value)
  return bare ? value : JSON.stringify(value)
}

function marked(line: string, given: boolean): string {
  return given ? line : `${line.padEnd(42)}  # default`
}
