// What output policies cost on streams, through one worker, in turns within one run: tokens/s where the upstream writes 200
// events at once, and where it writes one event at a time to each of 50 streams, against a bare
// node:http + undici proxy; and what two input policies on 1 MiB prompts cost the others.
// `npm run build && node test/bench/gateway/policies.js [seconds a turn] [turns] [coalesced|paced|prompts]`.
import { Client } from 'undici'
import { start } from './processes.js'

const [seconds = 2, turns = 5] = process.argv.slice(2, 4).map(Number)
const only = process.argv[4]
const TOKENS_A_STREAM = 2_000
const output = (name, rest) => ({ name, type: 'output_filter', parallel_group: 'output-checks', ...rest })
const OUTPUT = [output('content-filter', { action: 'block' }), output('pii-redaction', { action: 'redact' })]
const INPUT = [
  { name: 'pii', type: 'input_filter', action: 'redact', kind: 'pii', parallel_group: 'in' },
  { name: 'words', type: 'input_filter', action: 'block', keywords: ['launch code'], parallel_group: 'in' },
]

const headers = { 'content-type': 'application/json' }
const streamBody = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] })

function ask(client, body) {
  return new Promise((resolve, reject) => {
    client.dispatch(
      { method: 'POST', path: '/v1/chat/completions', headers, body },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, status) => status !== 200 && reject(new Error(`status ${status}`)),
        onResponseData: () => {},
        onResponseEnd: resolve,
        onResponseError: (_controller, error) => reject(error),
      },
    )
  })
}

/** Keeps `concurrency` streams in flight for a while; events a second. */
async function eventsPerSecond(url, concurrency) {
  const startedMs = performance.now()
  const untilMs = startedMs + seconds * 1_000
  let events = 0
  let endedMs = 0
  const one = async () => {
    const client = new Client(url, { allowH2: false })
    while (performance.now() < untilMs) {
      await ask(client, streamBody)
      events += TOKENS_A_STREAM
      endedMs = performance.now()
    }
    await client.close()
  }
  await Promise.all(Array.from({ length: concurrency }, one))
  return (events * 1_000) / (endedMs - startedMs)
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
const round = (value) => Math.round(value).toLocaleString('en').padStart(11)

async function inTurns(name, arms, measure) {
  const seen = Object.fromEntries(Object.keys(arms).map((arm) => [arm, []]))
  for (let turn = -1; turn < turns; turn++) {
    const order = turn % 2 === 0 ? Object.keys(arms) : Object.keys(arms).reverse()
    for (const arm of order) {
      const value = await measure(arms[arm].url)
      // The first turn warms up.
      if (turn >= 0) seen[arm].push(value)
    }
  }
  const [first] = Object.keys(arms)
  for (const [arm, values] of Object.entries(seen)) {
    const ratios = values.map((value, index) => value / seen[first][index])
    const range = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`
    process.stdout.write(
      `${name.padEnd(34)} ${arm.padEnd(22)} ${round(median(values))}   ${median(ratios).toFixed(2)}x of ${first} (${range})\n`,
    )
  }
}

async function coalesced() {
  const upstream = await start('upstream', { events: TOKENS_A_STREAM, perWrite: 200 })
  const arms = {
    bare: await start('bare', { upstream: upstream.url }),
    'no policies': await start('gateway', { upstream: upstream.url }),
    'two output policies': await start('gateway', { upstream: upstream.url, policies: OUTPUT }),
  }
  await inTurns('tokens/s, 200 events a write', arms, (url) => eventsPerSecond(url, 8))
  for (const one of [upstream, ...Object.values(arms)]) one.stop()
}

async function paced() {
  const upstream = await start('upstream', { events: TOKENS_A_STREAM, perWrite: 1, gapMs: 0 })
  const arms = {
    bare: await start('bare', { upstream: upstream.url }),
    'no policies': await start('gateway', { upstream: upstream.url }),
    'two output policies': await start('gateway', { upstream: upstream.url, policies: OUTPUT }),
  }
  await inTurns('tokens/s, one event a write', arms, (url) => eventsPerSecond(url, 50))
  for (const one of [upstream, ...Object.values(arms)]) one.stop()
}

/** Latencies of small requests while 1 MiB prompts are judged, and while they only pass. */
async function largePrompts() {
  const upstream = await start('upstream')
  const arms = {
    'no policies': await start('gateway', { upstream: upstream.url }),
    'two input policies': await start('gateway', { upstream: upstream.url, policies: INPUT }),
  }
  const text = 'The quick brown fox jumps over the lazy dog. '.repeat((1024 * 1024) / 45)
  const large = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: text }] })
  const small = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
  const quantiles = {}
  for (let turn = 0; turn < turns; turn++) {
    for (const [name, { url }] of Object.entries(arms)) {
      const untilMs = performance.now() + seconds * 1_000
      const latencies = []
      const loop = async (body, each, gapMs) => {
        const client = new Client(url, { allowH2: false })
        while (performance.now() < untilMs) {
          const startedMs = performance.now()
          await ask(client, body)
          each(performance.now() - startedMs)
          await new Promise((resolve) => setTimeout(resolve, gapMs))
        }
        await client.close()
      }
      await Promise.all([loop(large, () => {}, 50), loop(small, (ms) => latencies.push(ms), 5)])
      latencies.sort((a, b) => a - b)
      quantiles[name] ??= []
      quantiles[name].push([0.5, 0.99].map((q) => latencies[Math.floor(latencies.length * q)]))
    }
  }
  for (const [name, all] of Object.entries(quantiles)) {
    const [p50, p99] = [0, 1].map((i) => median(all.map((one) => one[i])).toFixed(2))
    process.stdout.write(
      `${'others, beside 1 MiB prompts'.padEnd(34)} ${name.padEnd(22)} P50 ${p50} ms   P99 ${p99} ms\n`,
    )
  }
  for (const one of [upstream, ...Object.values(arms)]) one.stop()
}

for (const [name, measure] of Object.entries({ coalesced, paced, prompts: largePrompts })) {
  if (only === undefined || only === name) await measure()
}
