import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { jsonSchemas } from '../../src/report/json-schema.ts'

describe('the JSON Schemas in fixtures/', () => {
  it.each(Object.entries(jsonSchemas()))("%s is fresh ('npm run schema' writes it)", (name, schema) => {
    const stored = readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8')
    expect(JSON.parse(stored)).toEqual(JSON.parse(JSON.stringify(schema)))
  })
})
