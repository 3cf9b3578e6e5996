// Every benchmark, one after another, on a machine that should be quiet: `npm run bench`. Each prints its own table,
// with ratios to a peer of the same run. `npm run bench -- peers` runs sections of the instrument alone, with
// its flags.
import { spawnSync } from 'node:child_process'

const SCRIPTS = [
  ['instrument.js'],
  ['gateway/budgets.js', '10'],
  ['gateway/stream-budgets.js'],
  ['gateway/beside-proxies.js'],
  ['gateway/token-delay.js'],
  ['gateway/large-prompts.js'],
  ['gateway/throughput.js'],
  ['gateway/tokens.js'],
  ['gateway/events-and-cache.js', '1000'],
  ['gateway/memory.js', '50000'],
  ['gateway/light-memory.js'],
  ['plan/speed.js'],
]

const words = process.argv.slice(2)
for (const [script, ...args] of words.length > 0 ? [['instrument.js', ...words]] : SCRIPTS) {
  process.stdout.write(`\n=== ${script}\n`)
  const { status } = spawnSync(process.execPath, [new URL(script, import.meta.url).pathname, ...args], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}
