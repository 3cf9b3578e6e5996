/** The options of `--emit`: where to, and what the manifests cannot know of themselves. */
import { UserError } from '../errors.ts'
import { ktVersion } from '../system/package-info.ts'
import type { EmitTarget } from './emit.ts'
import type { EmitOptions } from './settings.ts'

export interface EmitFlags {
  emit?: EmitTarget[] | undefined
  out?: string | undefined
  name?: string | undefined
  image?: string | undefined
  'provider-url'?: string | undefined
  'prometheus-url'?: string | undefined
}

export function emitRequest(
  flags: EmitFlags,
): { targets: EmitTarget[]; folder: string; options: EmitOptions } | undefined {
  if (flags.emit === undefined) {
    for (const name of ['out', 'name', 'image', 'provider-url', 'prometheus-url'] as const) {
      if (flags[name] !== undefined)
        throw new UserError(
          `--${name} has no effect without --emit`,
          'Example: kt plan ... --emit kubernetes --out deploy',
        )
    }
    return undefined
  }
  if (flags.out === undefined)
    throw new UserError(
      '--emit needs --out, the folder to write into',
      'Example: kt plan ... --emit kubernetes --out deploy',
    )
  const name = flags.name ?? 'kt-gateway'
  if (!/^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$/.test(name))
    throw new UserError(
      `--name: '${name}' is not a name of Kubernetes`,
      'Lower-case letters, digits and dashes, at most 52.',
    )
  return {
    targets: [...new Set(flags.emit)],
    folder: flags.out,
    options: {
      name,
      image: flags.image ?? `kt-bench:${ktVersion}`,
      providerUrl: httpUrl('provider-url', flags['provider-url'] ?? 'https://api.openai.com/v1'),
      prometheusUrl: httpUrl('prometheus-url', flags['prometheus-url'] ?? 'http://prometheus-server.monitoring'),
    },
  }
}

function httpUrl(flag: string, given: string): string {
  const url = URL.parse(given)
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && !url.username && !url.password) return given
  throw new UserError(
    `--${flag}: '${given}' is not an http(s) URL without credentials`,
    'Keys belong into the Secret that the Deployment names.',
  )
}
