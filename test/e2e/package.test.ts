// The package that users install: it holds what run time needs and nothing else, and runs on each supported Node.
import { execFile } from 'node:child_process'
import { copyFileSync, cpSync, globSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EXIT } from '../../src/errors.ts'
import { ensureNode } from '../setup/node-versions.ts'
import { type PackedKt, packAndInstall } from '../setup/packed.ts'
import { blocksOf, readPage } from '../support/pages.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
let packed: PackedKt

beforeAll(async () => {
  packed = await packAndInstall()
})

afterAll(() => packed?.remove())

test('it holds exactly what run time needs', () => {
  // What runs in a page is a part of the bundle, dist/src/plots/engine.js.
  const compiled = globSync(['src/**/*.ts', 'reference-gateway/**/*.ts'], { cwd: root })
    .filter((file) => !file.startsWith('src/page/browser/'))
    .map((file) => `dist/${file.replace(/\.ts$/, '.js')}`)
  const data = globSync(['profiles/**', 'fixtures/*.schema.json', 'fixtures/ci/*', 'docs/**', 'examples/**'], {
    cwd: root,
    // Programs come from a clone's installer; of a field trial its page is enough.
    exclude: ['examples/gateways/**', 'docs/field/*.{html,json}'],
  }).filter((path) => statSync(join(root, path)).isFile())
  const top = ['ARCHITECTURE', 'CHANGELOG', 'CONTRIBUTING', 'README', 'SECURITY'].map((name) => `${name}.md`)
  const single = ['bin/run.js', 'oclif.manifest.json', 'package.json', 'reference-gateway/gateway.yaml', 'LICENSE']
  const gateway = ['reference-gateway/README.md']
  const [types, others] = [packed.files.filter(isTypes), packed.files.filter((file) => !isTypes(file))]
  expect(others).toEqual([...compiled, ...data, ...top, ...gateway, ...single].sort())
  expect(types).toContain('dist/src/api/index.d.ts')
  expect(types.filter((file) => /^dist\/(?:reference-gateway|src\/commands)\//.test(file))).toEqual([])
})

test('it exports its JSON Schemas by their names, and its package.json', () => {
  const resolve = createRequire(join(packed.folder, 'index.js'))
  const schemas = globSync('fixtures/*.schema.json', { cwd: root }).map((path) => basename(path, '.schema.json'))
  expect(schemas).toEqual(expect.arrayContaining(['kt.bench.1', 'kt.bench.2']))
  for (const name of schemas)
    expect(resolve(`kt-bench/schemas/${name}`)).toMatchObject({
      $id: expect.stringContaining(name.replace(/\.\d+$/, '')),
    })
  expect(resolve('kt-bench/package.json')).toMatchObject({ version })
})

test('it is small', ({ annotate }) => {
  annotate(`${packed.files.length} files, ${packed.sizeBytes} bytes packed, ${packed.unpackedBytes} unpacked`)
  // A fifth of a megabyte of it is ECharts, which draws the plots of pages.
  expect(packed.sizeBytes).toBeLessThan(1.25 * 1024 ** 2)
})

test('its pages link to nothing that it does not hold', () => {
  const pages = packed.files.filter((path) => path.endsWith('.md'))
  expect(pages.length).toBeGreaterThan(15)
  const lost = pages.flatMap((page) =>
    linksOf(readFileSync(join(packed.folder, 'node_modules', 'kt-bench', page), 'utf8'))
      .map((link) => normalize(join(dirname(page), link)))
      .filter((path) => !packed.files.includes(path) && !packed.files.some((file) => file.startsWith(`${path}/`)))
      .map((path) => `${page}: ${path}`),
  )
  expect(lost).toEqual([])
})

function isTypes(file: string): boolean {
  return file.endsWith('.d.ts')
}

/** Files that a page links to or shows. */
function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

test('installed without what is optional it takes less than 40 MB', async () => {
  const { stdout } = await run('du', ['-sk', '--apparent-size', packed.folder])
  const { stdout: onDisk } = await run('du', ['-sk', packed.folder])
  process.stdout.write(`installed: ${stdout.split('\t')[0]} kB, on disk ${onDisk.split('\t')[0]} kB\n`)
  // Of 1,024 kB each, as du counts them.
  expect(Number(onDisk.split('\t')[0])).toBeLessThan(40 * 1_024)
})

test('what is optional is named when a run wants it, with what installs it', async () => {
  const node = await ensureNode(24)
  const plan = ['plan', '--rps', '10', '--profile', 'chat', '--out', join(packed.folder, 'deploy')]
  await expect(packed.kt(node, ...plan, '--emit', 'kubernetes')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^kt: --emit kubernetes needs kubernetes-models and @kubernetes-models\/keda, which .* bring\n {4}Install/,
    ),
  })
  expect((await packed.kt(node, ...plan, '--emit', 'kong')).stderr).toMatch(/^kt: wrote /)
  const rows = join(packed.folder, 'rows.parquet')
  copyFileSync(join(root, 'fixtures/datasets/prompts.zstd.parquet'), rows)
  await expect(packed.kt(node, 'bench', '--prompts', rows, '--dry-run')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/kt: Parquet needs hyparquet, which kt does not bring\n {4}Install/),
  })
  const report = join(root, 'fixtures/reports/paired.json')
  await expect(packed.kt(node, 'report', report, '--png', join(packed.folder, 'plots'))).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^kt: --png needs @resvg\/resvg-js, .*\n {4}Install .*@resvg\/resvg-js@2\.6\.2/),
  })
  const config = join(packed.folder, 'gateway.yaml')
  for (const [yaml, named] of [
    ['events: { otlp: { endpoint: "http://127.0.0.1:9/v1/traces" } }', '@opentelemetry/api'],
    ['cache: { enabled: true, backend: redis }', 'ioredis'],
  ] as const) {
    writeFileSync(config, `gateway: { port: 0, ${yaml} }`)
    await expect(packed.kt(node, 'gateway', 'start', '--config', config)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`npm install ${named}@`),
    })
  }
})

