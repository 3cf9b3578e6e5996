// Deletes the declarations in dist/ that nobody can reach who imports kt: those that src/api/index.d.ts does not lead
// to. `npm pack` runs it after the build; two thirds of the declarations are those of the commands and the gateway.
import { globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const SPECIFIER = /(?:from|import)\s*\(?['"](\.[^'"]+)['"]/g

const reached = new Set()
const waiting = [join('src', 'api', 'index.d.ts')]
for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
  if (reached.has(file)) continue
  reached.add(file)
  for (const [, specifier] of readFileSync(join(dist, file), 'utf8').matchAll(SPECIFIER)) {
    if (!/\.(?:ts|js)$/.test(specifier)) continue
    waiting.push(normalize(join(dirname(file), specifier)).replace(/\.(?:ts|js)$/, '.d.ts'))
  }
}
for (const file of globSync('**/*.d.ts', { cwd: dist })) if (!reached.has(normalize(file))) rmSync(join(dist, file))
