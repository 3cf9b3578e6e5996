// The page of the gateway documents every key of its config, no other, and each with the default that the schema has.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { configFile } from '../../reference-gateway/config/config-file.ts'

const page = readFileSync(new URL('../../docs/gateway.md', import.meta.url), 'utf8')

/** Defaults that code makes of what the schema leaves open. */
const MADE_IN_CODE: Record<string, string> = {
  'gateway.providers[]': 'openai',
  'policies[].replacement': '[REDACTED]',
  'policies[].case_sensitive': 'false',
  'policies[].whole_words': 'true',
  'policies[].webhook.timeout': 'policy_timeout',
}

/** The keys of `schema` as paths ('a.b', 'a[].b'), and their defaults as a user would write them. */
function keysOf(schema: z.ZodType, path: string, given?: unknown): Map<string, unknown> {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return keysOf(schema.def.innerType as z.ZodType, path, schema.def.defaultValue)
  }
  if (schema instanceof z.ZodOptional) return keysOf(schema.def.innerType as z.ZodType, path, given)
  if (schema instanceof z.ZodPipe) {
    const inner = schema.def.in as z.ZodType
    return inner instanceof z.ZodObject ? keysOf(inner, path, given) : new Map([[path, given]])
  }
  if (schema instanceof z.ZodArray && unwrapped(schema.def.element as z.ZodType) instanceof z.ZodObject) {
    return keysOf(schema.def.element as z.ZodType, `${path}[]`)
  }
  if (!(schema instanceof z.ZodObject)) return new Map([[path, given]])
  const keys = Object.entries(schema.shape).map(([name, value]) =>
    keysOf(value, path === '' ? name : `${path}.${name}`),
  )
  return new Map(keys.flatMap((some) => [...some]))
}

function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodPipe ? unwrapped(schema.def.in as z.ZodType) : schema
}

/**
 * The keys of the page's tables. '….x' stands beside the last key that is written out; keys of policies have no path.
 */
function documented(): Map<string, string> {
  const keys = new Map<string, string>()
  for (const section of page.split(/^## /m)) {
    const own = section.startsWith('Policies') ? 'policies[].' : ''
    const rows = section
      .match(/\| key \| default \|.*\n\|---.*\n(?:\|.*\n)+/g)
      ?.flatMap((table) => table.split('\n').slice(2))
    let beside = ''
    for (const row of rows ?? []) {
      const [, names, defaults] = /^\| (.*?) \| ?(.*?) ?\| /.exec(row) ?? []
      if (names === undefined || defaults === undefined) continue
      const values = defaults.split(/, (?![^[]*\])/)
      const written = [...names.replaceAll(/\(.*?\)/g, '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
      for (const [i, name] of written.entries()) {
        const full = name.startsWith('….')
          ? `${beside}.${name.slice(2)}`
          : /^(?:gateway|policies)\b/.test(name)
            ? name
            : own + name
        if (!name.startsWith('….')) beside = full.endsWith('[]') ? full : full.slice(0, full.lastIndexOf('.'))
        expect(keys.has(full), `${full} stands there twice`).toBe(false)
        keys.set(full, values[i] ?? values[0] ?? '')
      }
    }
  }
  return keys
}

const schema = keysOf(configFile, '')
const told = documented()

test('every key is documented, and no other', () => {
  // The lists themselves have rows of their own.
  const lists = ['gateway.providers[]', 'policies']
  const leaves = [...told.keys()].filter((key) => !lists.includes(key))
  expect(leaves.sort()).toEqual([...schema.keys()].sort())
})

test.each([...schema])('%s has the default that its row says', (key, value) => {
  const cell = told.get(key) ?? ''
  const literal = /^`(.*)`$/.exec(cell)?.[1]
  if (value === undefined) expect(literal).toBe(MADE_IN_CODE[key])
  else if (JSON.stringify(value) === '{}') expect(cell).toContain('none')
  else if (Array.isArray(value)) expect(literal?.replaceAll('"', '')).toBe(`[${value.join(', ')}]`)
  else expect(literal).toBe(String(value))
})
