// Streamed tokens through one worker, against a bare node:http + undici proxy, in turns within one run: tokens/s
// where the provider writes 200 events at once, and what a second of the worker's processor time carries where it
// writes one event at a time to each of 200 streams, 50 a second (the rate itself is the provider's): npm run build
// && node test/bench/gateway/tokens.js [seconds a turn] [turns]
import { chat, cpuSeconds, inTurns, keepBusy, line, median, policies, ratioTo } from './measure.js'
import { start } from './processes.js'

const [seconds = 2, turns = 5] = process.argv.slice(2).map(Number)
const TOKENS_A_STREAM = 2_000
const PACED_STREAMS = 200
const body = chat('hi', { stream: true })

/** As many connections as the bare proxy keeps. */
const settings = { connection_pool: { max_idle_per_host: 256, max_total: 256 } }

async function before(upstreamOptions) {
  const { url: upstream, stop } = await start('upstream', upstreamOptions)
  const arms = {
    bare: await start('bare', { upstream }),
    'no policies': await start('gateway', { upstream, settings }),
    'two output policies': await start('gateway', { upstream, settings, policies: policies({}) }),
  }
  const end = () => {
    for (const one of Object.values(arms)) one.stop()
    stop()
  }
  return { arms, end }
}

const coalesced = await before({ events: TOKENS_A_STREAM, perWrite: 200 })
const large = await inTurns(
  coalesced.arms,
  turns,
  async ({ url }) => TOKENS_A_STREAM * (await keepBusy(url, seconds, 8, body)),
)
coalesced.end()
const aims = { 'no policies': { atLeast: 1_050_000 }, 'two output policies': { atLeast: 300_000 } }
for (const [name, values] of Object.entries(large)) {
  const note = `${ratioTo(values, large.bare).value.toFixed(2)} x bare`
  line(`200 events a write, ${name}`, median(values), '/s', { ...aims[name], note })
}

const paced = await before({ events: seconds * 50, perWrite: 1, gapMs: 20 })
const small = await inTurns(paced.arms, turns, async ({ url, pid }) => {
  let events = 0
  const data = (chunk) => {
    for (let at = chunk.indexOf('\n\n'); at >= 0; at = chunk.indexOf('\n\n', at + 2)) events++
  }
  const startSeconds = cpuSeconds(pid)
  await keepBusy(url, seconds, PACED_STREAMS, body, { data })
  return events / (cpuSeconds(pid) - startSeconds)
})
paced.end()
for (const [name, values] of Object.entries(small)) line(`one event a write, a CPU second, ${name}`, median(values), '')
for (const [name, atLeast] of [
  ['no policies', 1],
  ['two output policies', 0.6],
]) {
  const { value, range } = ratioTo(small[name], small.bare)
  line(`one event a write, ${name}, to the bare proxy`, value, 'x', { atLeast, note: range })
}
process.exit()
