// Requests/s at concurrency 50, streamed tokens/s in large writes, and paced streams (one event a write, 50 tokens/s each)
// through one worker, against a bare node:http + undici proxy, in turns within one run:
//   npm run build && node test/bench/gateway/throughput.js [seconds a turn] [turns]
// Paced streams are compared by what a second of processor time carries: the rate itself is the upstream's.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Client } from 'undici'
import { start } from './processes.js'

const [seconds = 2, turns = 5] = process.argv.slice(2).map(Number)
const PACED_STREAMS = 200
const TOKENS_A_STREAM = 2_000
const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

const json = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'word '.repeat(200) }] })
const stream = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] })

const started = []
async function launch(role, options) {
  const one = await start(role, options)
  started.push(one)
  return one
}

/** Both arms before one upstream; h2 for the gateway where asked (the bare proxy speaks HTTP/1.1 only). */
async function armsBefore(options) {
  const upstream = await launch('upstream', options)
  return {
    bare: await launch('bare', { upstream: upstream.url }),
    gateway: await launch('gateway', { upstream: upstream.url }),
  }
}

/** Keeps `concurrency` requests in flight for a while; calls `count` with every piece of every answer. */
async function load(url, body, concurrency, count) {
  const startedMs = performance.now()
  const untilMs = startedMs + seconds * 1_000
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

/** Seconds of processor time that a process has used. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

const plain = await armsBefore({ events: TOKENS_A_STREAM, perWrite: 200 })
const paced = await armsBefore({ events: seconds * 50, perWrite: 1, gapMs: 20 })
const rows = {
  'requests/s, c=50': [plain, ({ url }) => load(url, json, 50, () => {})],
  'tokens/s, 200 events a write': [plain, async ({ url }) => TOKENS_A_STREAM * (await load(url, stream, 8, () => {}))],
  'tokens a CPU second, 1 event a write': [
    paced,
    async ({ url, pid }) => {
      let events = 0
      const before = cpuSeconds(pid)
      await load(url, stream, PACED_STREAMS, (chunk) => {
        for (let at = chunk.indexOf('\n\n'); at >= 0; at = chunk.indexOf('\n\n', at + 2)) events++
      })
      return events / (cpuSeconds(pid) - before)
    },
  ],
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const round = (value) => Math.round(value).toLocaleString('en').padStart(10)
for (const [name, [arms, measure]] of Object.entries(rows)) {
  const seen = { bare: [], gateway: [] }
  for (let turn = 0; turn < turns; turn++) {
    const order = turn % 2 === 0 ? ['bare', 'gateway'] : ['gateway', 'bare']
    for (const arm of order) seen[arm].push(await measure(arms[arm]))
  }
  const ratios = seen.gateway.map((value, index) => value / seen.bare[index])
  const range = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`
  process.stdout.write(
    `${name.padEnd(38)} bare ${round(median(seen.bare))}   gateway ${round(median(seen.gateway))}` +
      `   ratio ${median(ratios).toFixed(2)} (${range})\n`,
  )
}
for (const one of started) one.stop()
process.exit()
