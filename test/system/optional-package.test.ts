// A large package that is not installed is named, with the command that installs it; any other fault stays one.
import { expect, test } from 'vitest'
import { UserError } from '../../src/errors.ts'
import { loadOptional, requireOptional } from '../../src/system/optional-package.ts'

const missing = () => import(`kt-no-such-package${''}`)

test('one that is there is loaded', async () => {
  const loaded = await loadOptional(['gpt-tokenizer'], 'counting', () => import('gpt-tokenizer/encoding/o200k_base'))
  expect(loaded.ok && loaded.value.countTokens('hello world')).toBe(2)
})

test('one that is missing is named, with what installs it', async () => {
  expect(await loadOptional(['kt-no-such-package', 'gpt-tokenizer'], '--emit kubernetes', missing)).toEqual({
    ok: false,
    why: '--emit kubernetes needs kt-no-such-package and gpt-tokenizer, which kt does not bring',
    next: 'Install beside kt: npm install kt-no-such-package gpt-tokenizer@4.0.0 (with --global where kt is global).',
  })
  await expect(requireOptional(['kt-no-such-package'], 'it', missing)).rejects.toBeInstanceOf(UserError)
})

test('a fault within a package, or a file of kt that is missing, is no missing package', async () => {
  await expect(loadOptional(['a'], 'it', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  await expect(loadOptional(['a'], 'it', missing)).rejects.toThrow('kt-no-such-package')
})
