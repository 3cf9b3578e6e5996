// Requests a second of one kt worker, with its full measurement on, against autocannon: small JSON, the same target, the same number
// in flight, in turns. Prints every round and the ratio of the medians.
//   npm run build && npx -c 'node test/bench/client-vs-autocannon.js [rounds] [seconds] [concurrency]'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import autocannon from 'autocannon'
import { startRun } from '../../dist/src/runner/run.js'
import { Histogram } from '../../dist/src/stats/histogram.js'
import { promptWorkload } from '../../dist/src/workload/workload.js'

const [rounds = 5, seconds = 5, concurrency = 50] = process.argv.slice(2).map(Number)
const path = '/v1/chat/completions'
const workload = promptWorkload({
  endpoint: 'chat',
  model: 'gpt-4o-mini',
  prompt: 'Say hello in one word',
  stream: false,
  seed: 1,
})

const target = fork(new URL('json-target.js', import.meta.url))
const [port] = await once(target, 'message')
const origin = `http://127.0.0.1:${port}`

async function kt() {
  const headers = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'kt' }
  const { arms, self } = await startRun(
    {
      arms: [{ name: 'target', origin, path, headers, tag: 'comparex' }],
      workload,
      load: { mode: 'closed', concurrency },
      requests: undefined,
      durationUs: seconds * 1e6,
      blocks: 20,
      warmup: 2_000,
      timeoutUs: 30e6,
      tokenBudget: undefined,
    },
    { progress: () => {} },
  ).result
  const [arm] = arms
  const done = Histogram.decode(arm.metrics.latency).count
  return { rate: (done * 1e6) / arm.activeUs, busy: self.eventLoopUtilization }
}

async function cannon() {
  const body =
    '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say hello in one word ktcomparexaaaaaaaa"}]}'
  const ask = (duration) =>
    autocannon({
      url: origin + path,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body,
      connections: concurrency,
      duration,
    })
  await ask(1)
  const result = await ask(seconds)
  return { rate: result['2xx'] / result.duration }
}

const rates = { kt: [], autocannon: [] }
for (let round = 0; round < rounds; round++) {
  const order = round % 2 === 0 ? ['kt', 'autocannon'] : ['autocannon', 'kt']
  const result = {}
  for (const name of order) {
    result[name] = await (name === 'kt' ? kt() : cannon())
    rates[name].push(result[name].rate)
  }
  const [a, b] = [result.kt.rate, result.autocannon.rate]
  process.stdout.write(
    `round ${round + 1}: kt ${a.toFixed(0)}/s (loop ${(result.kt.busy * 100).toFixed(0)} % busy), autocannon ${b.toFixed(0)}/s, ratio ${(a / b).toFixed(3)}\n`,
  )
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
process.stdout.write(
  `medians of ${rounds}, ${seconds} s each, ${concurrency} in flight: kt ${median(rates.kt).toFixed(0)}/s, autocannon ${median(rates.autocannon).toFixed(0)}/s, ratio ${(median(rates.kt) / median(rates.autocannon)).toFixed(3)}\n`,
)
target.disconnect()
