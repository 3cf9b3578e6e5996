// kt.yaml for every command: what stands at its top and in its sections, what replaces it, and its JSON Schema.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { rivalsOf } from '../../src/bench/config.ts'
import { readConfig } from '../../src/cli/config-file.ts'
import { configKeys, readsConfig } from '../../src/cli/config-sections.ts'
import { CONFIG_SCHEMA } from '../setup/config-schema.ts'
import { makeReport } from '../support/make-report.ts'
import { root } from '../support/pages.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const manifestSchema = z.object({
  commands: z.record(z.string(), z.object({ id: z.string(), flags: z.record(z.string(), z.looseObject({})) })),
})
const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')))
const commands = Object.values(manifest.commands)

function read(text: string, id: string): Record<string, unknown> {
  return readConfig(dir.write('read.yaml', text), id, commands, rivalsOf).values
}

describe('the sections', () => {
  test('every command that takes flags of its own has one, but those that write or list files', () => {
    const without = commands.filter((command) => !readsConfig(command)).map(({ id }) => id)
    expect(without.filter((id) => !/^(?:help|version|autocomplete)/.test(id)).sort()).toEqual([
      'init',
      'profiles:copy',
      'profiles:list',
      'profiles:show',
    ])
    expect([...configKeys(commands).keys()]).toEqual(
      expect.arrayContaining(['', 'bench compare', 'doctor', 'gateway start', 'plan', 'provider start', 'slo check']),
    )
  })

  test('the top is of kt bench and kt bench sweep; a section of one of them is nearer', () => {
    const text = 'requests: 5\nconcurrency: 3\nstep: 2s\nbench sweep:\n  rps: [1, 2]\nslo check:\n  slo: search\n'
    expect(read(text, 'bench')).toEqual({ requests: 5, concurrency: 3 })
    // A rate replaces the number of requests in flight, which stands further away.
    expect(read(text, 'bench:sweep')).toEqual({ step: '2s', rps: [1, 2] })
    expect(read(text, 'slo:check')).toEqual({ slo: 'search' })
    expect(read(text, 'doctor')).toEqual({})
  })

  test('planning commands share the section of kt plan, each with those of its flags that it has', () => {
    const text = 'plan:\n  input-peak: 80M\n  emit: helm\nplan simulate:\n  workers: 6\n  input_peak: 90M\n'
    expect(read(text, 'plan')).toEqual({ 'input-peak': '80M', emit: ['helm'] })
    expect(read(text, 'capacity:estimate')).toEqual({ 'input-peak': '80M', emit: ['helm'] })
    expect(read(text, 'plan:simulate')).toEqual({ 'input-peak': '90M', workers: 6 })
  })

  test('other names, a single value of a repeatable flag, and what is empty', () => {
    expect(read('rehearsal: false\nheader: "a: b"\nmodel:\nplan:\n', 'bench')).toEqual({
      'jit-warmup': false,
      header: ['a: b'],
    })
  })

  test('what is wrong is told of all sections at once', () => {
    const path = dir.write('bad.yaml', 'modle: x\nseverity: x\ndoctro: {}\nplan:\n  input_paek: 1\nslo check: 5\n')
    expect(() => readConfig(path, 'bench', commands, rivalsOf)).toThrow(
      [
        `${path}: not a usable config of kt:`,
        "  plan: unknown key 'input_paek' (did you mean 'input_peak'?)",
        "  slo check: expected keys with values, the flags of 'kt slo check'",
        "  unknown key 'modle' (did you mean 'model'?)",
        "  unknown key 'severity' (it stands under 'doctor:')",
        "  unknown key 'doctro' (did you mean 'doctor'?)",
      ].join('\n'),
    )
  })
})

