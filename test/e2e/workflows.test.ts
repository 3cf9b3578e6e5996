// The workflows in fixtures/ci: valid YAML of the right shape, and every kt line in them is one that kt accepts.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type Command, Parser } from '@oclif/core'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { parseMaxRegression, parseThresholds } from '../../src/verdict/thresholds.ts'

const folder = new URL('../../fixtures/ci/', import.meta.url)
const commands = new URL('../../src/commands/', import.meta.url)
const files = readdirSync(folder)

/** Every string of the document, wherever it stands: scripts are among them. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(strings)
}

/** The kt lines of all scripts, as words; redirections and the ampersand left out. */
function ktLines(document: unknown): string[][] {
  return strings(document)
    .flatMap((text) => text.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line.startsWith('kt '))
    .map((line) => {
      const words = [...line.replace(/\s*(?:>|2>&1|&\s*$).*$/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)]
      return words.slice(1).map(([, single, double, bare]) => single ?? double ?? bare ?? '')
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
      parseThresholds(flags.threshold ?? [])
      if (flags['max-regression']) parseMaxRegression(flags['max-regression'])
      // What goes together and what does not is the bench's own to say.
      if (words[0] === 'bench' && words[1]?.startsWith('--')) parseBenchOptions({ values: flags })
    },
  )
})

it('a line with a mistyped flag would be found', async () => {
  const [words = []] = ktLines({ script: ['kt bench compare a.json b.json --buget 7ms > log 2>&1 &'] })
  expect(words).toEqual(['bench', 'compare', 'a.json', 'b.json', '--buget', '7ms'])
  const { command, argv } = await commandOf(words)
  await expect(Parser.parse(argv, { args: command.args, flags: command.flags, strict: true })).rejects.toThrow('buget')
})
