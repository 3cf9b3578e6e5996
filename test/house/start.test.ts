// How kt starts: `kt --version` loads nothing that sends, and a Node that is too old gets one clear line.
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ensureOldNode } from '../setup/node-versions.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(root, 'bin', 'run.js')
const HEAVY = /node_modules\/(?:undici|zod|yaml|cli-table3|gpt-tokenizer)\//

/** The modules that a Node process loads, which ends without a fault. */
function modulesOf(...args: string[]): Promise<string[]> {
  return modulesUntil(0, args)
}

/** The same of one that ends with this code. */
async function modulesUntil(code: number, args: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kt-modules-'))
  const list = join(folder, 'modules.txt')
  try {
    const hook = join(root, 'test', 'support', 'list-modules.js')
    const ended = await run(process.execPath, ['--import', hook, ...args], {
      cwd: root,
      env: { ...process.env, KT_TEST_MODULES: list },
    }).then(
      () => 0,
      (error: { code?: unknown }) => error.code,
    )
    expect(ended).toBe(code)
    return (await readFile(list, 'utf8')).trim().split('\n')
  } finally {
    await rm(folder, { recursive: true })
  }
}

test.each(['--version', '--help'])('kt %s loads neither undici nor anything else that is heavy', async (flag) => {
  const modules = await modulesOf(bin, flag)
  expect(modules.filter((url) => HEAVY.test(url))).toEqual([])
  expect(
    modules.some((url) => url.endsWith('/bin/run.js')),
    'the list sees modules',
  ).toBe(true)
})

test('only help, version and completion load the plugins that bring them', async () => {
  const plugins = (modules: string[]) => modules.filter((url) => url.includes('node_modules/@oclif/plugin-'))
  expect(plugins(await modulesOf(bin, 'help')).length).toBeGreaterThan(0)
  expect(plugins(await modulesOf(bin, 'profiles', 'list'))).toEqual([])
})

test.each([
  ['bench', '--dry-run', '--no-config'],
  ['plan', '--rps', '10', '--profile', 'chat'],
])('kt %s without --html loads neither pages nor plots', async (...words) => {
  const modules = await modulesOf(bin, ...words)
  expect(modules.filter((url) => /\/src\/(?:plots\/(?!colors)|page\/(?:documents|\w+-document))/.test(url))).toEqual([])
})

test('kt bench loads nothing of a fleet but its flags', async () => {
  const modules = await modulesOf(bin, 'bench', '--dry-run', '--no-config')
  const fleet = modules.filter((url) => /@nats-io|\/src\/(?:load\/fleet\/(?!flags)|bench\/(?:fleet|collect))/.test(url))
  expect(fleet).toEqual([])
})

test('a sending thread starts with what sends over HTTP/1.1 alone, and reads no text of a user', async () => {
  // Without a plan it ends as soon as all that it imports is there.
  const modules = await modulesOf('--eval', "import('./dist/src/load/send-thread.js').catch(() => {})")
  expect(modules.some((url) => url.endsWith('/src/load/engine.js'))).toBe(true)
  expect(modules.some((url) => url.endsWith('/http1/http1-connection.js'))).toBe(true)
  expect(modules.filter((url) => /\/(?:undici|zod|yaml)\/|\/src\/parse\/file/.test(url))).toEqual([])
})

test.each([
  ['a refusal', ['bench', '--threshold', 'nothing'], 2],
  ['a dry run', ['bench', '--dry-run', '--json', '--no-config'], 0],
])('%s loads no client, and nothing that measures text', async (_, words, code) => {
  const modules = await modulesUntil(code, [bin, ...words])
  const packages = new Set(modules.map((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]))
  expect(packages).toContain('@oclif/core')
  const dear = ['undici', 'semver', 'get-east-asian-width']
  expect(dear.filter((name) => packages.has(name))).toEqual([])
})

test('no file imports node:http but by its type: an import loads WebSocket too, and a client for it', () => {
  const files = globSync('{src,reference-gateway}/**/*.ts', { cwd: root })
  expect(files).toContain('src/system/node-http.ts')
  const importing = files.filter((file) =>
    /^import (?!type)[^']*? from 'node:http'$/m.test(readFileSync(join(root, file), 'utf8')),
  )
  expect(importing).toEqual([])
})

test('the list of modules would show undici, imported or required', async () => {
  const imported = await modulesOf('--input-type=module', '--eval', "await import('undici')")
  expect(imported.some((url) => HEAVY.test(url))).toBe(true)
  const required = await modulesOf('--input-type=commonjs', '--eval', "require('undici')")
  expect(required.some((url) => HEAVY.test(url))).toBe(true)
})

test('on a Node that is too old, kt says so in one line and exits 2', async () => {
  const old = await ensureOldNode()
  const { stdout: version } = await run(old, ['--version'])
  await expect(run(old, [bin, 'bench'])).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr:
      `kt needs Node 22.19 or newer; this is ${version.trim()}. ` +
      'Install a current Node (24 LTS) and run kt again.\n',
  })
})
