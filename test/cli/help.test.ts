// The pages of --help: they fit 80 columns, begin with what a command needs first, and end with exit codes and the
// environment. Help and version are there wherever one asks for them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { EXIT_MEANINGS } from '../../src/errors.ts'
import { OTHER_NAMES } from '../../src/parse/flag-names.ts'
import { kt } from '../support/kt.ts'
import { readPage, root } from '../support/pages.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const flagSchema = z.object({
  description: z.string().optional(),
  char: z.string().optional(),
  aliases: z.array(z.string()).optional(),
  options: z.array(z.string()).optional(),
})
const manifest = z
  .object({ commands: z.record(z.string(), z.object({ flags: z.record(z.string(), flagSchema) })) })
  .parse(JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')))
const ids = Object.keys(manifest.commands)
const flags = Object.entries(manifest.commands).flatMap(([id, command]) =>
  Object.entries(command.flags).map(([name, flag]) => ({ id, name, ...flag })),
)

test.each(ids)('kt %s --help fits 80 columns and ends with exit codes and the environment', async (id) => {
  const { code, stdout } = await run([...id.split(':'), '--help'])
  expect(code).toBe(0)
  const long = stdout.split('\n').filter((line) => line.length > 80 && !line.includes('https://'))
  expect(long).toEqual([])
  expect(stdout).toMatch(/EXIT CODES\n.*\nENVIRONMENT\n/s)
  expect(stdout).not.toMatch(/\(default: |undefined|\[default: [^\]]*$/)
})

test('the sections of kt bench begin with the target', async () => {
  const { stdout } = await run(['bench', '--help'])
  const sections = [...stdout.matchAll(/^[A-Z][A-Z ]+$/gm)].map(([title]) => title)
  expect(sections.slice(0, 6)).toEqual([
    'USAGE',
    'ARGUMENTS',
    'TARGET FLAGS',
    'REQUEST FLAGS',
    'LOAD FLAGS',
    'RESULT FLAGS',
  ])
  expect(stdout.indexOf('--url')).toBeLessThan(stdout.indexOf('--requests'))
})

test('kt --help names each command once, topics by what they are for', async () => {
  const { stdout } = await run(['--help'])
  const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(names.slice(0, 2)).toEqual(['bench', 'doctor'])
  expect(names.indexOf('report')).toBeLessThan(names.indexOf('autocomplete'))
  expect(names).toEqual(expect.arrayContaining(['plan', 'gateway', 'profiles', 'init', 'help', 'autocomplete']))
  expect(stdout).toMatch(/version +Show which kt this is/)
  expect(stdout).toMatch(/gateway +Run the reference gateway/)
})

test.each([['-h'], ['help'], ['help', 'bench'], ['bench', '-h'], ['bench', 'help'], ['help', 'bench', 'compare']])(
  'kt %s %s shows help',
  async (...args) => {
    const { code, stdout, stderr } = await kt(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('USAGE')
  },
)

test.each([['-v'], ['-V'], ['--version'], ['version'], ['bench', '-v'], ['plan', 'check', '--version']])(
  'kt %s %s shows the version',
  async (...args) => {
    const { code, stdout } = await kt(args)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^kt-bench\/\d+\.\d+\.\d+ \S+ node-v\d+/)
  },
)

test('every flag says what it is for, and no two flags of a command share a name', () => {
  expect(flags.filter(({ description = '' }) => description.trim() === '')).toEqual([])
  for (const id of ids) {
    const named = flags.filter((flag) => flag.id === id)
    const names = named.flatMap(({ name, char, aliases = [] }) => [name, ...(char ? [char] : []), ...aliases])
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  }
})

test('help and completion know the words that a flag takes', () => {
  const taking = flags.filter(({ options }) => options).map(({ id, name }) => `${id} --${name}`)
  const some = ['bench --arrival', 'bench --endpoint', 'bench --pairing', 'bench --realtime', 'bench --inconclusive']
  const others = ['bench:compare --mode', 'doctor --severity', 'plan --upstream-http', 'plan:instances --cloud']
  expect(taking).toEqual(expect.arrayContaining([...some, ...others]))
})

test('completion can be set up', async () => {
  const dir = tempDir()
  const { code, stdout } = await kt(['autocomplete', 'bash'], { XDG_CACHE_HOME: dir.path })
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('kt autocomplete') })
  const functions = readFileSync(dir.file('kt/autocomplete/functions/bash/kt.bash'), 'utf8')
  expect(functions).toMatch(/^bench:compare .*--budget-file/m)
  dir.remove()
})

test('the README has the words of the exit codes, and docs/command-line.md the other names of flags', () => {
  for (const [code, meaning] of Object.entries(EXIT_MEANINGS))
    expect(readPage('README.md')).toContain(`| ${code} | ${meaning} |`)
  const page = readPage('docs/command-line.md')
  const missing = Object.entries(OTHER_NAMES).flatMap(([name, { char, aliases = [] }]) =>
    [`--${name}`, ...(char ? [`-${char}`] : []), ...aliases.map((alias) => `--${alias}`)].filter(
      (one) => !page.includes(`\`${one}\``),
    ),
  )
  expect(missing).toEqual([])
})
