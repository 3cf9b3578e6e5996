/** Where kt is installed and which version it is; the same answer from source and from dist. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
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

/** The commit kt was built from, when it runs from a checkout; null when installed. */
export function gitSha(): string | null {
  if (!existsSync(join(packageRoot, '.git'))) return null
  const { status, stdout } = spawnSync('git', ['-C', packageRoot, 'rev-parse', '--short=12', 'HEAD'], {
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : null
}
