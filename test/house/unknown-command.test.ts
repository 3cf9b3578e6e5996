// A mistyped command gets the nearest one.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { explainUnknown } from '../../src/hooks/command-not-found.ts'

const run = promisify(execFile)
const bin = new URL('../../bin/run.js', import.meta.url).pathname
const ids = ['bench', 'bench:compare', 'plan', 'gateway:start']
const takesUrl = (id: string): boolean => id === 'bench'

test.each([
  ['plann', "kt: there is no command 'plann'\n    Did you mean 'kt plan'?"],
  ['bench compar', "kt: there is no command 'bench compar'\n    Did you mean 'kt bench compare'?"],
  ['gatewey start', "kt: there is no command 'gatewey start'\n    Did you mean 'kt gateway start'?"],
  ['plan 80M', "kt: 'kt plan' takes no argument '80M'\n    See 'kt plan --help'."],
  ['bench http://a:1/v1', "kt: 'kt bench' takes no argument 'http://a:1/v1'\n    Did you mean --url http://a:1/v1?"],
  ['bench a.test:8000', "kt: 'kt bench' takes no argument 'a.test:8000'\n    Did you mean --url http://a.test:8000?"],
  [
    'bench https://me:pw@a.test',
    "kt: 'kt bench' takes no argument 'https://***@a.test'\n    Did you mean --url https://***@a.test?",
  ],
  ['plan http://a:1', "kt: 'kt plan' takes no argument 'http://a:1'\n    See 'kt plan --help'."],
  ['http://a:1', "kt: there is no command 'http://a:1'\n    Did you mean 'kt bench --url http://a:1'?"],
  ['frobnicate', "kt: there is no command 'frobnicate'\n    See 'kt --help' for the list of commands."],
])('kt %s', (typed, message) => {
  expect(explainUnknown(typed.split(' '), ids, 'kt', takesUrl)).toBe(message)
})

test('as a user sees it: stderr, exit 2, no stack', async () => {
  await expect(run(process.execPath, [bin, 'plann', '--input-peak', '80M'])).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: "kt: there is no command 'plann'\n    Did you mean 'kt plan'?\n",
  })
})

test.each([
  [['bench', 'http://127.0.0.1:1/v1'], "'kt bench' takes no argument 'http://127.0.0.1:1/v1'"],
  [['bench', '--requests', '3', 'http://127.0.0.1:1/v1'], 'Unexpected argument: http://127.0.0.1:1/v1'],
  [['doctor', 'http://127.0.0.1:1/v1'], 'the argument is the file of a config, not an address'],
])('an address as an argument, not mangled: kt %s', async (args, message) => {
  await expect(run(process.execPath, [bin, ...args])).rejects.toMatchObject({
    code: 2,
    stderr: `kt: ${message}\n    Did you mean --url http://127.0.0.1:1/v1?\n`,
  })
})
