/** `--emit`: writes the manifests of a plan into a folder, one folder a target. The same plan writes the same bytes. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/file.ts'
import { writeOutput } from '../report/write-output.ts'
import { requireOptional } from '../system/optional-package.ts'
import type { EmitTarget } from './emit-flags.ts'
import { helmValues, kongConf } from './kong.ts'
import type { ClusterSettings } from './settings.ts'
import { terraform } from './terraform.ts'

/** Text by file name. */
type Manifests = Record<string, string>

const TARGETS: Record<EmitTarget, (settings: ClusterSettings) => Manifests | Promise<Manifests>> = {
  kubernetes: async (settings) => (await kubernetesModels('kubernetes')).kubernetesManifests(settings),
  keda: async (settings) => (await kubernetesModels('keda')).kedaManifests(settings),
  'helm-values': helmValues,
  kong: kongConf,
  terraform,
}

function kubernetesModels(target: EmitTarget) {
  const names = ['kubernetes-models', '@kubernetes-models/keda']
  return requireOptional(names, `--emit ${target}`, () => import('./kubernetes.ts'))
}

export async function manifests(target: EmitTarget, settings: ClusterSettings): Promise<Manifests> {
  return TARGETS[target](settings)
}

/** Returns the paths that were written. */
export async function emit(
  targets: readonly EmitTarget[],
  settings: ClusterSettings,
  folder: string,
): Promise<string[]> {
  const paths: string[] = []
  // All of them before the first is written: what cannot be made leaves nothing behind.
  const made = await Promise.all(targets.map(async (target) => [target, await manifests(target, settings)] as const))
  for (const [target, files] of made) {
    const into = join(folder, target)
    try {
      mkdirSync(into, { recursive: true })
    } catch (error) {
      throw new UserError(
        `cannot make the folder ${into}: ${systemReason(error)}`,
        'Give --out a folder that can be written.',
      )
    }
    for (const [file, text] of Object.entries(files)) {
      const path = join(into, file)
      await writeOutput(path, text, '--out')
      paths.push(path)
    }
  }
  return paths
}
