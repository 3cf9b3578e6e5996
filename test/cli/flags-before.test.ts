// What stands before the command, where other command lines take their flags.
import { expect, test } from 'vitest'
import { kt } from '../support/kt.ts'

const plan = ['plan', '--input-peak', '80M', '--output-peak', '10M']

test('flags of every command may stand before it', async () => {
  const [before, behind, plain] = [
    await kt(['--json', '--no-color', '--quiet', ...plan]),
    await kt([...plan, '--json', '--no-color', '--quiet']),
    await kt(['--no-color', ...plan]),
  ]
  expect(before).toEqual(behind)
  expect({ code: before.code, schema: JSON.parse(before.stdout).schema }).toEqual({ code: 0, schema: 'kt.plan/1' })
  expect(plain.stdout).toMatch(/^Deploy /)
  expect((await kt(['--help', 'plan'])).stdout).toContain('$ kt plan')
})

test('another flag there is refused with where it goes, and without its value', async () => {
  const { code, stdout, stderr } = await kt(['--api-key=sk-secret', 'bench'])
  expect(stderr).toBe('kt: --api-key stands before the command\n    Write it behind: kt COMMAND --api-key.\n')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})
