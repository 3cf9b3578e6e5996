// Each component against its budget with everything on: 200 requests/s of JSON, prompts up to 16 KiB, two input and
// two output policies, cache on (misses), events to a file. The figures are the gateway's own, from its events;
// beside them what the provider's stamps say (from sent to end, less what the provider took; the network and all
// event loops are in it), in turns with the provider directly (the floor) and a bare node:http + undici proxy at the
// same load. npm run build && node test/bench/gateway/budgets.js [seconds]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'undici'
import { ask, chat, line, median, policies, quantile } from './measure.js'
import { start } from './processes.js'

const [seconds = 20] = process.argv.slice(2).map(Number)
const RATE = 200
const WARM_UP_S = 3
const TURN_S = 2
const folder = mkdtempSync(join(tmpdir(), 'kt-bench-'))
const eventFile = join(folder, 'events.ndjson')

const adminPort = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})
const { url: upstream, ...provider } = await start('upstream')
const gateway = await start('gateway', {
  upstream,
  settings: {
    admin_port: adminPort,
    cache: { enabled: true },
    events: { file: { path: eventFile } },
  },
  policies: policies({ input: true }),
})
const bare = await start('bare', { upstream })

let asked = 0
const TEXT = 'The quick brown fox jumps over the lazy dog and runs home. '

async function one(client, stamped) {
  const bytes = 256 + ((asked * 7_919) % (16 * 1_024 - 256))
  const content = `${TEXT.repeat(Math.ceil(bytes / TEXT.length)).slice(0, bytes)} ${asked++}`
  let tookMs = 0
  const head = (headers) => {
    tookMs = Number(/kt-provider;dur=([\d.]+)/.exec(headers['server-timing'])?.[1])
  }
  const startMs = performance.now()
  await ask(client, chat(content, { temperature: 0 }), { head })
  stamped.push(performance.now() - startMs - tookMs)
}

/** Open loop: a request every 5 ms, whatever became of those before. */
async function load(clients, forSeconds) {
  const stamped = []
  const running = []
  const startMs = performance.now()
  for (let n = 0; n < forSeconds * RATE; n++) {
    const waitMs = startMs + (n * 1_000) / RATE - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    running.push(one(clients[n % clients.length], stamped))
  }
  await Promise.all(running)
  return stamped
}

const clientsOf = (url) =>
  Array.from({ length: 16 }, () => new Client(url, { allowH2: false, keepAliveTimeout: 60_000 }))
const arms = { direct: clientsOf(upstream), 'bare proxy': clientsOf(bare.url), gateway: clientsOf(gateway.url) }
const seen = { direct: [], 'bare proxy': [], gateway: [] }
for (const clients of Object.values(arms)) await load(clients, WARM_UP_S)
const warmAt = new Date().toISOString()
for (let turn = 0; turn < seconds / TURN_S; turn++) {
  for (const [name, clients] of Object.entries(arms)) seen[name].push(await load(clients, TURN_S))
}
const { components } = await (await fetch(`http://127.0.0.1:${adminPort}/stats`)).json()
const events = readFileSync(eventFile, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .filter(({ ts }) => ts >= warmAt)

process.stdout.write(`${RATE} requests/s, ${events.length} requests after ${WARM_UP_S} s of warm-up\n\n`)
const AIMS = { input_policy: 2, routing: 0.5, acquire: 1, output_policy: 3, total: 3 }
for (const name of [...Object.keys(events[0].overhead), 'total']) {
  const values = events.map(({ overhead, overhead_ms }) => (name === 'total' ? overhead_ms : overhead[name]) ?? 0)
  line(`${name}, the gateway's own, P50`, quantile(values, 0.5), 'ms', name === 'total' ? { atMost: 0.6 } : {})
  line(`${name}, the gateway's own, P99`, quantile(values, 0.99), 'ms', AIMS[name] && { atMost: AIMS[name] })
}
line('event emission, P99, warm-up included', components.event_emission.p99_ms, 'ms', { atMost: 0.05 })
for (const [name, turns] of Object.entries(seen)) {
  for (const [q, at] of Object.entries({ P50: 0.5, P99: 0.99 })) {
    const floor = median(seen.direct.map((values) => quantile(values, at)))
    const value = median(turns.map((values) => quantile(values, at)))
    line(`by stamps, ${name}, ${q}`, value, 'ms', { note: `${(value - floor).toFixed(3)} above the floor` })
  }
}
for (const { stop } of [gateway, bare, provider]) stop()
rmSync(folder, { recursive: true })
process.exit()
