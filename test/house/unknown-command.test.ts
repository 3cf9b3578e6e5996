// A mistyped command gets the nearest one, and never a wrong one.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { explainUnknown } from '../../src/cli/unknown-command.ts'

const run = promisify(execFile)
const bin = new URL('../../bin/run.js', import.meta.url).pathname
const TAKES_URL = { flags: { url: {} }, args: { url: {} } }
const COMMANDS = [
  { id: 'bench', ...TAKES_URL },
  { id: 'bench:compare', flags: {}, args: { baseline: {}, gateway: {} } },
  { id: 'gateway:check', flags: {}, args: { file: {} } },
  { id: 'gateway:start', flags: {} },
  { id: 'plan', flags: {} },
  { id: 'slo:check', flags: {}, args: { report: {} } },
]

test.each([
  ['plann', "there is no command 'plann'", "Did you mean 'kt plan'?"],
  ['bnech', "there is no command 'bnech'", "Did you mean 'kt bench'?"],
  ['bench compar', "there is no command 'bench compar'", "Did you mean 'kt bench compare'?"],
  ['bench comapre a b', "there is no command 'bench comapre a b'", "Did you mean 'kt bench compare'?"],
  ['slo chekc r.json', "there is no command 'slo chekc r.json'", "Did you mean 'kt slo check'?"],
  ['gatewey start', "there is no command 'gatewey start'", "Did you mean 'kt gateway start'?"],
  ['gateway strat', "there is no command 'gateway strat'", "Did you mean 'kt gateway start'?"],
  ['gateway foo', "there is no command 'gateway foo'", "There are 'kt gateway check', 'kt gateway start'."],
  ['plan 80M', "'kt plan' takes no argument '80M'", "See 'kt plan --help'."],
  ['plan http://a:1', "'kt plan' takes no argument 'http://a:1'", "See 'kt plan --help'."],
  ['http://a:1', "there is no command 'http://a:1'", "Did you mean 'kt bench http://a:1'?"],
  ['https://me:pw@a.test', "there is no command 'https://***@a.test'", "Did you mean 'kt bench https://***@a.test'?"],
  ['frobnicate', "there is no command 'frobnicate'", "See 'kt --help' for the list of commands."],
])('kt %s', (typed, message, next) => {
  expect(explainUnknown(typed.split(' '), COMMANDS, 'kt')).toEqual({ message, next })
})

test('as a user sees it: stderr, exit 2, no stack, no question where nobody answers', async () => {
  await expect(run(process.execPath, [bin, 'plann', '--input-peak', '80M'])).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: "kt: there is no command 'plann'\n    Did you mean 'kt plan'?\n",
  })
})
