// test/setup/install.js in a project of its own: installs when it must, says so in one line, and is silent otherwise.
// The packages come from local tarballs, so nothing is fetched.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureOldNode } from '../setup/node-versions.ts'

const run = promisify(execFile)
const script = new URL('../setup/install.js', import.meta.url)
const binary = join('node_modules', 'node', 'bin', 'node')
let folder = ''
let oldNode = ''

/** Packs a package named `node` whose preinstall script makes its binary, as the real one does. */
async function packNode(version: string): Promise<void> {
  const source = join(folder, 'node-source')
  await mkdir(source, { recursive: true })
  const scripts = { preinstall: 'node make.cjs' }
  await writeFile(join(source, 'package.json'), JSON.stringify({ name: 'node', version, scripts }))
  const made = JSON.stringify(`#!/bin/sh\necho v${version}\n`)
  await writeFile(
    join(source, 'make.cjs'),
    "const fs = require('node:fs'); fs.mkdirSync('bin', { recursive: true }); " +
      `fs.writeFileSync('bin/node', ${made}, { mode: 0o755 })`,
  )
  await run('npm', ['pack', './node-source'], { cwd: folder })
}

async function want(version: string): Promise<void> {
  await packNode(version)
  const devDependencies = { node: `file:node-${version}.tgz` }
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'p', version: '1.0.0', devDependencies, allowScripts: { node: true } }),
  )
  await run('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], { cwd: folder })
}

/** What install.js prints on an old Node; npm's own lines left out. */
async function install(): Promise<string[]> {
  const { stdout } = await run(oldNode, [join('test', 'setup', 'install.js')], { cwd: folder })
  return stdout.split('\n').filter((line) => /^(?:installing|fetching)/.test(line))
}

beforeAll(async () => {
  oldNode = await ensureOldNode()
  folder = await mkdtemp(join(tmpdir(), 'kt-install-'))
  await mkdir(join(folder, 'test', 'setup'), { recursive: true })
  await cp(script, join(folder, 'test', 'setup', 'install.js'))
  await writeFile(join(folder, 'test', 'setup', 'package.json'), '{"type":"module"}')
  await want('1.0.0')
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test('nothing installed: installs, and says why', async () => {
  expect(await install()).toEqual(['installing: there is no node_modules (npm ci)'])
  expect(existsSync(join(folder, binary))).toBe(true)
})

test('all in place: silent', async () => {
  const { stdout, stderr } = await run(oldNode, [join('test', 'setup', 'install.js')], { cwd: folder })
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' })
})

test('the pinned Node without its binary, as npm --ignore-scripts leaves it: fetched', async () => {
  await run('npm', ['ci', '--ignore-scripts'], { cwd: folder })
  expect(existsSync(join(folder, binary))).toBe(false)
  expect(await install()).toEqual([
    expect.stringMatching(/^fetching the pinned Node: .* is missing \(npm rebuild node\)$/),
  ])
  expect(existsSync(join(folder, binary))).toBe(true)
})

test('another lock file: installs again', async () => {
  await want('2.0.0')
  expect(await install()).toEqual(['installing: node_modules/node is 1.0.0, not 2.0.0 (npm ci)'])
  expect(await readFile(join(folder, binary), 'utf8')).toContain('v2.0.0')
})

test('a package that is gone: installs again', async () => {
  await rm(join(folder, 'node_modules', 'node'), { recursive: true })
  expect(await install()).toEqual(['installing: node_modules/node is missing (npm ci)'])
})

test('no lock file: one line, exit 1', async () => {
  await rm(join(folder, 'package-lock.json'))
  await expect(install()).rejects.toMatchObject({
    code: 1,
    stderr: 'installation failed: there is no readable package-lock.json\n',
  })
})
