// Each component against its budget with everything on: 200 requests/s of JSON, prompts up to 16 KiB, two input and two output
// policies, cache on (misses), events to a file. The figures are the gateway's own, from its events; beside them
// what a client sees, in turns with a bare node:http + undici proxy at the same load.
//   npm run build && node test/bench/gateway/budgets.js [seconds]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent } from 'undici'
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
  policies: [
    { name: 'in-words', type: 'input_filter', parallel_group: 'in', keywords: ['launch code'], action: 'block' },
    { name: 'in-pii', type: 'input_filter', parallel_group: 'in', kind: 'pii', action: 'redact' },
    { name: 'content-filter', type: 'output_filter', parallel_group: 'out', action: 'block' },
    { name: 'pii-redaction', type: 'output_filter', parallel_group: 'out', action: 'redact' },
  ],
})
const bare = await start('bare', { upstream })

let asked = 0
const TEXT = 'The quick brown fox jumps over the lazy dog and runs home. '

async function one(agent, url, latencies) {
  const bytes = 256 + ((asked * 7_919) % (16 * 1_024 - 256))
  const content = `${TEXT.repeat(Math.ceil(bytes / TEXT.length)).slice(0, bytes)} ${asked++}`
  const body = JSON.stringify({ model: 'm', temperature: 0, messages: [{ role: 'user', content }] })
  const headers = { 'content-type': 'application/json' }
  const startMs = performance.now()
  const answer = await agent.request({ origin: url, method: 'POST', path: '/v1/chat/completions', headers, body })
  await answer.body.dump()
  latencies.push(performance.now() - startMs)
}

/** Open loop: a request every 5 ms, whatever became of those before. */
async function load(url, forSeconds) {
  const agent = new Agent({ connections: 128, allowH2: false })
  const latencies = []
  const running = []
  const startMs = performance.now()
  for (let n = 0; n < forSeconds * RATE; n++) {
    const waitMs = startMs + (n * 1_000) / RATE - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    running.push(one(agent, url, latencies))
  }
  await Promise.all(running)
  await agent.close()
  return latencies
}

const arms = { gateway: gateway.url, 'bare proxy': bare.url }
const seen = { gateway: [], 'bare proxy': [] }
for (const url of Object.values(arms)) await load(url, WARM_UP_S)
const warmAt = new Date().toISOString()
for (let turn = 0; turn < seconds / TURN_S; turn++) {
  for (const [name, url] of Object.entries(arms)) seen[name].push(...(await load(url, TURN_S)))
}
for (const values of Object.values(seen)) values.sort((a, b) => a - b)
const { components } = await (await fetch(`http://127.0.0.1:${adminPort}/stats`)).json()
const events = readFileSync(eventFile, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .filter(({ ts }) => ts >= warmAt)

const print = (text) => process.stdout.write(`${text}\n`)
const ms = (value) => value.toFixed(3).padStart(9)
const at = (values, q) => values[Math.min(values.length - 1, Math.floor(q * values.length))]
const BUDGETS = { input_policy: 2, routing: 0.5, acquire: 1, output_policy: 3, total: 7 }
print(`${RATE} requests/s, ${events.length} requests after ${WARM_UP_S} s of warm-up; ms\n`)
print(`${''.padEnd(24)}      P50       P99   budget`)
for (const name of [...Object.keys(events[0].overhead), 'total']) {
  const values = events.map(({ overhead, overhead_ms }) => (name === 'total' ? overhead_ms : overhead[name]) ?? 0)
  values.sort((a, b) => a - b)
  const budget = BUDGETS[name]
  const verdict =
    budget === undefined ? '' : `${String(budget).padStart(9)} ${at(values, 0.99) < budget ? 'ok' : 'over'}`
  print(`${name.padEnd(24)}${ms(at(values, 0.5))} ${ms(at(values, 0.99))}${verdict}`)
}
const { p50_ms, p99_ms } = components.event_emission
print(`${'event emission'.padEnd(24)}${ms(p50_ms)} ${ms(p99_ms)}           (warm-up included)`)
print('\nas a client sees it')
for (const [name, values] of Object.entries(seen))
  print(`${name.padEnd(24)}${ms(at(values, 0.5))} ${ms(at(values, 0.99))}`)
const ratio = (q) => (at(seen.gateway, q) / at(seen['bare proxy'], q)).toFixed(2).padStart(9)
print(`${'ratio'.padEnd(24)}${ratio(0.5)} ${ratio(0.99)}`)
for (const { stop } of [gateway, bare, provider]) stop()
rmSync(folder, { recursive: true })
process.exit()
