// Whether 1,000 conversations that are under way keep the lateness of the open loop: both send as many streamed
// requests a second, in turns. What conversations add is reading each answer, joining the history, and a queue of
// turns. Their turns are due at any time, several at once too, as the requests of Poisson arrivals are: the open loop
// beside them has these.
import { decode, median, quantiles, run, say, target, workload } from './rig.js'

const TURNS = 5
const THINK_US = 1_000_000
/** So many that 1,000 sessions of five turns and four pauses are under way. */
const SESSIONS_PER_SEC = 235
const ROUNDS = 5
const TOKENS = 16

export async function sessions(table, quick) {
  say('\nsend lateness with 1,000 conversations under way, beside the open loop at the same rate')
  const provider = await target('provider', 5, 0)
  const single = workload(true, TOKENS)
  const turns = { kind: 'drawn', count: { kind: 'constant', value: TURNS } }
  const conversations = { turns, think: { kind: 'fixed', us: THINK_US }, toolResult: 'ok' }
  const arrival = { kind: 'poisson', burstiness: 1 }
  const load = (rps) => ({ mode: 'open', rps, maxInFlight: 1_000, arrival })
  const more = { durationUs: quick ? 7e6 : 12e6, warmupUs: 2e6 }
  const seen = []
  for (let round = 0; round < (quick ? 2 : ROUNDS); round++) {
    const talks = () => run(provider.origin, load(SESSIONS_PER_SEC), more, { ...single, conversations })
    const plain = () => run(provider.origin, load(SESSIONS_PER_SEC * TURNS), more, single)
    const pair = {}
    for (const kind of round % 2 === 0 ? ['talks', 'plain'] : ['plain', 'talks']) {
      const { record, arm, rate, cpuUs } = await (kind === 'talks' ? talks() : plain())
      const lag = decode(record.sendLag)
      const { started, finished } = arm.conversations ?? { started: 0, finished: 0 }
      const underWay = started - finished
      pair[kind] = { lag, cpuUs, underWay }
      const what = kind === 'talks' ? `${underWay} conversations under way at the end` : 'the open loop'
      say(`  ${what}: ${rate.toFixed(0)}/s; ${quantiles(lag)}; ${cpuUs.toFixed(0)} us of CPU a request`)
    }
    seen.push(pair)
  }
  provider.close()
  const of = (kind, figure) => median(seen.map((pair) => figure(pair[kind])))
  const at =
    (share) =>
    ({ lag }) =>
      lag.quantileUs(share) / 1_000
  table.row(
    'conversations under way',
    of('talks', ({ underWay }) => underWay),
    '',
    900,
    'high',
  )
  for (const [name, share] of [
    ['P50', 0.5],
    ['P99', 0.99],
  ]) {
    const plain = of('plain', at(share))
    // A tenth of a millisecond is the noise of one run.
    table.row(`  send lateness, ${name}, beside the open loop's`, of('talks', at(share)), 'ms', plain + 0.1, 'low')
  }
  const cpu = ({ cpuUs }) => cpuUs
  table.row("  CPU of a request, beside the open loop's", of('talks', cpu), 'us', 2 * of('plain', cpu), 'low')
}
