/** Other versions of Node to run kt on: from npm's `node` package, or the machine's own where an old one is wanted. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fillOnce } from './peers/folders.ts'
import { fromNpm } from './peers/registries.ts'

/** The path of a Node of this major version. */
export async function ensureNode(major: number): Promise<string> {
  const manifest = { dependencies: { node: String(major) }, allowScripts: { node: true } }
  const folder = await fillOnce(`node-${major}`, (aside) => fromNpm(aside, manifest))
  return join(folder, 'node_modules', 'node', 'bin', 'node')
}

/** A Node that is too old for kt: one on the PATH, or version 20 from npm. */
export async function ensureOldNode(): Promise<string> {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'))
  return candidates.find((path) => existsSync(path) && isTooOld(path)) ?? (await ensureNode(20))
}

function isTooOld(path: string): boolean {
  const [major = 0, minor = 0] = execFileSync(path, ['--version'], { encoding: 'utf8' }).slice(1).split('.').map(Number)
  return major < 22 || (major === 22 && minor < 19)
}
