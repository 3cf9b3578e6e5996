// kt init and kt profiles: files of one's own to begin with, that replace nothing; and kt.yaml, found in the folder.
import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

test('kt init writes a kt.yaml that kt bench takes, and replaces none', async () => {
  const file = dir.file('kt.yaml')
  const made = await run(['init', 'http://127.0.0.1:1', '--file', file])
  expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining('wrote ') })
  const text = readFileSync(file, 'utf8')
  expect(text).toMatch(/^url: http:\/\/127\.0\.0\.1:1$/m)
  expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toHaveLength(1)
  const again = await run(['init', '--file', file])
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already, and is not replaced') })
  expect(readFileSync(file, 'utf8')).toBe(text)
  // Every key that it offers is one.
  const whole = dir.write('all.yaml', text.replaceAll(/^#(?=\w| {2}\w)/gm, ''))
  const { stderr } = await run(['bench', '--config', whole, '--dry-run'])
  expect(stderr).not.toContain('unknown key')
})

test('a kt.yaml in the folder is found, under flags and variables; --no-config leaves it out', async () => {
  const folder = tempDir()
  folder.write('kt.yaml', 'url: http://127.0.0.1:1\nrequests: 5\nmax-tokens: 9\nmeasure_ttfb: true\nstep: 3s\n')
  const options = async (args: string[], env: Record<string, string> = {}) => {
    const { stdout, stderr } = await run(['bench', ...args, '--dry-run', '--json'], env, folder.path)
    const { options: shown } = z.object({ options: z.record(z.string(), z.unknown()) }).parse(JSON.parse(stdout))
    return { shown, stderr }
  }
  const found = await options([])
  expect(found.shown).toMatchObject({ url: 'http://127.0.0.1:1', requests: 5, max_tokens: 9, measure_ttfb: true })
  expect(found.stderr).toContain('options from kt.yaml in this folder')
  expect((await options(['-n', '6'], { KT_REQUESTS: '7', KT_MAX_TOKENS: '8' })).shown).toMatchObject({
    requests: '6',
    max_tokens: '8',
  })
  expect((await options(['--no-config'])).shown.requests).toBeUndefined()
  folder.remove()
})

test.each([
  ['modle: x', "unknown key 'modle' (did you mean 'model'?)"],
  ['max-tokns: 5', "unknown key 'max-tokns' (did you mean 'max-tokens'?)"],
  ['frobnicate: 5', "unknown key 'frobnicate'\n"],
  ['- a', 'expected keys with values, such as requests: 500'],
  ['threshold:\n- [a\n- b', 'line 3, column 1: not valid YAML: '],
  ['requests: 5\nrequests: 6', 'line 2, column 1: not valid YAML: this key stands there twice\n  requests: 6'],
])('a config %j is refused in words', async (text, message) => {
  const { code, stderr } = await run(['bench', '--config', dir.write('bad.yaml', text), '--dry-run'])
  expect(stderr).toContain(message)
  expect(stderr).not.toMatch(/received|Flow sequence/)
  expect(code).toBe(2)
})

test('a config of comments alone gives no option; an empty file of another kind is refused in words', async () => {
  expect((await run(['bench', '--config', dir.write('empty.yaml', '# nothing\n'), '--dry-run'])).code).toBe(0)
  const { code, stderr } = await run(['gateway', 'check', dir.write('none.yaml', '')])
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('the file holds nothing') })
})

test('kt profiles lists what ships, shows it and copies it, and replaces nothing', async () => {
  const { stdout } = await run(['profiles', 'list'])
  expect(stdout).toMatch(/^guide +\S/m)
  for (const name of ['slo', 'budgets', 'workloads/chat', 'providers/openai', 'sizing/instances']) {
    expect(stdout).toMatch(new RegExp(`^${name} +\\S`, 'm'))
  }
  expect((await run(['profiles', 'show', 'chat'])).stdout).toContain('input_tokens:')
  const copy = dir.file('my-slo.yaml')
  expect(await run(['profiles', 'copy', 'slo', copy])).toMatchObject({ code: 0, stdout: `wrote ${copy}\n` })
  expect(readFileSync(copy, 'utf8')).toContain('categories:')
  expect((await run(['profiles', 'copy', 'slo', copy])).code).toBe(2)
  expect((await run(['profiles', 'show', 'chta'])).stderr).toContain("(did you mean 'chat'?)")
})

test.each([
  [['gateway', 'check', 'guide']],
  [['gateway', 'check', '--config', 'reference-gateway/gateway.yaml']],
  [['doctor', 'guide', '--severity', 'critical']],
  [['plan', '--rps', '10', '--workload', 'chat', '--sizing', 'kong', '--workload-file', 'sizing/workloads']],
  [['plan', '--rps', '10', '--profile', 'chat', '--upstream', 'h2']],
])('a name finds the file from any folder: kt %j', async ([...args]) => {
  const { code, stderr } = await run(args, {}, dir.path)
  expect(code, stderr).toBe(0)
})
