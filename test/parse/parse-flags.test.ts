// One way from text to a value: every flag by its type, then the rules between flags, and all faults in one refusal.
import { Parser } from '@oclif/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { EXIT, failure, UserError } from '../../src/errors.ts'
import { flagGroup, flagsOf, oneOf } from '../../src/parse/flags.ts'
import { Faults, parseFlags, rulesOf } from '../../src/parse/parse-flags.ts'
import { durationMs, positiveCount } from '../../src/parse/quantity.ts'
import { messageOf } from '../support/refusal.ts'

const { text, texts, toggle, yesOrNo } = flagGroup('GROUP')

const definitions = {
  count: text(positiveCount.optional(), 'how many', { example: '10' }),
  wait: text(durationMs.default(500), 'how long'),
  tag: texts(z.array(z.string().min(1, 'must not be empty')).default([]), 'repeatable'),
  color: text(oneOf(['red', 'blue']).optional(), 'which', { helpValue: 'red|blue' }),
  quiet: toggle('say little'),
  check: yesOrNo('look first'),
}

const rule = rulesOf<{ count: number | undefined; wait: number; quiet: boolean }>()
const RULES = [
  rule(
    ['count', 'quiet'],
    ({ count, quiet }) => quiet && count !== undefined && failure('--quiet counts none', 'Drop one.'),
  ),
  rule(
    ['wait', 'quiet'],
    ({ wait, quiet }) => quiet && wait > 500 && failure('--quiet waits 500ms at most', 'Wait less.'),
  ),
]

const parse = (flags: Record<string, unknown>) => parseFlags(flags, definitions, 'kt test', RULES)

describe('values', () => {
  test('texts become values, and what is not given has its default', () => {
    expect(parse({ count: '10k', tag: ['a'], color: 'red' })).toEqual({
      count: 10_000,
      wait: 500,
      tag: ['a'],
      color: 'red',
      quiet: false,
      check: undefined,
    })
  })

  test('the same definitions are the flags of oclif', async () => {
    const argv = ['--count', '3', '--tag', 'a', '--tag', 'b', '--quiet', '--no-check']
    const { flags } = await Parser.parse(argv, { flags: flagsOf(definitions), strict: true })
    expect(flags).toMatchObject({ count: '3', tag: ['a', 'b'], quiet: true, check: false })
    expect(flagsOf(definitions).count).toMatchObject({ description: 'how many', helpGroup: 'GROUP', helpValue: '10' })
  })
})

describe('faults', () => {
  test('one is told with its next step, exit 2', () => {
    expect(messageOf(() => parse({ count: '0' }))).toBe(
      '--count: must be a whole number of at least 1, not 0\nWrite for example --count 10.',
    )
    expect(messageOf(() => parse({ wait: '5' }))).toBe(
      "--wait: '5' is not a duration such as '500ms', '30s' or '5m'\nDid you mean 5s?",
    )
    expect(messageOf(() => parse({ color: 'rod' }))).toContain(
      "--color: 'rod' is none of red, blue (did you mean 'red'?)",
    )
    expect(() => parse({ count: '0' })).toThrow(expect.objectContaining({ exitCode: EXIT.usage }))
  })

  test('several are told together, each with its own next step', () => {
    expect(messageOf(() => parse({ count: '0', wait: 'soon', tag: ['a', ''], color: 'rod', quiet: true }))).toBe(
      [
        '--count: must be a whole number of at least 1, not 0',
        '      Write for example --count 10.',
        "    --wait: 'soon' is not a duration such as '500ms', '30s' or '5m'",
        '    --tag: must not be empty',
        "    --color: 'rod' is none of red, blue (did you mean 'red'?)",
        "See 'kt test --help'.",
      ].join('\n'),
    )
  })

  test('rules between flags are told with the values, and not asked about a faulty one', () => {
    expect(messageOf(() => parse({ count: '5', wait: '2s', quiet: true, color: 'rod' }))).toBe(
      [
        "--color: 'rod' is none of red, blue (did you mean 'red'?)",
        '    --quiet counts none',
        '      Drop one.',
        '    --quiet waits 500ms at most',
        '      Wait less.',
        "See 'kt test --help'.",
      ].join('\n'),
    )
    expect(messageOf(() => parse({ count: 'x', quiet: true }))).not.toContain('counts none')
  })

  test('a key of a file is named by the file', () => {
    const faults = new Faults()
    faults.read(definitions, {
      values: { count: 0, wait: 'x' },
      file: { path: 'a.yaml', keys: new Map([['count', 'count']]) },
    })
    expect(messageOf(() => faults.refuse('kt test'))).toBe(
      [
        'a.yaml: count: must be a whole number of at least 1, not 0',
        "    --wait: 'x' is not a duration such as '500ms', '30s' or '5m'",
        "See 'kt test --help'.",
      ].join('\n'),
    )
  })

  test('a refusal on the way is collected, and what is no refusal goes on', () => {
    const faults = new Faults()
    faults.attempt(() => {
      throw new UserError('no such file', 'Look again.')
    })
    expect(messageOf(() => faults.refuse('kt test'))).toBe('no such file\nLook again.')
    expect(() =>
      faults.attempt(() => {
        throw new TypeError('a bug')
      }),
    ).toThrow(TypeError)
  })

  test('a count that is likely a slip says so', () => {
    const count = { count: text(positiveCount.optional(), 'how many') }
    const told = (given: string) => messageOf(() => parseFlags({ count: given }, count, 'kt test'))
    expect(told('80MB')).toContain('(it is a size in bytes)')
    expect(told('80m')).toContain('(a million is M)')
    expect(told('eighty')).not.toContain('(')
  })
})
