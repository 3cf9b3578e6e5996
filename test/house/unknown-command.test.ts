// A mistyped command gets the nearest one.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { explainUnknown } from '../../src/hooks/command-not-found.ts'

const run = promisify(execFile)
const bin = new URL('../../bin/run.js', import.meta.url).pathname
const ids = ['bench', 'bench:compare', 'plan', 'gateway:start']

test.each([
  ['plann', "kt: there is no command 'plann'\n    Did you mean 'kt plan'?"],
  ['bench compar', "kt: there is no command 'bench compar'\n    Did you mean 'kt bench compare'?"],
  ['gatewey start', "kt: there is no command 'gatewey start'\n    Did you mean 'kt gateway start'?"],
  ['plan 80M', "kt: 'kt plan' takes no argument '80M'\n    See 'kt plan --help'."],
  ['frobnicate', "kt: there is no command 'frobnicate'\n    See 'kt --help' for the list of commands."],
])('kt %s', (typed, message) => {
  expect(explainUnknown(typed, ids, 'kt')).toBe(message)
})

test('as a user sees it: stderr, exit 2, no stack', async () => {
  await expect(run(process.execPath, [bin, 'plann', '--input-peak', '80M'])).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: "kt: there is no command 'plann'\n    Did you mean 'kt plan'?\n",
  })
})
