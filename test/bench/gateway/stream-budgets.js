// The guide's config under ordinary streams (guide.js): prompts of the chat workload at 12/s, answers of 211 tokens
// (the mean of that workload) and of 1,000. The figures are the gateway's own, from its events. Two of them are told
// apart: work that overlaps the provider's gaps, which no client waits for in sum, and the delay that the client sees.
// npm run build && node test/bench/gateway/stream-budgets.js [seconds]
import { withGuide } from './guide.js'
import { ktBench, line, quantile } from './measure.js'

const [seconds = 30] = process.argv.slice(2).map(Number)
/** What begins before that is warm-up. */
const WARM_UP_S = 8
const AIMS = { output_policy: 3, event_emission: 0.05, input_policy: 2, routing: 0.5, acquire: 1 }

async function send(gatewayUrl, tokens, rps) {
  const load = ['--rps', String(rps), '--duration', `${seconds + WARM_UP_S}s`, '--no-floor', '--no-validate']
  const asks = ['--workload', 'chat', '--output-tokens', String(tokens)]
  const code = await ktBench(['--url', gatewayUrl, ...asks, ...load, '--json'])
  if (code !== 0) throw new Error(`kt bench ended with ${code}`)
}

/** The events of streams that began after the warm-up. */
async function measured(tokens, { gap, rps }) {
  return withGuide(
    async ({ gatewayUrl, events }) => {
      const begunMs = Date.now() + WARM_UP_S * 1_000
      await send(gatewayUrl, tokens, rps)
      const all = events().filter(({ stream, ts, latency_ms }) => stream && Date.parse(ts) - latency_ms > begunMs)
      const failed = all.filter(({ status, error }) => status !== 200 || error)
      if (failed.length > 0) throw new Error(`${failed.length} of ${all.length} streams failed`)
      return all
    },
    { gap, realtime: true },
  )
}

function print(name, values, aim) {
  line(`${name}, P50`, quantile(values, 0.5), 'ms')
  line(`${name}, P99`, quantile(values, 0.99), 'ms', aim === undefined ? {} : { atMost: aim })
}

const overlapped = ({ overhead }) => overhead.overlapped_work ?? 0
const policy = ({ overhead }) => overhead.output_policy + (overhead.overlapped_policy ?? 0)
const APART = ['overlapped_work', 'overlapped_policy', 'hold']

for (const [tokens, load] of [
  [211, { gap: '20ms', rps: 12 }],
  [1_000, { gap: '5ms', rps: 3 }],
]) {
  const events = await measured(tokens, load)
  process.stdout.write(`\n${events.length} streams of ${tokens} tokens, ${load.rps}/s, ${load.gap} between tokens\n`)
  const short = tokens === 211
  const of = (figure) => events.map(figure)
  for (const name of Object.keys(events[0].overhead).filter((one) => !APART.includes(one))) {
    print(
      `${name}, delay`,
      of(({ overhead }) => overhead[name] ?? 0),
      AIMS[name === 'events' ? 'event_emission' : name],
    )
  }
  print(
    'the delay that the client sees',
    of(({ overhead_ms: ms }) => ms),
    short ? 7 : 3,
  )
  print("work that overlaps the provider's gaps", of(overlapped))
  print(
    'all work',
    of((event) => event.overhead_ms + overlapped(event)),
    short ? 7 : undefined,
  )
  print('all work of output policies', of(policy), short ? 3 : undefined)
  const perToken = (figure) => of((event) => (1_000 * figure(event)) / tokens)
  line('output policies a token, P50', quantile(perToken(policy), 0.5), 'us', { atMost: 6 })
  line('all work in the gaps a token, P50', quantile(perToken(overlapped), 0.5), 'us')
}
process.exit()
