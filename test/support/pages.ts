/** The public pages: Markdown of the root, of docs/ and of the gateway, with what the tests read of them. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const PATTERNS = ['*.md', 'docs/**/*.md', 'examples/**/*.md', 'reference-gateway/*.md']
/** Paths of all pages, from the root. */
export const PAGES: readonly string[] = globSync(PATTERNS, { cwd: root }).sort()

export function readPage(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

const FENCE = /^ {0,3}```(\S*)[^\n]*\n([\s\S]*?)^ {0,3}```$/gm

/** The contents of the fenced blocks in one language. */
export function blocksOf(text: string, language: string): string[] {
  return [...text.matchAll(FENCE)].filter(([, name]) => name === language).map(([, , block = '']) => block)
}

/** The page without its fenced blocks. */
export function proseOf(text: string): string {
  return text.replaceAll(FENCE, '')
}

/** The commands of all `sh` blocks, continued lines joined. */
export function commandsOf(text: string): string[] {
  return blocksOf(text, 'sh').flatMap((block) =>
    block
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .filter((line) => line.trim() !== ''),
  )
}

const manifestSchema = z.object({
  commands: z.record(z.string(), z.object({ id: z.string(), examples: z.array(z.string()).default([]) })),
})

/** The examples of every --help, as the build has written them down. */
export function helpExamples(): string[] {
  const { commands } = manifestSchema.parse(JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')))
  return Object.values(commands).flatMap(({ id, examples }) =>
    examples.map((example) =>
      example.replaceAll('<%= config.bin %>', 'kt').replaceAll('<%= command.id %>', id.replaceAll(':', ' ')),
    ),
  )
}

/** What `documentedCommands` calls the examples of every --help. */
export const HELP = 'the examples of --help'

/**
 * The commands of every page and then of every --help, by the document that is the first to have them: what several
 * show counts once.
 */
export function documentedCommands(): Map<string, string[]> {
  const documents = PAGES.map((page) => ({ document: page, commands: commandsOf(readPage(page)) }))
  const known = new Set<string>()
  const first = new Map<string, string[]>()
  for (const { document, commands } of [...documents, { document: HELP, commands: helpExamples() }]) {
    const own = [...new Set(commands)].filter((command) => !known.has(command))
    if (own.length > 0) first.set(document, own)
    for (const command of own) known.add(command)
  }
  return first
}

/** Splits a command as a shell does, for the two kinds of quotes that the pages use. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>()
  return [...proseOf(text).matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-')
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return before === 0 ? slug : `${slug}-${before}`
  })
}
