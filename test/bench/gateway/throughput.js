// Requests/s at concurrency 50 and streamed tokens/s through one worker, against a bare node:http + undici proxy, in turns
// within one run: `npm run build && node test/bench/gateway/throughput.js [seconds a turn] [turns]`.
import { Client } from 'undici'
import { start } from './processes.js'

const [seconds = 2, turns = 5] = process.argv.slice(2).map(Number)
const upstream = await start('upstream')
const arms = {
  bare: await start('bare', { upstream: upstream.url }),
  gateway: await start('gateway', { upstream: upstream.url }),
}

/** Keeps `concurrency` requests in flight for a while; calls `count` with every piece of every answer. */
async function load(url, body, concurrency, count) {
  const untilMs = performance.now() + seconds * 1_000
  const startedMs = performance.now()
  let done = 0
  const headers = { 'content-type': 'application/json' }
  const one = (client) =>
    new Promise((resolve, reject) => {
      const next = () => {
        if (performance.now() >= untilMs) return void client.close().then(resolve)
        client.dispatch(
          { method: 'POST', path: '/v1/chat/completions', headers, body },
          {
            onRequestStart: () => {},
            onResponseStart: () => {},
            onResponseData: (_controller, chunk) => count(chunk),
            onResponseEnd: () => {
              done++
              next()
            },
            onResponseError: (_controller, error) => reject(error),
          },
        )
      }
      next()
    })
  await Promise.all(Array.from({ length: concurrency }, () => one(new Client(url, { allowH2: false }))))
  return done / ((performance.now() - startedMs) / 1_000)
}

const json = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'word '.repeat(200) }] })
const stream = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] })
const TOKENS_A_STREAM = 2_000

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const rows = {
  'requests/s, c=50': (url) => load(url, json, 50, () => {}),
  'tokens/s, 200 events a write': async (url) => TOKENS_A_STREAM * (await load(url, stream, 8, () => {})),
}
for (const [name, measure] of Object.entries(rows)) {
  const seen = { bare: [], gateway: [] }
  for (let turn = 0; turn < turns; turn++) {
    for (const arm of turn % 2 === 0 ? ['bare', 'gateway'] : ['gateway', 'bare'])
      seen[arm].push(await measure(arms[arm].url))
  }
  const ratios = seen.gateway.map((value, index) => value / seen.bare[index])
  const round = (value) => Math.round(value).toLocaleString('en')
  process.stdout.write(
    `${name.padEnd(32)} bare ${round(median(seen.bare)).padStart(10)}   gateway ${round(median(seen.gateway)).padStart(10)}` +
      `   ratio ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)})\n`,
  )
}
for (const one of [arms.bare, arms.gateway, upstream]) one.stop()
process.exit()
