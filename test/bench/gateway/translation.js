// What a gateway adds by translating: the same prompts through LiteLLM as chat to a provider of chat, as Messages to a
// provider of Messages, and as chat to the provider of Messages; whole and streamed, one in flight, by the provider's
// stamps, which travel in the text: translating drops every member that it does not know. Beside it LiteLLM's own CPU
// time a request, on which other work of the machine has less influence. In turns.
// npm run build && npx -c 'node test/bench/gateway/translation.js [seconds a turn] [turns]'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../../../dist/src/bench/embedded.js'
import { resolveTarget } from '../../../dist/src/client/target.js'
import { endpointOf } from '../../../dist/src/wire/endpoints.js'
import { promptWorkload } from '../../../dist/src/workload/workload.js'
import { needPeer } from '../../setup/peers/find.ts'
import { decode, run, say } from '../instrument/rig.js'
import { CHAT_MODEL, MESSAGES_MODEL, startLitellmBefore } from '../peers/litellm.js'
import { ranged } from '../peers/rounds.js'
import { pairedDifference } from '../peers/summary.ts'
import { cpuSeconds, inTurns } from './measure.js'

// Fewer than six turns give their differences no interval.
const [seconds = 4, turns = 7] = process.argv.slice(2).map(Number)
const WAYS = {
  'chat, passed on': { endpoint: 'chat', model: CHAT_MODEL },
  'Messages, passed on': { endpoint: 'messages', model: MESSAGES_MODEL },
  'chat, translated to Messages': { endpoint: 'chat', model: MESSAGES_MODEL },
}
const KINDS = { whole: false, streamed: true }
const QUANTILES = { P50: 0.5, P99: 0.99 }
const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
/** Eight letters that make the requests of each turn its own. */
const nextTag = (
  (turn) => () =>
    (turn++)
      .toString(26)
      .padStart(8, '0')
      .replace(/\d/g, (digit) => 'qrstuvwxyz'[digit])
)(0)

const folder = await mkdtemp(join(tmpdir(), 'kt-translation-'))
const pace = ['--ttft', '20ms', '--token-gap', '2ms', '--stamp-in-text']
const note = (text) => process.stderr.write(`${text}\n`)
const provider = await startServer(['provider', 'start', '--port', '0', ...pace], note)
const program = await needPeer('litellm')
const litellm = await startLitellmBefore(program, folder, provider.url)

async function measure({ endpoint, model, stream }) {
  const shape = { endpoint, model, stream }
  const { origin, path } = resolveTarget(litellm.origin, shape)
  const headers = { ...HEADERS, ...endpointOf(endpoint).headers }
  const arms = [{ name: 'target', origin, path, headers, tag: nextTag() }]
  const sends = promptWorkload({ ...shape, prompt: 'Say hello in one word', maxTokens: 16, seed: 1 })
  const load = { mode: 'closed', concurrency: 1 }
  const cpuBefore = cpuSeconds(litellm.pid)
  const { arm, record, done } = await run(origin, load, { arms, durationUs: seconds * 1e6, jitWarmup: false }, sends)
  const total = decode(arm.stamped.total)
  if (done === 0 || total.count < done) throw new Error(`${endpoint}, ${model}: ${JSON.stringify(arm.details)}`)
  const sent = done + record.arms.reduce((sum, { warmup }) => sum + warmup.sent, 0)
  const quantiles = Object.entries(QUANTILES).map(([name, q]) => [name, total.quantileUs(q) / 1_000])
  return { ...Object.fromEntries(quantiles), CPU: ((cpuSeconds(litellm.pid) - cpuBefore) * 1_000) / sent }
}

const arms = Object.entries(WAYS).flatMap(([way, shape]) =>
  Object.entries(KINDS).map(([kind, stream]) => [`${way}, ${kind}`, { ...shape, stream }]),
)
const seen = await inTurns(Object.fromEntries(arms), turns, measure)

const columns = Object.keys(KINDS).flatMap((kind) => [...Object.keys(QUANTILES), 'CPU'].map((q) => ({ kind, q })))
const of = (way, { kind, q }) => seen[`${way}, ${kind}`].map((turn) => turn[q])
const rows = Object.keys(WAYS).map((way) => [way, ...columns.map((column) => ranged(of(way, column), 1))])
const [chat, messages, translated] = Object.keys(WAYS)
const less = (other) => [
  `translated less ${other}`,
  ...columns.map((column) => {
    const { median, lower, upper } = pairedDifference(of(translated, column), of(other, column))
    return `${median.toFixed(1)} [${lower.toFixed(1)}, ${upper.toFixed(1)}]`
  }),
]
say(
  `LiteLLM ${program.version}: overhead and CPU a request in ms, the median of ${turns} turns of ${seconds} s (range)`,
)
const head = ['', ...columns.map(({ kind, q }) => `${kind}, ${q}`)]
say(`| ${head.join(' | ')} |\n|${'---|'.repeat(head.length)}`)
for (const row of [...rows, less(chat), less(messages)]) say(`| ${row.join(' | ')} |`)
await litellm.stop()
await provider.close()
await rm(folder, { recursive: true })
process.exit()
