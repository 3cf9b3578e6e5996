// How late the open loop hands its requests to their sockets, whether it keeps the rate, and how much of a core it
// takes doing so. In the same run the machine's own part: kt's timer with nothing behind it, and with a bare write and
// read on raw sockets.
import { barePace } from './bare-pace.js'
import { decode, median, quantiles, run, say, target } from './rig.js'

/** Medians of this many turns: in one the machine's own threads may have a core for milliseconds. */
const TURNS = 3

export async function pacing(table, quick) {
  say('\nsend lateness of the open loop, a 5 ms provider')
  const provider = await target('provider', 5, 0)
  const seconds = quick ? 2 : 5
  for (const rps of [200, 500, 1_000, 2_000]) {
    const seen = []
    for (let turn = 0; turn < (quick ? 1 : TURNS); turn++) {
      const { record } = await run(
        provider.origin,
        { mode: 'open', rps, maxInFlight: 1_000 },
        { durationUs: seconds * 1e6, warmupUs: quick ? 1e6 : 3e6 },
      )
      const timer = await barePace(rps, rps * seconds)
      const raw = await barePace(rps, rps * seconds, provider.port)
      const lag = decode(record.sendLag)
      const { self, achievedToOffered } = record
      say(
        `  ${rps}/s: ${quantiles(lag)}; achieved ${achievedToOffered.toFixed(3)} of the rate; ` +
          `${self.cpuShare.toFixed(3)} cores, of which all that sending takes; ` +
          `loop ${self.eventLoopDelayMs.p99.toFixed(2)} ms late at P99; GC ${self.gcMs.toFixed(1)} ms; ` +
          `${self.involuntarySwitches} involuntary switches`,
      )
      for (const [what, bare] of [
        ['the timer alone', timer],
        ['with raw sockets', raw],
      ])
        say(`    ${what}: ${quantiles(bare.lag)}; ${bare.cores.toFixed(3)} cores`)
      seen.push({ lag, timer, raw, cores: self.cpuShare, achieved: achievedToOffered })
    }
    const of = (figure) => median(seen.map(figure))
    if (rps === 500) {
      table.row(
        'cores used at 500/s by the pacer alone',
        of(({ timer }) => timer.cores),
        'cores',
        0.1,
        'low',
      )
      table.row(
        '  with a raw socket behind it',
        of(({ raw }) => raw.cores),
        'cores',
        0.1,
        'low',
      )
      table.row(
        '  by kt, sending and measuring included',
        of(({ cores }) => cores),
        'cores',
        0.1,
        'low',
      )
      continue
    }
    table.row(`send lateness at ${rps}/s, P50`, of(({ lag }) => lag.quantileUs(0.5)) / 1_000, 'ms', 0.15, 'low')
    table.row('  the same, P99', of(({ lag }) => lag.quantileUs(0.99)) / 1_000, 'ms', 0.5, 'low')
    table.row('  P99 of the timer alone', of(({ timer }) => timer.lag.quantileUs(0.99)) / 1_000, 'ms', 0.5, 'low')
    table.row('  achieved of the rate', Math.min(...seen.map(({ achieved }) => achieved)), '', 0.99, 'high')
  }
  provider.close()
}
