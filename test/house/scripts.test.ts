// Scripts run what is built, so that no compiler follows what they import: each name must be one that its source
// exports.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const IMPORT = /^import (?:\{([^}]*)\}|\* as \w+) from '([^']*\/dist\/[^']*)'$/gm

/** The names that a script imports of the build, with the source of each. */
function importedBy(script: string): { name: string | undefined; source: string }[] {
  return [...readFileSync(join(root, script), 'utf8').matchAll(IMPORT)].flatMap(([, list, path = '']) => {
    const source = normalize(join(dirname(script), path))
      .replace(/^dist\//, '')
      .replace(/\.js$/, '.ts')
    const names = list?.split(',').flatMap((one) => one.trim().split(' as ')[0] || []) ?? [undefined]
    return names.map((name) => ({ name, source }))
  })
}

function exportsIt(source: string, name: string | undefined): boolean {
  if (!existsSync(join(root, source))) return false
  const text = readFileSync(join(root, source), 'utf8')
  return name === undefined || new RegExp(String.raw`^export\b(?:[^\n]*?[ {,])?${name}\b`, 'm').test(text)
}

test('what scripts import of the build is exported by its source', () => {
  const scripts = globSync('{bin,test,examples}/**/*.{js,ts}', { cwd: root, exclude: ['**/node_modules/**'] })
  const all = scripts.flatMap((script) => importedBy(script).map((one) => ({ script, ...one })))
  expect(all.length).toBeGreaterThan(50)
  expect(all.filter(({ name, source }) => !exportsIt(source, name))).toEqual([])
})

test('a name that is gone would be found', () => {
  expect(exportsIt('src/units.ts', 'formatMs')).toBe(true)
  expect(exportsIt('src/units.ts', 'formatM')).toBe(false)
  expect(exportsIt('src/nowhere.ts', undefined)).toBe(false)
})
