/** `--emit`: writes the manifests of a plan into a folder, one folder a target. The same plan writes the same bytes. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/file.ts'
import { writeOutput } from '../report/write-output.ts'
import { ktVersion } from '../system/machine.ts'
import { helmValues, kongConf } from './kong.ts'
import { kedaManifests, kubernetesManifests } from './kubernetes.ts'
import type { ClusterSettings, EmitOptions } from './settings.ts'
import { terraform } from './terraform.ts'

const TARGETS = {
  kubernetes: kubernetesManifests,
  keda: kedaManifests,
  'helm-values': helmValues,
  kong: kongConf,
  terraform,
} as const

export type EmitTarget = keyof typeof TARGETS

/** The flags of `--emit`: where to, and what the manifests cannot know of themselves. */
interface EmitFlags {
  emit?: EmitTarget[] | undefined
  out?: string | undefined
  name?: string | undefined
  image?: string | undefined
  'provider-url'?: string | undefined
  'prometheus-url'?: string | undefined
}

export function manifests(target: EmitTarget, settings: ClusterSettings): Record<string, string> {
  return TARGETS[target](settings)
}

/** Returns the paths that were written. */
export async function emit(
  targets: readonly EmitTarget[],
  settings: ClusterSettings,
  folder: string,
): Promise<string[]> {
  const paths: string[] = []
  for (const target of targets) {
    const into = join(folder, target)
    try {
      mkdirSync(into, { recursive: true })
    } catch (error) {
      throw new UserError(
        `cannot make the folder ${into}: ${systemReason(error)}`,
        'Give --out a folder that can be written.',
      )
    }
    for (const [file, text] of Object.entries(manifests(target, settings))) {
      const path = join(into, file)
      await writeOutput(path, text, '--out')
      paths.push(path)
    }
  }
  return paths
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
