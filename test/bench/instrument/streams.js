// Streams: how many coalesced events one core reads and counts, by the parser alone and through the whole client over
// a socket; and how late a token of 300 paced streams is seen, by its stamp, beside a reader of raw sockets in turns.

import { StreamTimings } from '../../../dist/src/client/stream-timings.js'
import { Histogram } from '../../../dist/src/stats/histogram.js'
import { now } from '../../../dist/src/system/clock.js'
import { SseReader } from '../../../dist/src/wire/sse.js'
import { requestMaker } from '../../../dist/src/workload/request-maker.js'
import { coalescedBody, EVENTS } from './events.js'
import { opened, stampsIn, writeRequest } from './raw-client.js'
import { count, decode, median, quantiles, run, say, target, workload } from './rig.js'

export async function reading(table, quick) {
  say('\ncoalesced streams, 200 events a body')
  const body = coalescedBody()
  const alone = []
  for (let round = 0; round < 5; round++) {
    const sinceUs = now()
    let events = 0
    while (now() - sinceUs < (quick ? 0.3e6 : 1e6)) {
      const watch = new StreamTimings(() => {})
      const reader = new SseReader(
        (data, name) => watch.event(data, 0, name),
        (bytes, start, end) => watch.eventBytes(bytes, start, end, 0),
      )
      reader.push(body)
      reader.end()
      events += watch.events
    }
    alone.push((events * 1e6) / (now() - sinceUs))
  }
  say(`  the parser alone: ${count(median(alone))} events/s`)
  table.row('coalesced events a second and core, parser alone', median(alone), '/s', 1_000_000, 'high')
  for (const [kind, what, aim] of [
    ['coalesced', 'through the whole client, over a socket', 1_500_000],
    ['padded', 'the same, each chunk padded as OpenAI does', 1_500_000],
    ['messages', 'the same, Anthropic’s Messages', 1_000_000],
    ['responses', 'the same, OpenAI’s Responses', 1_000_000],
    ['gemini', 'the same, Gemini', 1_000_000],
  ]) {
    const { origin, close } = await target(kind)
    const through = []
    for (let round = 0; round < 3; round++) {
      const spans = { durationUs: quick ? 1e6 : 3e6, warmupUs: 1e6 }
      const { done, cpuUs, rate } = await run(origin, { mode: 'closed', concurrency: 4 }, spans, workload(true))
      const events = EVENTS + 1
      through.push((events * 1e6) / cpuUs)
      say(
        `  ${what}: ${count(rate * events)} events/s by wall clock, ${count((events * 1e6) / cpuUs)} a second ` +
          `of CPU (${count(done)} bodies)`,
      )
    }
    close()
    table.row(`  ${what}`, median(through), '/s', aim, 'high')
  }
}

const STREAMS = 300
const TOKENS = 50
/** What a stream takes: 100 ms to the first of 50 tokens, 20 ms apart. */
const STREAM_S = 1.1

export async function arrival(table, quick) {
  say('\n300 streams at 50 tokens/s each: how late a token is seen, by its stamp; kt and raw sockets in turns')
  const provider = await target('provider', 100, 20)
  const seen = { kt: [], raw: [] }
  const sends = workload(true, TOKENS)
  for (let turn = 0; turn < (quick ? 1 : 3); turn++) {
    // Spread evenly, as the raw sockets' are: three hundred streams in step would come as one burst of three hundred
    // tokens.
    const load = { mode: 'open', rps: STREAMS / STREAM_S, maxInFlight: 2 * STREAMS }
    const { arm, record } = await run(
      provider.origin,
      load,
      { durationUs: quick ? 2e6 : 5e6, warmup: STREAMS, warmupUs: undefined },
      sends,
    )
    seen.kt.push(decode(arm.stamped.perToken))
    seen.raw.push(await rawArrival(provider.port, sends, quick ? 1 : 3))
    say(
      `  kt ${quantiles(seen.kt.at(-1))} (${record.self.cpuShare.toFixed(2)} cores); raw ${quantiles(seen.raw.at(-1))}`,
    )
  }
  provider.close()
  const p99 = (name) => median(seen[name].map((histogram) => histogram.quantileUs(0.99) / 1_000))
  table.row('300 streams x 50 tokens/s, a token’s lateness, P99', p99('kt'), 'ms', 3, 'low')
  table.row('  the same of raw sockets in the same run', p99('raw'), 'ms', 3, 'low')
}

/** As many streams on raw sockets, `rounds` of them one after another on each. */
async function rawArrival(port, sends, rounds) {
  const make = requestMaker(sends)
  const lag = new Histogram()
  const sockets = await opened(port, STREAMS)
  await Promise.all(
    sockets.map(async (socket, i) => {
      await new Promise((resolve) => setTimeout(resolve, (i * 1_000) / STREAMS))
      for (let round = 0; round < rounds; round++) {
        await new Promise((resolve) => {
          const sentUs = writeRequest(socket, make)
          const hear = (bytes) => {
            const atUs = now()
            for (const [, us] of stampsIn(bytes)) lag.record(atUs - sentUs - Number(us))
            if (!bytes.includes('[DONE]')) return
            socket.off('data', hear)
            resolve()
          }
          socket.on('data', hear)
        })
      }
      socket.destroy()
    }),
  )
  return lag
}
