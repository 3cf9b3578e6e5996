// Whoever has a checkout can run every test: none reads a file that lies beside it.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const CLIMB = /(?<=['"`])(?:\.\.\/)+[\w$./{}-]*/g
/** A folder beside the checkout that tests once read, and were skipped without. */
const BESIDE = /\bshared[/]/g

/** The paths in `source`, the text of `file`, that lead out of the checkout. */
function pathsOut(file: string, source: string): string[] {
  const climbs = [...source.matchAll(CLIMB)].map(([path]) => path)
  const out = climbs.filter((path) => normalize(join(dirname(file), path)).startsWith('..'))
  return [...out, ...[...source.matchAll(BESIDE)].map(([path]) => path)]
}

test('no test reads a file outside of the checkout', () => {
  const files = globSync('{test,bin,profiles,fixtures}/**/*.{ts,js,md,yaml}', { cwd: root })
  expect(files.length).toBeGreaterThan(200)
  const found = files.flatMap((file) =>
    pathsOut(file, readFileSync(join(root, file), 'utf8')).map((path) => `${file}: ${path}`),
  )
  expect(found).toEqual([])
})

test('the check can fail', () => {
  const far = '../'.repeat(3)
  expect(pathsOut('test/wire/a.test.ts', `new URL('${far}data/a.csv')`)).toEqual([`${far}data/a.csv`])
  expect(pathsOut('test/wire/a.test.ts', "import { a } from '../../src/a.ts'")).toEqual([])
  expect(pathsOut('test/a.ts', `// see ${['shared', 'data'].join('/')}`)).toHaveLength(1)
})
