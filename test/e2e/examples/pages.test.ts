// Every `sh` block of the public pages is run, and every example of every --help: by the files beside this one, a slice
// each. What needs a key, a build or minutes stands in a `console` block, which is not run. What is here runs none of
// them: which commands there are, and what the pages quote of kt.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { OUTCOMES } from '../../../src/wire/outcome.ts'
import { kt } from '../../support/kt.ts'
import { blocksOf, commandsOf, helpExamples, PAGES, readPage } from '../../support/pages.ts'
import { documentsOf, SLICES } from './slices.ts'

test('each documented command is in exactly one slice, and each slice in a file', () => {
  const documented = new Set([...PAGES.flatMap((page) => commandsOf(readPage(page))), ...helpExamples()])
  const sliced = SLICES.flatMap((slice) => documentsOf(slice).flatMap(([, commands]) => commands))
  expect(documented.size).toBeGreaterThan(150)
  expect(sliced.toSorted()).toEqual([...documented].sort())
  for (const slice of SLICES) {
    expect(readFileSync(join(import.meta.dirname, `${slice}.test.ts`), 'utf8')).toContain(`runSlice('${slice}')`)
  }
})

test('the README has an example of each question', () => {
  const commands = commandsOf(readPage('README.md'))
  for (const name of ['kt bench', 'kt bench compare', 'kt plan']) {
    expect(commands.some((command) => command.startsWith(name))).toBe(true)
  }
})

test('the pages have examples of every command', () => {
  const commands = PAGES.flatMap((page) => commandsOf(readPage(page)))
  const names = ['bench sweep', 'bench history', 'slo check', 'plan', 'doctor', 'provider start', 'gateway start']
  const others = [
    'provider record',
    'provider fit',
    'gateway check',
    'cache stats',
    'cache clear',
    'events tail',
    'events stats',
    'capacity estimate',
  ]
  expect([...names, ...others].filter((name) => !commands.some((command) => command.startsWith(`kt ${name}`)))).toEqual(
    [],
  )
})

test('what docs/planning.md prints is what the plan prints: paste it again where it moved', async () => {
  const { stdout } = await kt(['plan', '--input-peak', '80M', '--output-peak', '10M', '--explain'])
  expect(blocksOf(readPage('docs/planning.md'), 'text')).toContain(stdout)
})

test('the README quotes the table of exit codes', () => {
  const quoted = [...readPage('README.md').matchAll(/^\| (\d+) \| /gm)].map((match) => Number(match[1]))
  expect(quoted).toEqual(Object.values(EXIT))
})

test('docs/outcomes.md lists every class of outcome, in its own words', () => {
  const listed = [...readPage('docs/outcomes.md').matchAll(/^\| `(KT_\w+|OK)` \| (.*?) \|/gm)].map((row) =>
    row.slice(1, 3),
  )
  expect(listed).toEqual(Object.entries(OUTCOMES).map(([code, { means }]) => [code, means]))
})
