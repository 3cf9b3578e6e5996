/**
 * One overhead, read in all three ways, of a real third-party gateway and of the reference gateway, in one table: by
 * the provider's stamps, by the difference to the provider measured in turns, by what the gateway says of itself.
 * Portkey says nothing of itself, which is why the first two are there.
 */
import { bench, demo, interval, ms, readingOf, sideBySide, start } from '../../demo/kt.js'
import { portkeyHeaders, startPortkey } from '../../setup/portkey.ts'

const LOAD = ['--requests', '800', '--concurrency', '1', '--max-tokens', '4', '--budget', '7ms']
const PAIRED = ['--threshold', 'delta.latency.p99<7ms']

await demo(async () => {
  const provider = await start('provider', 'start', '--ttft', 'lognormal(4ms,0.3)', '--token-gap', '0ms')
  const portkey = await startPortkey()
  try {
    const headers = Object.entries(portkeyHeaders(`${provider}/v1`)).flatMap(([name, value]) => [
      '--header',
      `${name}: ${value}`,
    ])
    const gateway = await start('gateway', 'start', '--upstream', `${provider}/v1`)
    const judged = ['--baseline-url', provider, ...LOAD, ...PAIRED]
    const results = [
      { name: 'Portkey 1.15.2', ...bench('--url', portkey.url, '--api-key', 'x', ...headers, ...judged) },
      { name: 'kt reference', ...bench('--url', gateway, ...judged) },
    ]
    const stamped = ({ report }) => readingOf(report, 'provider-stamped').totalMs
    const own = ({ report }) => readingOf(report, 'self-reported')?.totalMs
    const check = ({ report }, metric) => report.gate.checks.find((found) => found.metric === metric)
    const [direct, paired] = ['overhead.p99', 'delta.latency.p99']
    const rows = [
      ['', ({ name }) => name],
      ['provider-stamped P50', (r) => ms(stamped(r).p50)],
      ['  P99', (r) => ms(stamped(r).p99)],
      ['  P99 95 %, by blocks', (r) => interval(stamped(r).ci95)],
      ['  P99 < 7 ms', (r) => check(r, direct).verdict.toUpperCase()],
      ['paired, latency P50', ({ report }) => ms(report.latencyMs.p50 - report.baseline.latencyMs.p50)],
      ['  P99', (r) => ms(check(r, paired).value)],
      ['  P99 95 %, by blocks', (r) => interval(check(r, paired).ci95 ?? [null, null])],
      ['  P99 < 7 ms', (r) => check(r, paired).verdict.toUpperCase()],
      ['self-reported P50', (r) => (own(r) ? ms(own(r).p50) : 'none')],
      ['  P99', (r) => (own(r) ? ms(own(r).p99) : 'none')],
      ['floor P99', ({ report }) => ms(readingOf(report.baseline, 'provider-stamped').totalMs.p99)],
    ]
    process.stdout.write(`\n${sideBySide(rows, results)}`)
    for (const { name, verdicts, report } of results) {
      const caveat = report.signals?.caveat ? `\n${report.signals.gateway}: ${report.signals.caveat}` : ''
      process.stdout.write(`\n${name}\n${verdicts}${caveat}\n`)
    }
  } finally {
    await portkey.stop()
  }
})
