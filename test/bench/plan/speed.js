// How long the planner takes, as whole processes: the median of `kt plan`, and the simulation of an hour of a trace
// times 1,000. npm run build && node test/bench/plan/speed.js [trace.csv]
import { spawnSync } from 'node:child_process'

const LIMITS = { planS: 0.3, seedS: 2, simulationS: 15, simulationMb: 500 }
const [trace] = process.argv.slice(2)

/** Seconds of wall clock, and the largest resident set of the child. */
function timed(...args) {
  const report = `process.on('exit', () => process.stderr.write(\`\\nrss \${process.resourceUsage().maxRSS}\\n\`))`
  const began = performance.now()
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(report)}`, 'bin/run.js', ...args],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stderr)
  return { seconds: (performance.now() - began) / 1_000, mb: Number(/rss (\d+)/.exec(stderr)?.[1]) / 1024 }
}

const runs = Array.from({ length: 15 }, () => timed('plan', '--input-peak', '80M', '--output-peak', '10M').seconds)
const median = runs.sort((a, b) => a - b)[7]
process.stdout.write(`kt plan: median ${median.toFixed(3)} s of 15 (limit ${LIMITS.planS})\n`)
if (trace) {
  const once = timed('plan', 'simulate', '--trace', trace, '--scale', '1000', '--runs', '1')
  process.stdout.write(`simulation x 1,000, one seed: ${once.seconds.toFixed(2)} s (limit ${LIMITS.seedS} s)\n`)
  const { seconds, mb } = timed('plan', 'simulate', '--trace', trace, '--scale', '1000')
  process.stdout.write(
    `simulation x 1,000: ${seconds.toFixed(2)} s, ${mb.toFixed(0)} MB (limits ${LIMITS.simulationS} s, ` +
      `${LIMITS.simulationMb} MB)\n`,
  )
}
const { seconds, mb } = timed(
  'plan',
  'simulate',
  '--rps',
  '1M',
  '--profile',
  'chat',
  '--workers',
  '10000',
  '--duration',
  '1h',
)
process.stdout.write(`10,000 workers, an hour of 1M requests/s: ${seconds.toFixed(2)} s, ${mb.toFixed(0)} MB\n`)
