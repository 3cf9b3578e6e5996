// Takes out of dist/ what nobody who installs kt needs; `npm pack` runs it after the build. Comments of the JavaScript: a
// fifth of what is installed. The indentation of the manifest. Declarations that nobody can reach who imports kt, those
// that src/api/index.d.ts does not lead to: two thirds of them are those of the commands and the gateway.
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = join(root, 'dist')
const SPECIFIER = /(?:from|import)\s*\(?['"](\.[^'"]+)['"]/g

// File by file and whole, since somebody may be running them.
const bare = join(root, 'dist.bare')
const tsc = join(root, 'node_modules', '.bin', 'tsc')
execFileSync(tsc, ['--removeComments', '--declaration', 'false', '--outDir', bare], { cwd: root, stdio: 'inherit' })
// The bundle is not the compiler's, and has no comments.
rmSync(join(bare, 'src', 'plots', 'engine.js'))
for (const file of globSync('**/*.js', { cwd: bare })) renameSync(join(bare, file), join(dist, file))
rmSync(bare, { recursive: true })

const manifest = join(root, 'oclif.manifest.json')
writeFileSync(manifest, JSON.stringify(JSON.parse(readFileSync(manifest, 'utf8'))))

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
