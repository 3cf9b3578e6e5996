/**
 * What all manifests of Kubernetes that kt writes have in common: how they are validated, written and loaded, their
 * names, and what a pod needs to stand in a namespace with the restricted pod security standard.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/system-reason.ts'
import { writeOutput } from '../report/write-output.ts'
import { requireOptional } from '../system/optional-package.ts'

/** An object of kubernetes-models, which carries the schema that Kubernetes publishes. */
export interface Manifest {
  validate(): void
  toJSON(): unknown
}

/** Text by file name. They are applied in the order of their names. */
export type ManifestFiles = Record<string, string>

export const kubernetesName = z.string().refine((name) => /^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$/.test(name), {
  error: ({ input }) => `'${String(input)}' is not a name of Kubernetes`,
  params: { next: 'Lower-case letters, digits and dashes, at most 52.' },
})

/** Of the objects of a whole deployment, applied first. */
export const NAMESPACE_FILE = '00-namespace.yaml'
export const POD_SECURITY = 'pod-security.kubernetes.io/enforce'
/** The user `node` of the official images of Node, as whom kt's own image runs. */
export const UID = 1_000

export const podSecurity = (uid: number) => ({
  runAsNonRoot: uid !== 0,
  runAsUser: uid,
  seccompProfile: { type: 'RuntimeDefault' as const },
})

export const containerSecurity = (add: string[] = []) => ({
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'], ...(add.length > 0 && { add }) },
})

/** Loads what builds manifests: the schemas are large, and few commands need them. */
export function loadManifests<T>(purpose: string, load: () => Promise<T>): Promise<T> {
  return requireOptional(['kubernetes-models', '@kubernetes-models/keda'], purpose, load)
}

export function manifestFiles(comment: string, manifests: Record<string, Manifest>): ManifestFiles {
  return Object.fromEntries(
    Object.entries(manifests).map(([file, manifest]) => {
      manifest.validate()
      return [file, `# ${comment}\n${stringify(manifest.toJSON(), { lineWidth: 0 })}`]
    }),
  )
}

/** All of them as one text, as kubectl reads it. */
export function asStream(files: ManifestFiles): string {
  return Object.values(files).join('---\n').trimEnd()
}

/** The same in JSON. */
export function asList(manifests: Record<string, Manifest>) {
  return { apiVersion: 'v1', kind: 'List', items: Object.values(manifests).map((manifest) => manifest.toJSON()) }
}

/** Returns the paths that were written. `flag` is the one that named the folder. */
export async function writeFolder(folder: string, files: ManifestFiles, flag: string): Promise<string[]> {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    const next = `Give ${flag} a folder that can be written.`
    throw new UserError(`cannot make the folder ${folder}: ${systemReason(error)}`, next)
  }
  const paths: string[] = []
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, file)
    await writeOutput(path, text, flag)
    paths.push(path)
  }
  return paths
}
