// Takes out of dist/ what nobody who installs kt needs; `npm pack` runs it after the build. Comments of the JavaScript: a
// fifth of what is installed. The indentation of the manifest. Declarations that nobody can reach who imports kt; those
// that can be reached become one file, since each file takes a block of the disk.
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = join(root, 'dist')

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

// One file of declarations: what src/api/index.d.ts leads to.
const declarations = join(dist, 'src', 'api', 'index.d.ts')
const { output } = await build({
  input: declarations,
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  plugins: [dts({ dtsInput: true, oxc: true, tsconfig: false })],
  output: { format: 'esm' },
  write: false,
})
const [bundle] = output
for (const file of globSync('**/*.d.ts', { cwd: dist })) rmSync(join(dist, file))
writeFileSync(declarations, bundle.code)
