/** `--emit`: writes the manifests of a plan into a folder, one folder a target. The same plan writes the same bytes. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/file.ts'
import { writeOutput } from '../report/write-output.ts'
import type { EmitTarget } from './emit-flags.ts'
import { helmValues, kongConf } from './kong.ts'
import { kedaManifests, kubernetesManifests } from './kubernetes.ts'
import type { ClusterSettings } from './settings.ts'
import { terraform } from './terraform.ts'

const TARGETS: Record<EmitTarget, (settings: ClusterSettings) => Record<string, string>> = {
  kubernetes: kubernetesManifests,
  keda: kedaManifests,
  'helm-values': helmValues,
  kong: kongConf,
  terraform,
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
