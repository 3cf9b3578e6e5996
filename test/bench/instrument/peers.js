// kt beside the tools that send load best, whatever language they are written in: each one's own latency less the
// provider's own record of the same requests, in an open loop, in turns within each round. What is left is what the
// tool, the loopback and the provider's reading add to an answer that was held for 20 ms.

import { aiperf } from '../peers/aiperf.ts'
import { guidellm } from '../peers/guidellm.ts'
import { kt } from '../peers/kt.ts'
import { oha } from '../peers/oha.ts'
import { aboveTheRecord, of, printTools, ranged, toolsInTurns } from '../peers/rounds.js'
import { lowestOf, pairedDifference } from '../peers/summary.ts'
import { vegeta } from '../peers/vegeta.ts'
import { say, target } from './rig.js'

const RPS = 200
const HOLD_MS = 20
const ROUNDS = 9
const SECONDS = 4
const QUICK = { rounds: 2, seconds: 2 }
/** Below this a difference to the best peer is one that nobody measures with these tools. */
const NEGLIGIBLE_MS = 0.1

/** Interpreters with hundreds of packages: only where they are asked for. */
const ASKED_FOR = { guidellm, aiperf }
const askedFor = (names) => names.map((name) => ASKED_FOR[name]).filter(Boolean)

/** Peers of the field that have no row, and why. */
const LEFT_OUT = { k6: 'its licence, the AGPL, keeps it out of the installer' }

/** Latency in an open loop. */
export async function peers(table, quick, { rounds = quick ? QUICK.rounds : ROUNDS, also = [] } = {}) {
  const seconds = quick ? QUICK.seconds : SECONDS
  say(
    `\nlatency above the provider’s own record, ms: ${RPS}/s in an open loop, held for ${HOLD_MS} ms; ${rounds} rounds ` +
      `of ${seconds} s in turns, median (range)`,
  )
  const provider = await target('provider', HOLD_MS, 0)
  const load = { origin: provider.origin, rps: RPS, inFlight: 50, seconds, tokens: 1 }
  const tools = [kt, oha, vegeta, ...askedFor(also)]
  const measured = await toolsInTurns(tools, rounds, load, aboveTheRecord('latency'))
  provider.close()
  const cells = (runs) => [...['p50', 'p99'].map((q) => ranged(of(runs, q))), ranged(of(runs, 'perSecond'), 1)]
  Object.assign(measured.notRun, LEFT_OUT)
  printTools(measured, ['P50', 'P99', 'answers/s'], cells, RPS)
  comparePairs(table, measured.seen)
}

/** Time to first token of many streams at once, of the tools that have it. */
export async function ttft(table, quick, { rounds = quick ? QUICK.rounds : ROUNDS, also = [] } = {}) {
  const seconds = quick ? QUICK.seconds : SECONDS
  say(
    `\nTTFT above the provider’s own record, ms: 50 streams in flight, 100 ms and then 30 tokens 20 ms apart; ${rounds} ` +
      `rounds of ${seconds} s in turns, median (range)`,
  )
  const provider = await target('provider', 100, 20)
  const load = { origin: provider.origin, inFlight: 50, seconds, tokens: 30, stream: true }
  const measured = await toolsInTurns([kt, oha, ...askedFor(also)], rounds, load, aboveTheRecord('ttft'))
  provider.close()
  const cells = (runs) => [...['p50', 'p99'].map((q) => ranged(of(runs, q))), ranged(of(runs, 'perSecond'), 1)]
  printTools(measured, ['P50', 'P99', 'answers/s'], cells)
  comparePairs(table, measured.seen)
}

/** kt less each peer within each round, and beside the best one at that quantile. */
function comparePairs(table, { kt: own, ...others }) {
  if (!own || Object.keys(others).length === 0) return
  for (const q of ['p50', 'p99']) {
    const byName = Object.fromEntries(Object.entries(others).map(([name, runs]) => [name, of(runs, q)]))
    const best = lowestOf(byName)
    for (const [name, values] of Object.entries(byName)) {
      const { median, lower, upper } = pairedDifference(of(own, q), values)
      const interval = `[${lower.toFixed(2)}, ${upper.toFixed(2)}]`
      say(`  ${q.toUpperCase()}, kt less ${name}, pair by pair: ${median.toFixed(2)} ms, 95 % ${interval}`)
      // Fewer than six rounds have no interval.
      if (name !== best || !Number.isFinite(lower)) continue
      const what = `${q.toUpperCase()} above the best peer’s, ${name}`
      // Either of the two will do: a difference that the rounds do not prove, or one that is negligible.
      table.row(`${what}: the least it is at 95 %`, lower, 'ms', 0, 'low', Number.NaN)
      table.row('  or the median difference', median, 'ms', NEGLIGIBLE_MS, 'low')
    }
  }
}
