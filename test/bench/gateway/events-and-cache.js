// What events and the cache add to a request, against the same gateway without them and a bare node:http + undici
// proxy. One request to each in turns, so that whatever the machine does meets all alike; differences are of single
// pairs. npm run build && node test/bench/gateway/events-and-cache.js [rounds]
import { execFileSync } from 'node:child_process'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'undici'
import { start } from './processes.js'

const [rounds = 3_000] = process.argv.slice(2).map(Number)
const WARM_UP = 300
const folder = mkdtempSync(join(tmpdir(), 'kt-bench-'))

/** A collector that takes spans and never answers, and a pipe that is open and never read. */
const collector = createServer((request) => request.resume())
await new Promise((resolve) => collector.listen(0, '127.0.0.1', resolve))
const pipe = join(folder, 'pipe')
execFileSync('mkfifo', [pipe])
openSync(pipe, 'r+')

const stuck = `http://127.0.0.1:${collector.address().port}/v1/traces`
const { url: upstream } = await start('upstream')
const gateway = (settings) => start('gateway', { upstream, settings })
const arms = {
  'bare proxy': await start('bare', { upstream }),
  'gateway, all off': await gateway({}),
  'events, kept only': await gateway({ events: { enabled: true } }),
  'events to a file': await gateway({ events: { file: { path: join(folder, 'events.ndjson') } } }),
  'events to a stuck pipe': await gateway({ events: { buffer: 64, file: { path: pipe } } }),
  'events to a stuck collector': await gateway({ events: { buffer: 64, otlp: { endpoint: stuck, timeout: '2s' } } }),
  'cache, miss': await gateway({ cache: { enabled: true } }),
  'cache, hit': await gateway({ cache: { enabled: true } }),
}
const names = Object.keys(arms)
const clients = Object.fromEntries(names.map((name) => [name, new Client(arms[name].url, { allowH2: false })]))
const latencies = Object.fromEntries(names.map((name) => [name, []]))
const prompt = 'word '.repeat(800)

for (let round = -WARM_UP; round < rounds; round++) {
  for (let i = 0; i < names.length; i++) {
    const name = names[(i + round + WARM_UP) % names.length]
    const seed = name === 'cache, hit' ? 1 : round
    const body = JSON.stringify({ model: 'm', temperature: 0, seed, messages: [{ role: 'user', content: prompt }] })
    const startMs = performance.now()
    const answer = await clients[name].request({
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json' },
      body,
    })
    await answer.body.dump()
    if (round >= 0) latencies[name].push(performance.now() - startMs)
  }
}

const sorted = (values) => [...values].sort((a, b) => a - b)
const quantile = (values, q) => sorted(values)[Math.min(values.length - 1, Math.floor(q * values.length))]
const ms = (value) => value.toFixed(3).padStart(8)
/** The median, and between which two of the values it lies with 95 %. */
function medianInterval(values) {
  const all = sorted(values)
  const half = 0.98 * Math.sqrt(all.length)
  const at = (rank) => all[Math.min(all.length - 1, Math.max(0, Math.round(rank)))]
  return [at(all.length / 2), at(all.length / 2 - half), at(all.length / 2 + half)]
}
const base = latencies['gateway, all off']
const print = (text) => process.stdout.write(`${text}\n`)
print(`${rounds} rounds, one request at a time, 4 KB prompts, 1 KB answers; ms\n`)
print(`${''.padEnd(28)}     P50      P99   x bare   median difference to 'all off' [95 %]`)
for (const name of names) {
  const [middle, low, high] = medianInterval(latencies[name].map((value, i) => value - base[i]))
  const ratio = quantile(latencies[name], 0.5) / quantile(latencies['bare proxy'], 0.5)
  const figures =
    `${ms(quantile(latencies[name], 0.5))} ${ms(quantile(latencies[name], 0.99))} ` + `${ratio.toFixed(2).padStart(8)}`
  print(`${name.padEnd(28)}${figures} ${ms(middle)} [${low.toFixed(3)}, ${high.toFixed(3)}]`)
}
for (const name of names) arms[name].stop()
rmSync(folder, { recursive: true })
process.exit()
