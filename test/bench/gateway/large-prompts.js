// What 1 MiB prompts under two input policies cost the others: small requests, 200 a second, while another process
// sends large ones (one every 100 ms), in turns with the same without large ones and with a bare node:http + undici
// proxy: npm run build && node test/bench/gateway/large-prompts.js [seconds a turn] [turns] Added latency is by the
// provider's stamps: from sent to end, less what the provider itself took. Large prompts keep the provider and the
// machine busy as well: the bare proxy's figure shows how much of it is not the gateway's.
import { Client } from 'undici'
import { ask, chat, inTurns, line, median, policies, quantile } from './measure.js'
import { start } from './processes.js'

const [seconds = 3, turns = 5] = process.argv.slice(2).map(Number)
const GAP_MS = 5
const small = chat('hi')
const { url: upstream, stop } = await start('upstream')
const input = policies({ input: true }).filter(({ type }) => type === 'input_filter')
const bare = await start('bare', { upstream })
const gateway = await start('gateway', { upstream, policies: input })
const arms = {
  'bare, no large prompts': { url: bare.url, large: false },
  bare: { url: bare.url, large: true },
  'gateway, no large prompts': { url: gateway.url, large: false },
  gateway: { url: gateway.url, large: true },
}

const seen = await inTurns(arms, turns, async ({ url, large }) => {
  const sender = large ? await start('large', { url, gapMs: 100 }) : undefined
  const clients = Array.from({ length: 16 }, () => new Client(url, { allowH2: false }))
  const added = []
  const running = []
  const startMs = performance.now()
  for (let n = 0; n * GAP_MS < seconds * 1_000; n++) {
    const waitMs = startMs + n * GAP_MS - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    const sentMs = performance.now()
    let tookMs = 0
    const head = (headers) => {
      tookMs = Number(/kt-provider;dur=([\d.]+)/.exec(headers['server-timing'])?.[1])
    }
    running.push(
      ask(clients[n % clients.length], small, { head }).then(() => added.push(performance.now() - sentMs - tookMs)),
    )
  }
  await Promise.all(running)
  for (const client of clients) await client.close()
  sender?.stop()
  return [0.5, 0.99].map((q) => quantile(added, q))
})
const at = (name, i) => seen[name].map((values) => values[i])
for (const name of Object.keys(arms)) {
  line(`added to small requests, ${name}, P50`, median(at(name, 0)), 'ms')
  line(`added to small requests, ${name}, P99`, median(at(name, 1)), 'ms')
}
const more = at('gateway', 1).map((p99, turn) => p99 - at('bare', 1)[turn])
line('P99 by the large prompts, beyond the bare proxy', median(more), 'ms', { atMost: 5 })
const whole = at('gateway', 1).map((p99, turn) => p99 - at('gateway, no large prompts', 1)[turn])
line('P99 by the large prompts, in all', median(whole), 'ms', { atMost: 5 })
for (const one of [bare, gateway, { stop }]) one.stop()
process.exit()
