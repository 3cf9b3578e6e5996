// What the guide's two output policies cost a token, in the filter alone: no sockets, no clocks of requests. Streams of
// the chat workload's mean length, side by side, each token an event in a buffer of its own. Twice: CPU time with the
// processor's caches warm, and the median time of one token where other memory was read in between, as the rest of a
// gateway does from token to token. Where a second build is named, both are measured in turns:
// npm run build && node test/bench/gateway/policy-cpu.js [turns] [streams] [another checkout, built]
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { line, median, sorted } from './measure.js'

const HERE = new URL('../../../', import.meta.url).pathname
const [turns = 15, streams = 50, other] = process.argv.slice(2)
const TOKENS = 211
/** More than the second cache of a core holds. */
const OTHER_MEMORY = new Uint8Array(2 * 1_024 * 1_024)
const LINE_BYTES = 64
const WORDS = (
  'the simulated model answers with plain words so that every token can be counted and nothing in the text looks ' +
  'like private data while the gateway passes each of them along to the client in order.'
).split(' ')

function event(content) {
  const choice = { index: 0, delta: { content }, logprobs: null, finish_reason: null }
  const data = {
    id: 'chatcmpl-kt00000001',
    object: 'chat.completion.chunk',
    created: 1_796_055_089,
    model: 'gpt-4o',
    system_fingerprint: 'kt1.abcdefghijklmnop.1.123456789',
    choices: [choice],
  }
  const text = `data: ${JSON.stringify(data)}\n\n`
  // Not out of the pool that small buffers share: each piece that arrives has its own.
  const bytes = Buffer.from(new ArrayBuffer(Buffer.byteLength(text)))
  bytes.write(text)
  return bytes
}

const events = Array.from({ length: TOKENS }, (_, i) => event(i === 0 ? 'The' : ` ${WORDS[i % WORDS.length]}`))

async function policiesOf(root) {
  const { createPolicyHooks } = await import(`${root}dist/reference-gateway/policies/hooks.js`)
  const { policiesFile, streamingFile } = await import(`${root}dist/reference-gateway/policies/kinds/config-file.js`)
  const { policies } = parse(readFileSync(`${root}reference-gateway/gateway.yaml`, 'utf8'))
  return createPolicyHooks(policiesFile.parse(policies), streamingFile.parse({}), () => {}).output
}

/** The filters of as many streams, and how many bytes have left them. */
function begin(output) {
  const left = { bytes: 0, ended: 0 }
  const sink = {
    run: (step) => step(),
    write(chunk) {
      left.bytes += chunk.length
      return true
    },
    resume() {},
    end: () => left.ended++,
    block: (_event, code) => {
      throw new Error(code)
    },
  }
  const head = { status: 200, isEventStream: true, contentType: 'text/event-stream' }
  const filters = Array.from({ length: Number(streams) }, () => {
    const context = { method: 'POST', endpoint: '/chat/completions', timings: { holding: false } }
    return output.filter(context, head).start(sink)
  })
  const end = async () => {
    for (const filter of filters) filter.end()
    // A search that was interrupted goes on in another turn of the event loop.
    for (let n = 0; n < 1_000 && left.ended < filters.length; n++) await new Promise(setImmediate)
    const bytes = filters.length * events.reduce((sum, { length }) => sum + length, 0)
    if (left.bytes !== bytes || left.ended !== filters.length) throw new Error('a stream did not leave as it came')
  }
  return { filters, end }
}

/** CPU time a token, in microseconds. */
async function warm(output) {
  const { filters, end } = begin(output)
  const started = process.cpuUsage()
  for (const bytes of events) for (const filter of filters) filter.write(bytes)
  const { user, system } = process.cpuUsage(started)
  await end()
  return (user + system) / (filters.length * TOKENS)
}

let read = 0

/** The median time of one token behind other work, in microseconds. */
async function cold(output) {
  const { filters, end } = begin(output)
  const took = []
  for (const bytes of events) {
    for (const filter of filters) {
      for (let at = 0; at < OTHER_MEMORY.length; at += LINE_BYTES) read += OTHER_MEMORY[at]
      const startNs = process.hrtime.bigint()
      filter.write(bytes)
      took.push(Number(process.hrtime.bigint() - startNs))
    }
  }
  await end()
  return median(took) / 1_000
}

const arms = { 'this build': await policiesOf(HERE) }
if (other) arms['the other build'] = await policiesOf(`${other}/`)
const seen = Object.fromEntries(Object.keys(arms).map((name) => [name, { warm: [], cold: [] }]))
for (let turn = -5; turn < Number(turns); turn++) {
  for (const [name, output] of Object.entries(arms)) {
    const values = { warm: await warm(output), cold: await cold(output) }
    if (turn >= 0) for (const [kind, value] of Object.entries(values)) seen[name][kind].push(value)
  }
}
if (read !== 0) throw new Error('the other memory is not empty')
for (const [name, values] of Object.entries(seen)) {
  line(`${name}, CPU a token, caches warm, least of turns`, sorted(values.warm)[0], 'us')
  line(`${name}, CPU a token, caches warm, median`, median(values.warm), 'us')
  line(`${name}, a token behind other work, least of turns`, sorted(values.cold)[0], 'us')
  line(`${name}, a token behind other work, median`, median(values.cold), 'us')
}
process.exit()
