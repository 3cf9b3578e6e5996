// How far kt's latencies lie above the provider's own record, beside raw sockets in turns: the difference is what kt
// itself adds to what it measures. The median over the turns of each turn's difference, so that one disturbed turn
// does not decide.

import { Histogram } from '../../../dist/src/stats/histogram.js'
import { openedSlots, rawExcess } from './raw-client.js'
import { decode, median, ms, quantiles, run, say, target, workload } from './rig.js'

/**
 * A turn takes `seconds`: in a shorter one P99 is decided by the one or two times that the machine itself takes a few
 * milliseconds.
 */
const CASES = [
  { holdMs: 5, slots: 1, seconds: 4 },
  { holdMs: 5, slots: 50, rps: 500, seconds: 2 },
  { holdMs: 20, slots: 50, rps: 200, seconds: 2 },
  { holdMs: 20, slots: 10, seconds: 2 },
  // Fifty in step share what befalls one: it takes that many more rounds.
  { holdMs: 100, slots: 50, seconds: 8 },
  { holdMs: 100, slots: 50, rps: 50, seconds: 4 },
  { holdMs: 20, slots: 50, rps: 200, seconds: 2, over: 'https' },
  { holdMs: 20, slots: 50, rps: 200, seconds: 2, over: 'h2' },
]

/** In the words of the table, and as kt connects: the provider's certificate is of its own making. */
const ROADS = {
  http: { name: '' },
  https: { name: ' over TLS', connection: { http: 'h1', keepAlive: true, insecure: true, streams: 1 } },
  h2: { name: ' over HTTP/2', connection: { http: 'h2', keepAlive: true, insecure: true, streams: 100 } },
}

export async function accuracy(table, quick) {
  say(
    '\nlatency above the provider’s own record: kt, raw sockets in turns, and their difference (median of the ' +
      'turns)',
  )
  const turns = quick ? 3 : 7
  const worst = {}
  for (const { holdMs, slots, rps, seconds, over = 'http' } of CASES) {
    const provider = await target('provider', holdMs, 0, '', over)
    const { connection } = ROADS[over]
    const rate = rps ?? (slots * 1_000) / (holdMs + 1)
    const requests = Math.max(60, Math.round(rate * (quick ? seconds / 4 : seconds)))
    const raw = await openedSlots(provider.port, slots, over)
    const both = { kt: new Histogram(), raw: new Histogram() }
    const apart = { p50: [], p99: [] }
    const load = rps ? { mode: 'open', rps, maxInFlight: slots } : { mode: 'closed', concurrency: slots }
    for (let turn = 0; turn < turns; turn++) {
      const kt = async () => {
        const { arm } = await run(provider.origin, load, {
          requests,
          durationUs: undefined,
          warmup: 0,
          // Every turn is a thread of its own, whose first hundreds of requests run code that is not compiled yet;
          // the raw client's is.
          warmupUs: 2e6,
          connection,
        })
        return decode(arm.stamped.total)
      }
      const rawTurn = () => rawExcess(raw.slots, requests, workload(), rps && 1e6 / rps)
      const seen = {}
      for (const [name, measured] of turn % 2 === 0
        ? [
            ['kt', kt],
            ['raw', rawTurn],
          ]
        : [
            ['raw', rawTurn],
            ['kt', kt],
          ]) {
        seen[name] = await measured()
        both[name].add(seen[name])
      }
      apart.p50.push((seen.kt.quantileUs(0.5) - seen.raw.quantileUs(0.5)) / 1_000)
      apart.p99.push((seen.kt.quantileUs(0.99) - seen.raw.quantileUs(0.99)) / 1_000)
    }
    raw.close()
    provider.close()
    const [p50, p99] = [median(apart.p50), median(apart.p99)]
    const { p50: worst50 = p50, p99: worst99 = p99 } = worst[over] ?? {}
    worst[over] = { p50: Math.max(worst50, p50), p99: Math.max(worst99, p99) }
    const loop = rps ? `${rps}/s` : `${slots} in flight`
    say(
      `  ${holdMs} ms hold, ${loop}${ROADS[over].name}: kt ${quantiles(both.kt)}; raw ${quantiles(both.raw)}; excess ` +
        `P50 ${ms(p50 * 1_000)}  P99 ${ms(p99 * 1_000)} ms`,
    )
  }
  for (const [over, { p50, p99 }] of Object.entries(worst)) {
    table.row(`latency above a raw client’s${ROADS[over].name}, worst case, P50`, p50, 'ms', 0.1, 'low')
    table.row('  the same, P99', p99, 'ms', 0.3, 'low')
  }
}