test('it draws pages and plots without a library beside it', async () => {
  const report = join(root, 'fixtures/reports/paired.json')
  const page = join(packed.folder, 'page.html')
  await packed.kt(await ensureNode(24), 'report', report, '-o', page)
  expect(readFileSync(page, 'utf8')).toMatch(/<svg[^>]*>[\s\S]*<path/)
  const { stderr } = await packed.kt(await ensureNode(24), 'report', report, '--svg', join(packed.folder, 'drawn'))
  expect(stderr).toMatch(/wrote .*latency-cdf\.svg/)
})

test('it is a library with types that need nothing else', async () => {
  const node = await ensureNode(24)
  const script =
    "import('kt-bench').then(async (kt) => console.log(JSON.stringify([Object.keys(kt), kt.EXIT.breached])))"
  const { stdout } = await run(node, ['--input-type=module', '--eval', script], { cwd: packed.folder })
  expect(JSON.parse(stdout)).toEqual([
    ['EXIT', 'UserError', 'bench', 'compare', 'judge', 'plan', 'readReport', 'sweep'],
    EXIT.breached,
  ])
  // The blocks of the page: an import, uses of it, and a test of its own.
  const [imports = '', uses = '', gate = ''] = blocksOf(readPage('docs/library.md'), 'ts')
  writeFileSync(join(packed.folder, 'use.mts'), USE)
  writeFileSync(join(packed.folder, 'page.mts'), `${imports}${uses}console.log(later, answer, fleet, compare)`)
  expect(gate).toContain("test('the gateway adds")
  const types = join(root, 'node_modules', '@types')
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  await run(tsc, [...options, '--typeRoots', types, 'use.mts', 'page.mts'], { cwd: packed.folder })
})

/** Right and wrong uses, as a compiler sees them. */
const USE = `import { bench, type BenchInput, type BenchReport, compare, judge, plan, readReport } from 'kt-bench'
const input: BenchInput = { url: 'http://x', requests: 4, budget: '7ms', stream: true, threshold: ['a'], label: 'a=b' }
const report: BenchReport = (await bench(input, { note: (line: string) => void line })).report
const p99: number | undefined = report.arms[0].overhead[0]?.totalMs.p99
const gate: 'pass' | 'fail' | 'inconclusive' | undefined = compare(report, 'x.json', { budget: '7ms' }).gate?.verdict
const why: string | undefined = judge(readReport('x'), { budget: 7 })?.checks[0]?.why
const peak: number = (await plan({ inputPeak: '80M', outputPeak: 1 })).answer.workers.peak
// @ts-expect-error there is no such option
bench({ urll: 'x' })
// @ts-expect-error what is printed is not for a library
bench({ json: true })
console.log(p99, gate, why, peak)
`

test('the example gates a latency inside a vitest test', async () => {
  const folder = join(packed.folder, 'gate')
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  cpSync(join(packed.folder, 'node_modules', 'kt-bench', 'examples'), folder, { recursive: true })
  symlinkSync(join(root, 'node_modules', 'vitest'), join(folder, 'node_modules', 'vitest'))
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { stdout } = await run(process.execPath, [vitest, 'run', '--root', folder], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1', VITEST: undefined, NODE_ENV: undefined },
  })
  expect(stdout).toMatch(/Tests +1 passed/)
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
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /^Deploy 399 pods of 1 vCPU, .* in 3 zones, at \$[\d,]+ a month: network binds /,
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
