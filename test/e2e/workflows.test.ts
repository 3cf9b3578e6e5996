// The workflows in fixtures/ci: valid YAML of the right shape, their installation installs kt, and every kt line in
// them is one that kt accepts.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { type Command, Parser } from '@oclif/core'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { EXIT } from '../../src/errors.ts'
import { maxRegression, threshold } from '../../src/verdict/thresholds.ts'
import { root } from '../support/pages.ts'
import { tempDir } from '../support/temp-dir.ts'

const run = promisify(execFile)

const folder = new URL('../../fixtures/ci/', import.meta.url)
const commands = new URL('../../src/commands/', import.meta.url)
const files = readdirSync(folder)

const actionSchema = z.object({
  inputs: z.record(z.string(), z.object({ description: z.string(), default: z.string() })),
  runs: z.object({ using: z.literal('composite'), steps: z.array(z.object({ run: z.string().optional() })) }),
})

/** Every string of the document, wherever it stands: scripts are among them. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(strings)
}

function linesOf(document: unknown): string[] {
  return strings(document)
    .flatMap((text) => text.split('\n'))
    .map((line) => line.trim())
}

/** The variables that the document sets for its scripts, wherever it sets them. */
function variables(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {}
  const sets = Object.entries(value).map(([name, inner]) =>
    (name === 'env' || name === 'variables') && typeof inner === 'object' ? inner : variables(inner),
  )
  return Object.assign({}, ...sets)
}

/** The lines that install kt. */
function installation(file: string): string[] {
  const lines = linesOf(parse(readFileSync(new URL(file, folder), 'utf8')))
  const last = lines.findIndex((line) => line.startsWith('npm install --global'))
  return lines.slice(
    lines.findIndex((line) => line.startsWith('if [ -z')),
    last + 1,
  )
}

/** The sources as they are now, as a repository to clone. */
async function repositoryIn(path: string): Promise<void> {
  const left = new Set(['node_modules', 'dist', '.git', '.cache', 'coverage'])
  cpSync(root, path, { recursive: true, filter: (from) => !left.has(relative(root, from).split('/')[0] ?? '') })
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.org']
  for (const args of [
    ['init', '--quiet', '--initial-branch', 'main'],
    ['add', '--all'],
    [...author, 'commit', '--quiet', '--message', 'as it is'],
  ])
    await run('git', args, { cwd: path })
}

/** The kt lines of all scripts, as the words that the shell would pass; redirections and the ampersand left out. */
function ktLines(document: unknown): string[][] {
  const set = variables(document)
  return linesOf(document)
    .filter((line) => line.startsWith('kt '))
    .map((line) => {
      const words = [...line.replace(/\s*(?:>|2>&1|&\s*$).*$/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)]
      return words
        .slice(1)
        .map(
          ([, single, double, bare]) =>
            single ?? (double ?? bare ?? '').replace(/\$(\w+)/g, (_, name) => set[name] ?? ''),
        )
    })
}

/** The command that the first words name, as oclif finds it: the longest path that exists. */
async function commandOf(words: string[]): Promise<{ command: Command.Class; argv: string[] }> {
  for (let length = 2; length >= 1; length--) {
    const path = words.slice(0, length).join('/')
    const file = [`${path}.ts`, `${path}/index.ts`].find((name) => existsSync(new URL(name, commands)))
    if (file) return { command: (await import(new URL(file, commands).href)).default, argv: words.slice(length) }
  }
  throw new Error(`no command: ${words.join(' ')}`)
}

describe.each(files)('%s', (file) => {
  const text = readFileSync(new URL(file, folder), 'utf8')
  const document: unknown = parse(text)

  it('is YAML of the shape that its CI reads', () => {
    if (file.startsWith('github')) {
      expect(document).toMatchObject({ on: expect.anything(), jobs: { latency: { steps: expect.any(Array) } } })
    } else {
      expect(document).toMatchObject({ 'gateway-latency': { script: expect.any(Array), artifacts: expect.anything() } })
    }
  })

  it('runs bench, compare and slo check', () => {
    const lines = ktLines(document).map((words) => words.slice(0, 2).join(' '))
    expect(lines).toEqual(expect.arrayContaining(['bench --url', 'bench compare', 'slo check', 'provider start']))
  })

  it.each(ktLines(document).map((words) => [words.join(' '), words] as const))(
    'kt %s is accepted',
    async (_, words) => {
      const { command, argv } = await commandOf(words)
      const { flags } = await Parser.parse(argv, { args: command.args, flags: command.flags, strict: true })
      for (const text of flags.threshold ?? []) threshold.parse(text)
      if (flags['max-regression']) maxRegression.parse(flags['max-regression'])
      // What goes together and what does not is the bench's own to say.
      if (words[0] === 'bench' && words[1]?.startsWith('--')) parseBenchOptions({ values: flags })
    },
  )
})

