/** Where kt is installed and which version it is; the same answer from source and from dist. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const manifestPath = createRequire(import.meta.url).resolve('#package.json')

/** The folder that holds package.json, bin/ and profiles/. */
export const packageRoot = dirname(manifestPath)

export const ktVersion = String((JSON.parse(readFileSync(manifestPath, 'utf8')) as { version: string }).version)

/** A file that ships with kt: `packaged('profiles', 'budgets.yaml')`. */
export function packaged(...segments: string[]): string {
  return join(packageRoot, ...segments)
}
