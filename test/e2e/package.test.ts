// The package that users install: it holds what run time needs and nothing else, and runs on each supported Node.
import { execFile } from 'node:child_process'
import { globSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureNode } from '../setup/node-versions.ts'
import { type PackedKt, packAndInstall } from '../setup/packed.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
let packed: PackedKt

beforeAll(async () => {
  packed = await packAndInstall()
})

afterAll(() => packed?.remove())

test('it holds exactly what run time needs', () => {
  const compiled = globSync(['src/**/*.ts', 'reference-gateway/**/*.ts'], { cwd: root }).map(
    (file) => `dist/${file.replace(/\.ts$/, '.js')}`,
  )
  const data = globSync(['profiles/**', 'fixtures/*.schema.json', 'fixtures/ci/*', 'docs/**'], { cwd: root }).filter(
    (path) => statSync(join(root, path)).isFile(),
  )
  const pages = ['CHANGELOG.md', 'LICENSE', 'README.md', 'reference-gateway/README.md']
  const single = ['bin/run.js', 'oclif.manifest.json', 'package.json', 'reference-gateway/gateway.yaml']
  expect(packed.files).toEqual([...compiled, ...data, ...pages, ...single].sort())
})

test('it exports its JSON Schemas by their names, and its package.json', () => {
  const resolve = createRequire(join(packed.folder, 'index.js'))
  const schemas = globSync('fixtures/*.schema.json', { cwd: root }).map((path) => basename(path, '.schema.json'))
  expect(schemas).toEqual(expect.arrayContaining(['kt.bench.1', 'kt.bench.2']))
  for (const name of schemas) expect(resolve(`kt-bench/schemas/${name}`)).toMatchObject({ type: 'object' })
  expect(resolve('kt-bench/package.json')).toMatchObject({ version })
})

test('it is small', ({ annotate }) => {
  annotate(`${packed.files.length} files, ${packed.sizeBytes} bytes packed, ${packed.unpackedBytes} unpacked`)
  expect(packed.sizeBytes).toBeLessThan(1024 ** 2)
})

test('its dependencies are complete and hold no development tool', async () => {
  const { stdout } = await run('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: packed.folder })
  const names = stdout
    .trim()
    .split('\n')
    .map((path) => path.split('node_modules/').at(-1))
  for (const name of Object.keys(dependencies)) expect(names).toContain(name)
  expect(names.filter((name) => /^(?:typescript|vitest|oclif|node|@biomejs\/|@types\/)/.test(name ?? ''))).toEqual([])
})

test.each([22, 24, 26])('it runs on Node %d', async (major) => {
  const node = await ensureNode(major)
  const { stdout: shown } = await packed.kt(node, '--version')
  expect(shown).toMatch(new RegExp(`^kt-bench/${version.replaceAll('.', '\\.')} \\S+ node-v${major}\\.`))
  const { stdout, stderr } = await packed.kt(node, 'plan', '--input-peak', '80M', '--output-peak', '10M')
  expect(stdout.split('\n')[0]).toMatch(
    /^Deploy 399 pods of 1 vCPU, .* in 3 zones, at \$[\d,]+ a month: network binds$/,
  )
  expect(stderr).toBe('')
  // Starts the installed `kt provider start` and `kt gateway start`, and measures through them.
  const bench = await packed.kt(
    node,
    ...'bench --requests 20 --concurrency 2 --max-tokens 2 --warmup 4 --json'.split(' '),
  )
  expect(JSON.parse(bench.stdout)).toMatchObject({
    machine: { node: expect.stringMatching(new RegExp(`^${major}\\.`)) },
    arms: [
      { role: 'gateway', totals: { sent: 20, successful: 20 } },
      { baseline: true, role: 'direct' },
    ],
  })
})
