/**
 * How each registry is asked, by its own client as the machine has it configured. What is fetched is pinned, and held
 * against a hash wherever the registry gives one: the lock files of npm and pip, the checksums in a crate's own lock
 * file, Go's checksum database, the signed index of Debian.
 */
import { copyFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './folders.ts'

const QUIET_NPM = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
const lock = (name: string): string => fileURLToPath(new URL(`locks/${name}`, import.meta.url))

/** `manifest` is a package.json: whatever version of its packages is the newest one that it allows. */
export async function fromNpm(folder: string, manifest: Record<string, unknown>): Promise<void> {
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ private: true, ...manifest }, null, 2)}\n`)
  await run('npm', ['install', ...QUIET_NPM], { cwd: folder })
}

/** locks/`name` has a package.json and what `npm install --package-lock-only` made of it. */
export async function fromNpmLock(folder: string, name: string): Promise<void> {
  for (const file of ['package.json', 'package-lock.json']) await copyFile(join(lock(name), file), join(folder, file))
  await run('npm', ['ci', ...QUIET_NPM], { cwd: folder })
}

/**
 * locks/`name`.txt is what `uv pip compile --universal --python-version 3.11 --generate-hashes --no-header
 * --no-annotate` makes of the package's name and version.
 */
export async function fromPyPiLock(folder: string, name: string): Promise<void> {
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--root-user-action=ignore']
  const locked = ['--no-deps', '--require-hashes', '--requirement', lock(`${name}.txt`)]
  await run('python3', ['-m', 'pip', 'install', ...quiet, '--target', folder, ...locked])
}

/** Builds the program, which takes minutes, into bin/. */
export async function fromCargo(folder: string, crate: string, version: string, features: string[]): Promise<void> {
  await run('cargo', ['install', crate, '--version', version, '--locked', '--quiet', ...features, '--root', folder], {
    maxBuffer: 2 ** 26,
  })
}

/** Builds the program into bin/. */
export async function fromGo(folder: string, module: string, version: string): Promise<void> {
  const env = { ...process.env, GOBIN: join(folder, 'bin') }
  await run('go', ['install', `${module}@v${version}`], { env, maxBuffer: 2 ** 26 })
}

/** Builds the program in locks/`name`, whose go.mod and go.sum name all that it takes, into bin/. */
export async function fromGoLock(folder: string, name: string): Promise<void> {
  await run('go', ['build', '-o', join(folder, 'bin', name), '.'], { cwd: lock(name), maxBuffer: 2 ** 26 })
}

/** A package of Debian and all that it needs and this machine has not. */
export async function missingOfDebian(name: string): Promise<string[]> {
  const ask = () => run('apt-get', ['install', '--simulate', '--no-install-recommends', name])
  const { stdout } = await ask().catch(async () => {
    await run('apt-get', ['update', '--quiet'])
    return ask()
  })
  return [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, found = '']) => found)
}

/** Unpacks packages without installing them. A machine whose lists of packages are missing or old reads them anew. */
export async function fromDebian(folder: string, packages: string[]): Promise<void> {
  const download = () => run('apt-get', ['download', '--quiet', ...packages], { cwd: folder })
  await download().catch(async () => {
    await run('apt-get', ['update', '--quiet'])
    await download()
  })
  const debs = (await readdir(folder)).filter((file) => file.endsWith('.deb'))
  for (const deb of debs) await run('dpkg', ['-x', deb, folder], { cwd: folder })
}
