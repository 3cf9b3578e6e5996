// What follows from the sources is as they are: `npm run docs` writes it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { generatedFiles } from '../setup/generated-docs.ts'
import { root } from '../support/pages.ts'

test.each(Object.entries(await generatedFiles()))("%s is fresh ('npm run docs' writes it)", (path, text) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(text)
})
