// Every dependency is a choice: the table of docs/dependencies.md names it with its reason.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = new URL('../../docs/dependencies.md', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })

/** Packages without a row of a table that names them first and says something after. */
function unexplained(text: string): string[] {
  return names.filter((name) => {
    const row = text.split('\n').find((line) => line.startsWith('|') && line.split('|')[1]?.includes(`\`${name}\``))
    return (row?.split('|').slice(2).join('').trim().length ?? 0) === 0
  })
}

test('each dependency has a row in the table of docs/dependencies.md', () => {
  expect(unexplained(readFileSync(page, 'utf8'))).toEqual([])
})

test('a package without a row is found', () => {
  const [first = '', ...others] = names
  const rows = others.map((name) => `| \`${name}\` | a reason |`).join('\n')
  expect(unexplained(rows)).toEqual([first])
  expect(unexplained(`${rows}\n| \`${first}\` | |`)).toEqual([first])
  expect(unexplained(`${rows}\n| \`${first}\` | a reason |`)).toEqual([])
})
