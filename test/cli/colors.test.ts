// Colours: a flag wins over FORCE_COLOR, that over NO_COLOR and dumb terminals, and these over the terminal.
import { expect, test } from 'vitest'
import { isColored } from '../../src/cli/colors.ts'
import { kt } from '../support/kt.ts'

const TERMINAL = { isTTY: true }
const PIPE = {}

test.each([
  [TERMINAL, undefined, {}, true],
  [PIPE, undefined, {}, false],
  [TERMINAL, undefined, { NO_COLOR: '1' }, false],
  [TERMINAL, undefined, { TERM: 'dumb' }, false],
  [PIPE, undefined, { FORCE_COLOR: '1' }, true],
  [PIPE, undefined, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  [TERMINAL, undefined, { FORCE_COLOR: '0' }, false],
  [PIPE, true, { NO_COLOR: '1' }, true],
  [TERMINAL, false, { FORCE_COLOR: '1' }, false],
])('%j, asked %s, %j: %s', (stream, asked, environment, colored) => {
  expect(isColored(stream, asked, environment)).toBe(colored)
})

test('the commands heed it', async () => {
  const args = ['bench', '--no-config', '--dry-run']
  const bold = '\u001B[1m'
  expect((await kt(args)).stdout).not.toContain(bold)
  expect((await kt([...args, '--color'])).stdout).toContain(bold)
  expect((await kt(args, { FORCE_COLOR: '1' })).stdout).toContain(bold)
  expect((await kt([...args, '--no-color'], { FORCE_COLOR: '1' })).stdout).not.toContain(bold)
})
