// Writes the JSON Schemas of kt's reports into fixtures/ (npm run schema, after a build).
import { mkdirSync, writeFileSync } from 'node:fs'
import { jsonSchemas } from '../../dist/src/report/json-schema.js'

const folder = new URL('../../fixtures/', import.meta.url)
mkdirSync(folder, { recursive: true })
for (const [name, schema] of Object.entries(jsonSchemas())) {
  writeFileSync(new URL(name, folder), `${JSON.stringify(schema, null, 2)}\n`)
  process.stdout.write(`fixtures/${name}\n`)
}
