// Memory of one worker over many requests (10 % streams, 5 % given up half-way): it must level off. Heap after a
// collection and resident memory, at equal steps: npm run build && node test/bench/gateway/memory.js [requests]
// [h1|h2 to the provider]
import { Client } from 'undici'
import { line } from './measure.js'
import { start } from './processes.js'

const [requests = '100000', version = 'h1'] = process.argv.slice(2)
const STEPS = 10
const CONCURRENCY = 32
const upstream = await start('upstream', { events: 100, perWrite: 10, http2: version === 'h2' })
const gateway = await start('gateway', { upstream: upstream.url, settings: { upstream: { http_version: version } } })
const body = (stream) =>
  JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'word '.repeat(100) }] })
const [plain, streamed] = [body(false), body(true)]
let left = 0
let index = 0

function one(client) {
  return new Promise((resolve) => {
    const mine = index++
    const givenUp = mine % 20 === 7
    client.dispatch(
      {
        method: 'POST',
        path: '/v1/chat/completions',
        headers: { 'content-type': 'application/json' },
        body: mine % 10 === 7 ? streamed : plain,
      },
      {
        onRequestStart: (controller) => {
          if (givenUp) setTimeout(() => controller.abort(new Error('given up')), mine % 4)
        },
        onResponseStart: () => {},
        onResponseData: () => {},
        onResponseEnd: () => resolve(),
        onResponseError: () => resolve(),
      },
    )
  })
}

async function lane() {
  const client = new Client(gateway.url, { allowH2: false })
  while (left-- > 0) await one(client)
  await client.close()
}

const seen = []
const startedMs = performance.now()
for (let step = 1; step <= STEPS; step++) {
  left = Number(requests) / STEPS
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
  const { heap, rss } = await gateway.memory()
  seen.push({ heap, rss })
  process.stdout.write(
    `${String((step * Number(requests)) / STEPS).padStart(9)} requests   heap ${heap.toFixed(1).padStart(6)} MiB   ` +
      `resident ${rss.toFixed(1).padStart(6)} MiB\n`,
  )
}
// The first fifth warms up.
const from = seen[Math.floor(STEPS / 5)]
const to = seen.at(-1)
line('heap, growth after warm-up', to.heap - from.heap, 'MiB', { atMost: 1 })
line('resident, growth after warm-up', to.rss - from.rss, 'MiB', {
  note: `${((100 * to.rss) / from.rss - 100).toFixed(1)} %`,
})
process.stdout.write(`${Math.round(Number(requests) / ((performance.now() - startedMs) / 1_000))} requests/s\n`)
gateway.stop()
upstream.stop()
process.exit()