describe('a command in a folder with a kt.yaml', () => {
  const folder = tempDir()
  afterAll(() => folder.remove())
  folder.write('report.json', makeReport({ requests: 600, blocks: 10 }))
  folder.write(
    'kt.yaml',
    [
      'plan: { requests_per_day: 50k, avg_input_tokens: 1500, avg_output_tokens: 800 }',
      'doctor: { config: guide, severity: info }',
      'gateway check: { config: nowhere.yaml }',
      'provider start: { port: 70000 }',
      'slo check: { slo: nonesuch }',
    ].join('\n'),
  )
  const here = (...args: string[]) => run(args, {}, folder.path)

  test('takes its section, and says so; a flag replaces what it excludes; --no-config leaves it out', async () => {
    const planned = await here('plan', '--json')
    expect(planned.stderr).toContain('options from kt.yaml in this folder')
    expect(JSON.parse(planned.stdout).demand.requestsPerSec).toBeCloseTo(50_000 / 86_400, 3)
    const typed = await here('plan', '--input-peak', '80M', '--output-peak', '10M', '--json')
    expect(JSON.parse(typed.stdout).demand.inputTokensPerSec).toBe(80e6)
    const without = await here('plan', '--no-config')
    expect(without).toMatchObject({ code: 2, stderr: expect.not.stringContaining('kt.yaml') })
  })

  test('a bad value is named by its place', async () => {
    const { code, stderr } = await here('provider', 'start')
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('kt.yaml: provider start: port: '),
    })
    expect((await here('slo', 'check', 'report.json')).stderr).toContain("there is no category 'nonesuch'")
  })

  test('an argument replaces the key: it is no second file', async () => {
    const { code, stderr } = await here('gateway', 'check', 'guide')
    expect(code, stderr).toBe(0)
    expect((await here('gateway', 'check')).stderr).toContain('nowhere.yaml: no such file')
    expect((await here('doctor')).stdout).toContain('rules')
  })

  test('the servers that kt starts itself do not read it', async () => {
    folder.write('kt.yaml', 'gateway start: { port: nonsense }\n')
    const { code, stderr } = await here('bench', '-n', '5', '--warmup', '1', '--max-tokens', '2')
    expect(code, stderr).toBe(0)
  })
})

describe('its JSON Schema', () => {
  const schema = z.fromJSONSchema(JSON.parse(readFileSync(join(root, 'fixtures', CONFIG_SCHEMA), 'utf8')))

  test.each([
    [{ requests: 5, 'max-tokens': '2k', stream: true, header: 'a: b' }],
    [{ requests: '1k', header: ['a: b', 'c: d'], osl: 5 }],
    [{ 'bench sweep': { rps: [1, 2] }, plan: { 'input-peak': '80M' }, doctor: null }],
    [{ 'gateway start': { config: 'guide', workers: 'auto', port: 1 } }],
  ])('takes %j', (value) => {
    expect(schema.safeParse(value).error?.issues ?? []).toEqual([])
  })

  test.each([
    [{ reqests: 5 }],
    [{ requests: true }],
    [{ stream: 'perhaps' }],
    [{ arrival: 'possion' }],
    [{ plan: { step: '5s' } }],
    [{ 'slo check': 'x' }],
    [{ config: 'other.yaml' }],
  ])('refuses %j', (value) => {
    expect(schema.safeParse(value).success).toBe(false)
  })

  test('kt init writes its name into the file, and offers keys that it takes', async () => {
    const file = dir.file('init.yaml')
    await run(['init', '--file', file])
    const text = readFileSync(file, 'utf8')
    const [, address = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? []
    expect(JSON.parse(readFileSync(new URL(address), 'utf8')).$id).toBe('urn:kt-bench:kt.yaml')
    const whole = parse(text.replaceAll(/^#(?=\w| {2}\w)/gm, ''))
    expect(Object.keys(whole)).toEqual(expect.arrayContaining(['url', 'requests', 'bench sweep', 'plan', 'slo check']))
    expect(schema.safeParse(whole).error?.issues ?? []).toEqual([])
    expect(() => readConfig(dir.write('whole.yaml', JSON.stringify(whole)), 'plan', commands, rivalsOf)).not.toThrow()
  })
})
