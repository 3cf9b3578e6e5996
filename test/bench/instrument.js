// What the instrument itself does, in one run: how far its latencies lie above the provider's own record, beside a raw-socket client in
// turns; how late the open loop sends; how fast streams are read; how late tokens are seen; what a second thread brings.
//   npm run build && npx -c 'node test/bench/instrument.js'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { SseReader } from '../../dist/src/client/sse.js'
import { StreamWatch } from '../../dist/src/client/stream-watch.js'
import { startProvider } from '../../dist/src/provider/server.js'
import { startRun } from '../../dist/src/runner/run.js'
import { Histogram } from '../../dist/src/stats/histogram.js'
import { now } from '../../dist/src/system/clock.js'
import { promptWorkload, requestMaker } from '../../dist/src/workload/workload.js'

const PATH = '/v1/chat/completions'

/** A provider in a process of its own. */
async function provider(ttftMs, gapMs) {
  const child = fork(new URL(import.meta.url), ['provider', ttftMs, gapMs])
  const [port] = await once(child, 'message')
  return { port, origin: `http://127.0.0.1:${port}`, close: () => child.disconnect() }
}

function workload(stream = false, maxTokens = 1) {
  return promptWorkload({ endpoint: 'chat', model: 'm', prompt: 'Say hello', stream, maxTokens, seed: 1 })
}

/** One run of kt against `origin`. */
function run(origin, load, more = {}, sends = workload()) {
  const headers = { 'content-type': 'application/json' }
  const tag = String.fromCharCode(...Array.from({ length: 8 }, () => 97 + Math.floor(Math.random() * 26)))
  return startRun(
    {
      arms: [{ name: 'target', origin, path: PATH, headers, tag }],
      workload: sends,
      load,
      requests: undefined,
      durationUs: 3e6,
      blocks: 10,
      warmup: 50,
      timeoutUs: 30e6,
      tokenBudget: undefined,
      ...more,
    },
    { progress: () => {} },
  ).result
}

const ms = (us) => (us / 1_000).toFixed(3)
const say = (text) => process.stdout.write(`${text}\n`)
const quantiles = (histogram) => `P50 ${ms(histogram.quantileUs(0.5))}  P99 ${ms(histogram.quantileUs(0.99))} ms`

