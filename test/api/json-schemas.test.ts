// The formats of kt as JSON Schema: named, described to the last property, and what the commands print holds them.
// Their freshness is that of every generated file (test/house/generated.test.ts).
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { FORMATS, jsonSchemas } from '../../src/api/json-schemas.ts'
import { CONFIG_SCHEMA } from '../setup/config-schema.ts'
import { makeReport } from '../support/make-report.ts'
import { root } from '../support/pages.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

type Json = { [key: string]: unknown }

const files = globSync('fixtures/*.schema.json', { cwd: root })
const stored = files.map((file): [string, Json] => [basename(file), JSON.parse(readFileSync(join(root, file), 'utf8'))])

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Paths of properties that nothing describes: not themselves, nor what they refer to or may be beside null. */
function undescribed(schema: Json): string[] {
  const defs = isObject(schema.$defs) ? schema.$defs : {}
  const isDescribed = (value: unknown): boolean => {
    if (!isObject(value)) return false
    if (typeof value.description === 'string' && value.description.trim() !== '') return true
    if (typeof value.$ref === 'string') return isDescribed(defs[value.$ref.split('/').at(-1) ?? ''])
    const of = Array.isArray(value.anyOf) ? value.anyOf.filter((one) => isObject(one) && one.type !== 'null') : []
    return of.length === 1 && isDescribed(of[0])
  }
  const walk = (value: unknown, path: string): string[] => {
    if (Array.isArray(value)) return value.flatMap((one, i) => walk(one, `${path}/${i}`))
    if (!isObject(value)) return []
    const own = isObject(value.properties) ? Object.entries(value.properties) : []
    const here = own.filter(([, property]) => !isDescribed(property)).map(([name]) => `${path}/${name}`)
    return [...here, ...Object.entries(value).flatMap(([key, inner]) => walk(inner, `${path}/${key}`))]
  }
  return walk(schema, '')
}

test('there is a schema of each format, of kt.yaml, and of old reports', () => {
  const others = ['kt.bench.1.schema.json', CONFIG_SCHEMA]
  expect(stored.map(([name]) => name).sort()).toEqual([...Object.keys(jsonSchemas()), ...others].sort())
})

describe.each(stored)('%s', (name, schema) => {
  const format = name.replace(/\.schema\.json$/, '').replace(/\.(\d+)$/, '/$1')

  test('it has a name of its own, and says what it is', () => {
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `urn:kt-bench:${format.replace('/', ':')}`,
      title: format,
      description: expect.stringMatching(/\w/),
    })
  })

  test('each property has a description', () => {
    expect(undescribed(schema)).toEqual([])
  })
})

test('a property without a description is found, also behind a reference', () => {
  const schema = {
    properties: { a: { type: 'string' }, b: { $ref: '#/$defs/one' }, c: { $ref: '#/$defs/two' } },
    $defs: { one: { description: 'one' }, two: { properties: { d: { description: ' ' } } } },
  }
  expect(undescribed(schema)).toEqual(['/a', '/c', '/$defs/two/d'])
})

describe('what a command prints holds its schema', () => {
  const dir = tempDir()
  beforeAll(() => {
    dir.write('report.json', makeReport({ requests: 600, blocks: 10 }))
    dir.write('other.json', makeReport({ requests: 600, blocks: 10, seed: 2, role: 'gateway' }))
  })
  afterAll(() => dir.remove())
  const peaks = ['--input-peak', '80M', '--output-peak', '10M']

  test.each([
    ['kt.compare/1', ['bench', 'compare', 'report.json', 'other.json', '--json']],
    ['kt.history/1', ['bench', 'history', '.', '--metric', 'latency.p99', '--json']],
    ['kt.slo/1', ['slo', 'check', 'other.json', '--category', 'chat-short', '--json']],
    ['kt.doctor/1', ['doctor', '--report', 'other.json', '--json']],
    ['kt.plan/1', ['plan', ...peaks, '--json']],
    ['kt.plan.instances/1', ['plan', 'instances', ...peaks, '--json']],
    ['kt.plan.buffers/1', ['plan', 'buffers', '--kind', 'rag', '--concurrency', '1000', '--json']],
    [
      'kt.plan.sensitivity/1',
      ['plan', 'sensitivity', ...peaks, '--what-if', 'upstream=h2', '--growth', '8%/month', '--json'],
    ],
    ['kt.plan.check/1', ['plan', 'check', '--against', 'other.json', '--json']],
    [
      'kt.plan.simulation/1',
      [
        ...['plan', 'simulate', '--rps', '200', '--profile', 'chat', '--duration', '2m', '--runs', '2', '--json'],
        ...['--autoscale', 'planned', '--lose-zone-at', '1m'],
      ],
    ],
    ['kt.profiles/1', ['profiles', 'list', '--json']],
    ['kt.gateway.check/1', ['gateway', 'check', '--json']],
    ['kt.dry-run/1', ['bench', '--dry-run', '--no-config', '--json']],
    ['kt.dry-run/1', ['bench', 'sweep', '--dry-run', '--no-config', '--json']],
    ['kt.exchange/1', ['bench', '--show-request', '--no-config', '--json']],
    ['kt.bench/2', ['bench', '--requests', '20', '--max-tokens', '2', '--warmup', '2', '--label', 'a=b', '--json']],
  ])('%s', async (format, args) => {
    const { stdout, stderr } = await run(args, {}, dir.path)
    expect(stdout, stderr).not.toBe('')
    const printed = JSON.parse(stdout)
    expect(printed.schema).toBe(format)
    const schema: z.ZodType | undefined = FORMATS[format]
    const parsed = schema?.safeParse(printed)
    expect(parsed?.error?.issues ?? []).toEqual([])
    expect(parsed?.success).toBe(true)
  })
})
