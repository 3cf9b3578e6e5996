// kt beside the tools that send load best, whatever language they are written in: each one's own figure less the
// provider's own record of the same requests, in turns within each round. What is left is what the tool, the loopback
// and the provider's reading add to an answer that was held for a known time.

import { aiperf } from '../peers/aiperf.ts'
import { guidellm } from '../peers/guidellm.ts'
import { kt } from '../peers/kt.ts'
import { oha } from '../peers/oha.ts'
import { aboveTheRecord, of, printTools, ranged, toolsInTurns } from '../peers/rounds.js'
import { lowestOf, pairedDifference } from '../peers/summary.ts'
import { vegeta } from '../peers/vegeta.ts'
import { say, target } from './rig.js'

/** Below this a difference to the best peer is one that no user of these tools sees. */
const NEGLIGIBLE_MS = 0.1

/** Interpreters with hundreds of packages: only where they are asked for. */
const ASKED_FOR = { guidellm, aiperf }

const K6 = { k6: 'its licence, the AGPL, keeps it out of the installer' }

/** Latency in an open loop. */
export const peers = beside({
  figure: 'latency',
  what: 'latency above the provider’s own record, ms: 200/s in an open loop, held for 20 ms',
  tools: [kt, oha, vegeta],
  leftOut: { ...K6, wrk: 'it has no open loop' },
  provider: [20, 0],
  load: { rps: 200, inFlight: 50, tokens: 1 },
})

/** Time to first token of many streams at once. */
export const ttft = beside({
  figure: 'ttft',
  what: 'TTFT above the provider’s own record, ms: 50 streams in flight, 100 ms and then 30 tokens 20 ms apart',
  tools: [kt, oha],
  leftOut: { ...K6, vegeta: 'it has no time to first token', wrk: 'it has no time to first token' },
  provider: [100, 20],
  load: { inFlight: 50, tokens: 30, stream: true },
})

/** A section of the instrument: `figure` of each tool under one load. */
function beside({ figure, what, tools, leftOut, provider: latency, load }) {
  return async (table, quick, { rounds = quick ? 2 : 9, also = [] } = {}) => {
    const unknown = also.filter((name) => !(name in ASKED_FOR))
    if (unknown.length > 0) throw new Error(`unknown: ${unknown}; there are ${Object.keys(ASKED_FOR)}`)
    const seconds = quick ? 2 : 4
    say(`\n${what}; ${rounds} rounds of ${seconds} s in turns, median (range)`)
    const { origin, close } = await target('provider', ...latency)
    const all = [...tools, ...also.map((name) => ASKED_FOR[name])]
    const measured = await toolsInTurns(all, rounds, { ...load, origin, seconds }, aboveTheRecord(figure))
    close()
    Object.assign(measured.notRun, leftOut)
    const cells = (runs) => [ranged(of(runs, 'p50')), ranged(of(runs, 'p99')), ranged(of(runs, 'perSecond'), 1)]
    printTools(measured, ['P50', 'P99', 'answers/s'], cells, load.rps)
    if (figure === 'latency') sayFromSent(measured.seen.kt)
    comparePairs(table, figure, measured.seen)
  }
}

/** How late kt sent is in its latency. Its peers count from sending, however late that was. */
function sayFromSent(runs = []) {
  const sent = of(runs, 'fromSent')
  if (sent.length === 0) return
  say(`  kt from sent, as its peers count: P50 ${ranged(of(sent, 'p50'))}  P99 ${ranged(of(sent, 'p99'))}`)
}

/** kt less each peer within each round, and beside the best one at that quantile. */
function comparePairs(table, figure, { kt: own, ...others }) {
  if (!own || Object.keys(others).length === 0) return
  for (const q of ['p50', 'p99']) {
    const byName = Object.fromEntries(Object.entries(others).map(([name, runs]) => [name, of(runs, q)]))
    const best = lowestOf(byName)
    for (const [name, values] of Object.entries(byName)) {
      const { median, lower, upper } = pairedDifference(of(own, q), values)
      const interval = Number.isFinite(lower) ? `95 % [${lower.toFixed(2)}, ${upper.toFixed(2)}]` : 'too few rounds'
      say(`  ${q.toUpperCase()}, kt less ${name}, pair by pair: ${median.toFixed(2)} ms, ${interval}`)
      if (name !== best || !Number.isFinite(lower)) continue
      // Either of the two will do: a difference that the rounds do not prove, or one that is negligible.
      const above = `${figure} ${q.toUpperCase()} above the best peer’s, ${name}`
      table.row(`${above}: the least it is at 95 %`, lower, 'ms', 0, 'low', Number.NaN)
      table.row('  or the median difference', median, 'ms', NEGLIGIBLE_MS, 'low')
    }
  }
}
