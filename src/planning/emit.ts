/** `--emit`: writes the manifests of a plan into a folder, one folder a target. The same plan writes the same bytes. */
import { join } from 'node:path'
import { loadManifests, type ManifestFiles, writeFolder } from '../manifests/manifests.ts'
import type { EmitTarget } from './emit-flags.ts'
import { helmValues, kongConf } from './kong.ts'
import type { ClusterSettings } from './settings.ts'
import { terraform } from './terraform.ts'

const TARGETS: Record<EmitTarget, (settings: ClusterSettings) => ManifestFiles | Promise<ManifestFiles>> = {
  kubernetes: async (settings) => (await kubernetesModels('kubernetes')).kubernetesManifests(settings),
  keda: async (settings) => (await kubernetesModels('keda')).kedaManifests(settings),
  'helm-values': helmValues,
  kong: kongConf,
  terraform,
}

function kubernetesModels(target: EmitTarget) {
  return loadManifests(`--emit ${target}`, () => import('./kubernetes.ts'))
}

export async function manifests(target: EmitTarget, settings: ClusterSettings): Promise<ManifestFiles> {
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
  for (const [target, files] of made) paths.push(...(await writeFolder(join(folder, target), files, '--out')))
  return paths
}