/** The least a client in Node can read: one raw socket, one write, one answer at a time; latency above the stamp. */
async function rawExcess(port, requests) {
  const make = requestMaker(workload())
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  await once(socket, 'connect')
  const excess = new Histogram()
  for (let i = 0; i < requests; i++) {
    const { body } = make('rawclien', i + Math.floor(now()))
    const text = `POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    const sentUs = now()
    socket.write(text)
    const [answer] = await once(socket, 'data')
    const tookUs = now() - sentUs
    const stamp = /"kt1\.[a-z]{16}\.\d+\.(\d+)"/.exec(answer.toString())
    if (stamp) excess.record(tookUs - Number(stamp[1]))
  }
  socket.destroy()
  return excess
}

async function accuracy() {
  say('\nlatency above the provider’s own record, one in flight, kt and a raw socket in turns (five each)')
  for (const holdMs of [5, 20, 100]) {
    const target = await provider(holdMs, 0)
    const [kt, raw] = [new Histogram(), new Histogram()]
    const requests = holdMs === 100 ? 20 : 100
    for (let turn = 0; turn < 5; turn++) {
      const { arms } = await run(
        target.origin,
        { mode: 'closed', concurrency: 1 },
        { requests, durationUs: undefined, warmup: 10 },
      )
      kt.add(Histogram.decode(arms[0].stamped.total))
      raw.add(await rawExcess(target.port, requests))
    }
    target.close()
    const beyond = (q) => ms(kt.quantileUs(q) - raw.quantileUs(q))
    say(
      `  ${holdMs} ms hold: kt ${quantiles(kt)}; raw ${quantiles(raw)}; excess P50 ${beyond(0.5)}  P99 ${beyond(0.99)} ms (aim 0.10, 0.30)`,
    )
  }
}

async function lateness() {
  say('\nsend lateness of the open loop (aim P50 0.15, P99 0.50 ms, 0.99 of the rate)')
  const target = await provider(5, 0)
  for (const rps of [200, 1_000, 2_000]) {
    const { sendLag, achievedToOffered, self } = await run(target.origin, { mode: 'open', rps, maxInFlight: 1_000 })
    say(
      `  ${rps}/s: ${quantiles(Histogram.decode(sendLag))}; achieved ${achievedToOffered.toFixed(3)}; ${self.cpuShare.toFixed(2)} cores`,
    )
  }
  target.close()
}

async function arrival() {
  say('\n300 streams at 50 tokens/s each: how late a token is seen, by its stamp (aim P99 3 ms)')
  const target = await provider(100, 20)
  const { arms } = await run(
    target.origin,
    { mode: 'closed', concurrency: 300 },
    { warmup: 300, durationUs: 5e6 },
    workload(true, 50),
  )
  say(`  ${quantiles(Histogram.decode(arms[0].stamped.perToken))}`)
  target.close()
}

function reading() {
  say('\ncoalesced streams, 200 events a body, read and counted on one core (aim 1,000,000 events/s)')
  const words = ['The', ' quick', ' brown', ' fox', ' jumps', ',', ' over', ' a', ' lazy', ' dog', '.']
  const chunk = (i) =>
    `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"kt1.abcdefghijklmnop.1.${1_000 + i * 17}","choices":[{"index":0,"delta":{"content":"${words[i % words.length]}"},"finish_reason":null}]}\n\n`
  const body = Buffer.from(`${Array.from({ length: 200 }, (_, i) => chunk(i)).join('')}data: [DONE]\n\n`)
  const rates = []
  for (let round = 0; round < 5; round++) {
    const sinceUs = now()
    let events = 0
    while (now() - sinceUs < 1e6) {
      const watch = new StreamWatch(() => {})
      const reader = new SseReader(
        (data) => watch.event(data, 0),
        (bytes, start, end) => watch.eventBytes(bytes, start, end, 0),
      )
      reader.push(body)
      reader.end()
      events += watch.events
    }
    rates.push((events * 1e6) / (now() - sinceUs))
  }
  say(`  median ${Math.round(rates.sort((a, b) => a - b)[2]).toLocaleString('en')} events/s`)
}

async function threads() {
  say('\ntwo sending threads against one, a 5 ms target that is not the limit (aim 1.7x where cores allow)')
  const target = await provider(50, 0)
  const rates = { 1: [], 2: [] }
  for (let round = 0; round < 3; round++) {
    for (const workers of [1, 2]) {
      const { arms } = await run(target.origin, { mode: 'closed', concurrency: 200 }, { workers })
      rates[workers].push((Histogram.decode(arms[0].metrics.latency).count * 1e6) / arms[0].activeUs)
    }
  }
  const median = (values) => values.sort((a, b) => a - b)[1]
  say(
    `  one ${median(rates[1]).toFixed(0)}/s, two ${median(rates[2]).toFixed(0)}/s, ratio ${(median(rates[2]) / median(rates[1])).toFixed(2)}`,
  )
}

if (process.argv[2] === 'provider') {
  const [ttftMs, gapMs] = process.argv.slice(3).map(Number)
  const fixed = (ms) => ({ kind: 'fixed', us: ms * 1_000 })
  const latency = { ttft: fixed(ttftMs), tokenGap: fixed(gapMs), seed: 1 }
  const provider = await startProvider({ host: '127.0.0.1', port: 0, tokens: 1, latency })
  process.send(provider.port)
  process.on('disconnect', () => process.exit())
} else {
  await accuracy()
  await lateness()
  await arrival()
  reading()
  await threads()
  process.exit()
}
