// Puts ECharts and what drives it into one file of dist/, of which only what is used stays: kt draws with it, and a
// page carries it. So the package itself needs no library for plots.
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

const path = (file) => fileURLToPath(new URL(`../../${file}`, import.meta.url))

await build({
  input: path('src/page/browser/main.ts'),
  platform: 'browser',
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  output: { file: path('dist/src/plots/engine.js'), format: 'esm', minify: true, codeSplitting: false },
  logLevel: 'warn',
})
