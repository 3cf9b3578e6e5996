// Takes out of dist/ what nobody who installs kt needs; `npm pack` runs it after the build. Comments and indentation of
// the JavaScript, and the indentation of the manifest: a third of what is installed. Declarations that nobody can reach
// who imports kt; those that can be reached become one file, since each file takes a block of the disk.
import { globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'
import { minifySync } from 'rolldown/utils'
import { dts } from 'rolldown-plugin-dts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = join(root, 'dist')
/** Every name and statement stays, so that a stack still tells where it was. */
const AS_IT_IS = { module: true, compress: false, mangle: false, codegen: { removeWhitespace: true } }

// File by file and whole, since somebody may be running them. The bundle is minified already.
for (const file of globSync('**/*.js', { cwd: dist, exclude: ['src/plots/engine.js'] })) {
  const path = join(dist, file)
  replace(path, minifySync(file, readFileSync(path, 'utf8'), AS_IT_IS).code)
}
const manifest = join(root, 'oclif.manifest.json')
replace(manifest, JSON.stringify(JSON.parse(readFileSync(manifest, 'utf8'))))

function replace(path, text) {
  writeFileSync(`${path}.bare`, text)
  renameSync(`${path}.bare`, path)
}

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
