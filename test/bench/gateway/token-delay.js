// What the gateway adds to each token of 100 streams at 50 tokens/s, by the provider's stamps (both read the
// machine's one monotonic clock), in turns with the provider directly (the floor: what the client and the machine add
// by themselves) and a bare node:http + undici proxy: npm run build && node test/bench/gateway/token-delay.js
// [seconds a turn] [turns] Two output policies twice: with the detectors of digits alone nothing of an ordinary word
// is held, so that a delay is work; with e-mail on, a word is held until the next token shows that it is none.
import { Client } from 'undici'
import { ask, chat, inTurns, line, median, policies, quantile } from './measure.js'
import { start } from './processes.js'

const [seconds = 3, turns = 3] = process.argv.slice(2).map(Number)
const STREAMS = 100
const GAP_MS = 20
/** Some hundred streams, after which what begins one has been compiled. */
const WARM_UP_S = 6
/** Of one stream. */
const TOKENS = 100
const body = chat('hi', { stream: true })
const STAMP = '"system_fingerprint":"'
const upstream = await start('upstream', { events: TOKENS, perWrite: 1, gapMs: GAP_MS, stamped: true })
const settings = {
  connection_pool: { max_idle_per_host: STREAMS },
  warmup: { connections_per_provider: STREAMS, probe_endpoint: '/v1/models' },
}
const gateway = (detect) => start('gateway', { upstream: upstream.url, settings, policies: policies({ detect }) })
const arms = {
  'direct (floor)': upstream,
  'bare proxy': await start('bare', { upstream: upstream.url }),
  'digits only': await gateway(['card', 'phone', 'ssn']),
  'e-mail too': await gateway(),
}
for (const arm of Object.values(arms)) {
  arm.clients = Array.from({ length: STREAMS }, () => new Client(arm.url, { allowH2: false, keepAliveTimeout: 60_000 }))
}

const nowUs = () => Number(process.hrtime.bigint() / 1_000n)

/**
 * When stream `n` begins: evenly over a stream's length, and at any moment of a gap, so that no two write in step for
 * long.
 */
const beginsMs = (n) => (n + ((n * 0.618_034) % 1)) * ((TOKENS * GAP_MS) / STREAMS)

/** Streams follow each other; what comes before all have begun warms up. */
async function streams({ clients }, turn) {
  const first = []
  const later = []
  const holdMs = []
  const lengthMs = TOKENS * GAP_MS
  const startMs = performance.now()
  const measuredMs = startMs + lengthMs
  const untilMs = measuredMs + (turn < 0 ? WARM_UP_S : seconds) * 1_000
  const one = async (client, n) => {
    await new Promise((resolve) => setTimeout(resolve, beginsMs(n)))
    while (performance.now() < untilMs) {
      const measured = performance.now() >= measuredMs
      let tokens = 0
      const data = (chunk) => {
        const atUs = nowUs()
        const text = chunk.latin1Slice()
        for (let at = text.indexOf(STAMP); at >= 0; at = text.indexOf(STAMP, at + 1)) {
          const delays = tokens++ === 0 ? first : later
          const stampUs = Number(text.slice(at + STAMP.length, text.indexOf('"', at + STAMP.length)))
          if (measured) delays.push((atUs - stampUs) / 1_000)
        }
      }
      const trailers = await ask(client, body, { data })
      if (measured) holdMs.push(Number(/kt-hold;dur=([\d.]+)/.exec(trailers['server-timing'])?.[1] ?? 0) / tokens)
    }
  }
  await Promise.all(clients.map(one))
  const both = (values) => [0.5, 0.99].map((q) => quantile(values, q))
  return { firsts: first, later: both(later), hold: both(holdMs) }
}

const seen = await inTurns(arms, turns, streams)
/** A turn begins too few streams for a P99 of its own: all turns together. */
const firstOf = (name, q) =>
  quantile(
    seen[name].flatMap(({ firsts }) => firsts),
    q,
  )
const of = (name, what, i) => median(seen[name].map((turn) => turn[what][i]))
const more = (name, what, i) => median(seen[name].map((turn, n) => turn[what][i] - seen['direct (floor)'][n][what][i]))
for (const name of Object.keys(arms)) {
  const held = name === 'e-mail too' ? ', hold included' : ''
  for (const [i, q] of ['P50', 'P99'].entries()) {
    line(`first token, ${name}${held}, ${q}`, firstOf(name, i ? 0.99 : 0.5), 'ms')
    line(`each token, ${name}${held}, ${q}`, of(name, 'later', i), 'ms')
  }
}
const added = (name) => firstOf(name, 0.99) - firstOf('direct (floor)', 0.99)
const begun = `of ${seen['digits only'].flatMap(({ firsts }) => firsts).length} streams`
line('added TTFT, bare proxy, P99 above the floor', added('bare proxy'), 'ms')
line('added TTFT, digits only, P99 above the floor', added('digits only'), 'ms', { atMost: 3, note: begun })
line('added to each token, bare proxy, P99 above the floor', more('bare proxy', 'later', 1), 'ms')
line('added to each token, digits only, P99 above the floor', more('digits only', 'later', 1), 'ms', { atMost: 3 })
line("hold a token, digits only, the gateway's own, P50", of('digits only', 'hold', 0), 'ms', { atMost: 0 })
line("hold a token, e-mail too, the gateway's own, P50", of('e-mail too', 'hold', 0), 'ms')
line('hold with e-mail on, P99 above the floor', more('e-mail too', 'later', 1), 'ms', { atMost: GAP_MS + 3 })
for (const one of Object.values(arms)) one.stop()
process.exit()
