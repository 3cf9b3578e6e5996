/**
 * The three verdicts of the gate, on one machine and without a network: the reference gateway as it is, and two that
 * wait on purpose (`kt gateway start --inject-delay`), each measured in turns with the provider behind it until 7 ms is
 * decided, or 3,000 requests are spent. What the data carry is printed side by side: a gateway well over the budget
 * must FAIL, one close to it cannot be told or passes.
 */
import { bench, demo, interval, ms, readingOf, sideBySide, start } from './kt.js'

const DELAYS = ['5ms', '9ms', '0ms']
const LOAD = ['--requests', '3000', '--until-decided', '--concurrency', '1', '--max-tokens', '4', '--budget', '7ms']

await demo(async () => {
  const provider = await start('provider', 'start', '--ttft', 'lognormal(4ms,0.3)', '--token-gap', '0ms')
  const plain = ['--admin-port', 'off']
  const results = []
  for (const delay of DELAYS) {
    const gateway = await start('gateway', 'start', '--upstream', `${provider}/v1`, ...plain, '--inject-delay', delay)
    results.push({ delay, ...bench('--url', gateway, '--baseline-url', provider, ...LOAD) })
  }
  const stamped = ({ report }) => readingOf(report, 'provider-stamped').totalMs
  const floor = ({ report }) => readingOf(report.baseline, 'provider-stamped').totalMs
  const rows = [
    ['injected delay', ({ delay }) => delay],
    ['overhead P50 (ms)', (r) => ms(stamped(r).p50)],
    ['overhead P99 (ms)', (r) => ms(stamped(r).p99)],
    ['  95 %, by blocks', (r) => interval(stamped(r).ci95)],
    ['floor P99 (ms)', (r) => ms(floor(r).p99)],
    ['requests', ({ report }) => report.totals.sent],
    ['verdict', ({ report }) => report.gate.verdict.toUpperCase()],
    ['exit code', ({ status }) => status],
  ]
  process.stdout.write(`\n${sideBySide(rows, results)}`)
  for (const { delay, verdicts } of results) process.stdout.write(`\n${delay}\n${verdicts}\n`)
})