it('all of them install kt in the same way, and so it is installed', async () => {
  const [lines = [], ...others] = files.map(installation)
  expect(lines.length).toBeGreaterThan(3)
  for (const other of others) expect(other).toEqual(lines)
  const dir = tempDir()
  try {
    await repositoryIn(dir.file('repository'))
    const env = {
      ...process.env,
      TMPDIR: dir.path,
      KT_REPOSITORY: dir.file('repository'),
      KT_REF: 'main',
      npm_config_prefix: dir.file('global'),
      npm_config_prefer_offline: 'true',
    }
    await run('bash', ['-e', '-o', 'pipefail', '-c', lines.join('\n')], { cwd: dir.path, env })
    const { stdout } = await run(join(dir.file('global'), 'bin', 'kt'), ['--version'])
    expect(stdout).toMatch(/^kt-bench\/\d+\.\d+\.\d+ /)
  } finally {
    dir.remove()
  }
}, 600_000)

it('the action installs kt from its own checkout or a tarball, and runs one command with its exit code', async () => {
  const action = actionSchema.parse(parse(readFileSync(join(root, 'action.yml'), 'utf8')))
  expect(Object.keys(action.inputs).sort()).toEqual(['command', 'node-version', 'tarball'])
  const [install = '', command = ''] = action.runs.steps.flatMap(({ run: script }) => script ?? [])
  const dir = tempDir()
  try {
    await repositoryIn(dir.file('repository'))
    const prefix = dir.file('global')
    const env = {
      ...process.env,
      GITHUB_ACTION_PATH: dir.file('repository'),
      GITHUB_OUTPUT: dir.file('output'),
      npm_config_prefix: prefix,
      npm_config_prefer_offline: 'true',
      PATH: `${join(prefix, 'bin')}:${process.env.PATH}`,
    }
    const step = (script: string, more: Record<string, string>) =>
      run('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd: dir.path, env: { ...env, ...more } })
    await step(install, { KT_TARBALL: '' })
    expect(readFileSync(dir.file('output'), 'utf8')).toMatch(/^version=kt-bench\/\d/)
    const words = `plan --rps 10 --profile chat --json`
    const { stdout } = await step(command, { KT_COMMAND: words })
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'kt.plan/1' })
    await expect(step(command, { KT_COMMAND: `plan --rps '$(touch ran)' --profile "a b"` })).rejects.toMatchObject({
      code: EXIT.usage,
      stderr: expect.stringContaining("'$(touch ran)'"),
    })
    expect(existsSync(dir.file('ran'))).toBe(false)
    const [tarball = ''] = readdirSync(dir.file('repository')).filter((name) => name.endsWith('.tgz'))
    await step(install, { KT_TARBALL: join(dir.file('repository'), tarball), GITHUB_ACTION_PATH: dir.path })
  } finally {
    dir.remove()
  }
}, 600_000)

it('a release names the repository that it is made in, and publishes into no name that is not its own', async () => {
  const text = readFileSync(join(root, '.github', 'workflows', 'release.yml'), 'utf8')
  const lines = linesOf(parse(text))
  expect(lines.filter((line) => line.startsWith('npm publish'))).toEqual(['npm publish --provenance --access public'])
  expect(lines.indexOf('npm pkg set name="@$NPM_SCOPE/kt-bench"')).toBe(
    lines.indexOf('npm publish --provenance --access public') - 1,
  )
  const dir = tempDir()
  try {
    cpSync(join(root, 'package.json'), dir.file('package.json'))
    const env = { ...process.env, GITHUB_SERVER_URL: 'https://git.example', GITHUB_REPOSITORY: 'some/one' }
    const stamp = lines.filter((line) => /^npm pkg set (?:repository|homepage|bugs)/.test(line))
    await run('bash', ['-e', '-c', stamp.join('\n')], { cwd: dir.path, env })
    expect(JSON.parse(readFileSync(dir.file('package.json'), 'utf8'))).toMatchObject({
      repository: { type: 'git', url: 'git+https://git.example/some/one.git' },
      homepage: 'https://git.example/some/one#readme',
      bugs: { url: 'https://git.example/some/one/issues' },
    })
  } finally {
    dir.remove()
  }
})

it('a line with a mistyped flag would be found', async () => {
  const [words = []] = ktLines({ script: ['kt bench compare a.json b.json --buget 7ms > log 2>&1 &'] })
  expect(words).toEqual(['bench', 'compare', 'a.json', 'b.json', '--buget', '7ms'])
  const { command, argv } = await commandOf(words)
  await expect(Parser.parse(argv, { args: command.args, flags: command.flags, strict: true })).rejects.toThrow('buget')
})
