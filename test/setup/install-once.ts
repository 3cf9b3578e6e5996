/**
 * Packages that tests need beside kt's own dependencies (other Node versions, a third-party gateway, a Redis):
 * installed once into .cache/<name>, a folder of their own. Safe when two test files ask at the same time: each
 * installs aside, the first one to finish is kept.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../.cache', import.meta.url))

/** Installs `manifest` (a package.json) into .cache/`name` unless it is there, and returns the folder. */
export function installOnce(name: string, manifest: Record<string, unknown>): Promise<string> {
  return fillOnce(name, async (aside) => {
    await writeFile(join(aside, 'package.json'), `${JSON.stringify({ private: true, ...manifest }, null, 2)}\n`)
    await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], { cwd: aside })
  })
}

/** Installs a package of PyPI ('name==1.2.3') into .cache/`spec` unless it is there, and returns the folder. */
export function installFromPyPi(spec: string): Promise<string> {
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--target']
  return fillOnce(spec, (aside) => run('python3', [...pip, aside, spec]))
}

/** Fills .cache/`name` unless it is there, and returns the folder. */
async function fillOnce(name: string, fill: (aside: string) => Promise<unknown>): Promise<string> {
  const folder = join(cache, name)
  // The folder appears whole, by the rename: its presence is the mark that the installation came to its end.
  if (existsSync(folder)) return folder
  await mkdir(cache, { recursive: true })
  const aside = await mkdtemp(join(cache, `${name}-installing-`))
  try {
    await fill(aside)
    await rename(aside, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  return folder
}
