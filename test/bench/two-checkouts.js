// What a change of kt did to its own cost and accuracy: two checkouts, both built, send the same loads in turns to the
// same targets. CPU a request as kt tells it of itself, and how far latency lies above the provider's own record.
// Medians with ranges. On a machine that does other work only what stands side by side counts.
// node test/bench/two-checkouts.js OTHER_CHECKOUT [words in the names of loads ...] [--rounds 5]
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { say, target } from './instrument/rig.js'

const LOADS = {
  'small JSON, 50 in flight': { kind: ['fixed'], inFlight: 50 },
  'coalesced streams, 4 in flight': { kind: ['coalesced'], inFlight: 4, stream: true },
  'streams of Messages, 4 in flight': { kind: ['messages'], inFlight: 4, stream: true },
  'streams of Responses, 4 in flight': { kind: ['responses'], inFlight: 4, stream: true },
  'streams of Gemini, 4 in flight': { kind: ['gemini'], inFlight: 4, stream: true },
  'open loop, 20 ms holds, 200/s': { kind: ['provider', 20, 0], rps: 200 },
  'ten in flight, 20 ms holds': { kind: ['provider', 20, 0], inFlight: 10 },
}

const here = fileURLToPath(new URL('../..', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, one: { type: 'string' } },
})
if (values.one) await one(JSON.parse(values.one))
else await turns(resolve(positionals[0] ?? ''), positionals.slice(1), Number(values.rounds))
process.exit()

/** One run of the kt in `root`, as JSON. */
async function one({ root, origin, inFlight, rps, stream = false }) {
  const { run, workload, decode } = await import(`${root}/test/bench/instrument/rig.js`)
  const load = rps ? { mode: 'open', rps, maxInFlight: 50 } : { mode: 'closed', concurrency: inFlight }
  const { arm, cpuUs } = await run(origin, load, { warmupUs: 2e6 }, workload(stream))
  const excess = decode(arm.stamped.total)
  say(JSON.stringify({ cpuUs, p50: excess.quantileUs(0.5) / 1_000, p99: excess.quantileUs(0.99) / 1_000 }))
}

async function turns(other, words, rounds) {
  const roots = { before: other, now: here }
  for (const [name, { kind, ...load }] of Object.entries(LOADS)) {
    if (!words.every((word) => name.includes(word))) continue
    const { origin, close } = await target(...kind)
    const seen = { before: [], now: [] }
    for (let round = 0; round < rounds; round++) {
      for (const which of round % 2 === 0 ? ['before', 'now'] : ['now', 'before']) {
        const plan = JSON.stringify({ root: roots[which], origin, ...load })
        const args = [...process.execArgv, fileURLToPath(import.meta.url), '--one', plan]
        const { stdout, stderr } = spawnSync(process.execPath, args)
        if (stdout.length === 0) throw new Error(`${name}, ${which}: ${stderr}`)
        seen[which].push(JSON.parse(String(stdout)))
      }
    }
    close()
    say(name)
    for (const [which, runs] of Object.entries(seen)) {
      const cells = [`CPU ${ranged(runs, 'cpuUs', 1)} µs`]
      if (kind[0] === 'provider') cells.push(`P50 ${ranged(runs, 'p50', 2)} ms`, `P99 ${ranged(runs, 'p99', 2)} ms`)
      say(`  ${which.padEnd(6)} ${cells.join('  ')}`)
    }
  }
}

/** The median, and the range. */
function ranged(runs, key, digits) {
  const sorted = runs.map((run) => run[key]).sort((a, b) => a - b)
  const [least, middle, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  return `${middle.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`
}
