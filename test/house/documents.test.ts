// The public pages hold together: what they name is there, their links lead somewhere, and they fit a reader's window.
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RULES } from '../../src/doctor/rules.ts'
import { anchorsOf, PAGES, proseOf, readPage, root } from '../support/pages.ts'
import { FLOORS, GATEWAY_FLOORS } from './floors.ts'

const LINE = 120
const CELL = 200
const TOP = new Set(readdirSync(root))
const ci = globSync('fixtures/ci/*', { cwd: root })

/** What stands in backticks and looks like a path of this project. A `*` is a pattern that must match something. */
function pathsIn(text: string): string[] {
  return [...proseOf(text).matchAll(/`([^`\n]+)`/g)]
    .flatMap(([, code = '']) => code.split(' '))
    .filter((code) => /^[\w.@*-]+(?:\/[\w.@*-]+)*\/?$/.test(code))
    .filter((code) => (code.includes('/') && TOP.has(code.split('/')[0] ?? '')) || /^\w.*\.ts$|^[A-Z]+\.md$/.test(code))
}

function isThere(path: string): boolean {
  return path.includes('*') ? globSync(path, { cwd: root }).length > 0 : existsSync(join(root, path))
}

/** Links that lead nowhere: to a file that is not there, or to a heading that its page does not have. */
function lostLinks(page: string, text: string): string[] {
  const targets = [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : normalize(join(dirname(page), path))
      if (!existsSync(join(root, file))) return true
      return anchor !== undefined && !anchorsOf(file === page ? text : readPage(file)).includes(anchor)
    })
}

/** Lines over the width; of a table its cells are measured, since a row cannot be broken. */
function tooWide(text: string): string[] {
  return text.split('\n').filter((line) => {
    if (!line.startsWith('|')) return [...line].length > LINE
    return line.split(/(?<!\\)\|/).some((cell) => [...cell.trim()].length > CELL)
  })
}

/** Advice to install by a name that no registry has. */
const BY_NAME = /\b(?:npm|npx|pnpm|yarn)\s[^\n`]*\bkt-bench(?:\s|@|`|$)/m

describe.each(PAGES)('%s', (page) => {
  const text = readPage(page)

  test('every path it names is there', () => {
    // A changelog may name what is gone by now.
    const named = page === 'CHANGELOG.md' ? [] : pathsIn(text)
    expect(named.filter((path) => !isThere(path))).toEqual([])
  })

  test('every link of it leads to a file and a heading', () => {
    expect(lostLinks(page, text)).toEqual([])
  })

  test('its lines and cells fit', () => {
    expect(tooWide(text)).toEqual([])
  })
})

test('the README is short, but for the table of the field trial', () => {
  const text = readPage('README.md').replace(/\n<!-- field -->[\s\S]*<!-- \/field -->\n/, '')
  expect(text.split('\n').length).toBeLessThanOrEqual(160)
})

test('every page of docs/ is linked from the README', () => {
  const readme = readPage('README.md')
  expect(PAGES.filter((page) => page.startsWith('docs/') && !readme.includes(`](${page}`))).toEqual([])
})

test('docs/doctor.md names every rule of the doctor', () => {
  const text = readPage('docs/doctor.md')
  expect(RULES.map(({ id }) => id).filter((id) => !text.includes(`\`${id}\``))).toEqual([])
})

test('nobody is told to install kt by a name that no registry has', () => {
  const files = [...PAGES, ...ci]
  expect(files.filter((file) => BY_NAME.test(readFileSync(join(root, file), 'utf8')))).toEqual([])
})

test('nothing names a repository that may be anybody’s as that of kt', () => {
  const files = [...PAGES, ...ci, 'package.json', 'action.yml', ...globSync('.github/workflows/*', { cwd: root })]
  expect(files.filter((file) => /github\.com\/kt-bench/i.test(readFileSync(join(root, file), 'utf8')))).toEqual([])
  const manifest: object = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(Object.keys(manifest)).not.toEqual(expect.arrayContaining(['repository']))
})

test('ARCHITECTURE.md draws the floors as the import test holds them, and has a line for each room', () => {
  const text = readPage('ARCHITECTURE.md')
  // Drawn from the top down, a floor a line; what follows two spaces is a remark.
  const drawn = (heading: string): string[][] => {
    const [, block = ''] =
      new RegExp(`^## ${heading}\\n[\\s\\S]*?^\`\`\`text\\n([\\s\\S]*?)^\`\`\``, 'm').exec(text) ?? []
    return block
      .trim()
      .split('\n')
      .map((line) => (line.split(/ {2,}/)[0] ?? '').split(' '))
      .reverse()
  }
  expect(drawn('Floors')).toEqual(FLOORS)
  expect(drawn('The floors of the gateway')).toEqual(GATEWAY_FLOORS)
  const rooms = readdirSync(join(root, 'src')).map((name) => (name.endsWith('.ts') ? `src/${name}` : `src/${name}/`))
  const folders = GATEWAY_FLOORS.flat().map((name) =>
    name === 'gateway' ? 'reference-gateway/' : `reference-gateway/${name}/`,
  )
  const rows = [...text.matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell).join(' ')
  expect([...rooms, ...folders].filter((room) => !rows.includes(`\`${room}\``))).toEqual([])
})

test('what the checks rest on can fail', () => {
  expect(pathsIn('`src/nowhere/a.ts` `node no.ts` `/readyz` `application/json` `kt bench` `report.json`')).toEqual([
    'src/nowhere/a.ts',
    'no.ts',
  ])
  expect(isThere('src/nowhere/a.ts')).toBe(false)
  expect(isThere('src/*.ts')).toBe(true)
  const text =
    '# One two\n## A `b`, c!\n[a](#one-two) [b](#a-b-c) [c](#three) [d](docs/none.md) [e](https://example.org)'
  expect(lostLinks('README.md', text)).toEqual(['#three', 'docs/none.md'])
  expect(tooWide(`${'a'.repeat(121)}\n| ${'b'.repeat(201)} |\n| ${'c'.repeat(150)} | d |`)).toHaveLength(2)
  expect(BY_NAME.test('npm install --global kt-bench')).toBe(true)
  expect(BY_NAME.test('npm install --global ./kt-bench-0.1.0.tgz')).toBe(false)
})
