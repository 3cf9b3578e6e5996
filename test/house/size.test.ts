// A file is one subject: none is so long that it holds two.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const MOST_LINES = 350

test(`no file of the sources is longer than ${MOST_LINES} lines`, () => {
  const files = globSync('{src,reference-gateway}/**/*.ts', { cwd: root })
  expect(files.length).toBeGreaterThan(300)
  const long = files
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MOST_LINES)
  expect(long).toEqual([])
})
