// kt held against the wire: for each request when kt says that it was sent and that its first token came, less when the
// kernel saw the packet on the loopback. On the machine as it is, and beside busy loops; with and without real-time
// scheduling.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sampleLines } from '../../../dist/src/load/sample-lines.js'
import { now } from '../../../dist/src/system/clock.js'
import { mayRunRealtime } from '../../../dist/src/system/realtime.js'
import { findPeer, reasonOf } from '../../setup/peers/find.ts'
import { quantile } from '../gateway/measure.js'
import { aheadOf, startCapture } from '../peers/capture.js'
import { of, ranged } from '../peers/rounds.js'
import { summarise } from '../peers/summary.ts'
import { run, say, target, workload } from './rig.js'

const RPS = 200
const TOKENS = 4
const ROUNDS = 5
const BUSY_LOOPS = 12
const SITUATIONS = [
  { name: 'nothing beside it', loops: 0, realtime: false, aims: { p50: 0.05, p99: 0.3 } },
  { name: 'nothing beside it, real-time', loops: 0, realtime: true, aims: { p50: 0.05, p99: 0.3 } },
  { name: `${BUSY_LOOPS} busy loops, real-time`, loops: BUSY_LOOPS, realtime: true, aims: { p99: 1 } },
  { name: `${BUSY_LOOPS} busy loops`, loops: BUSY_LOOPS, realtime: false, aims: {} },
]
/** kt's own time less the kernel's of one request, in ms. */
const ERRORS = {
  send: (kt, wire) => (kt.sentUs - wire.sentUs) / 1_000,
  'first token': (kt, wire) => (kt.firstTokenUs - wire.firstUs) / 1_000,
  TTFT: (kt, wire) => (kt.firstTokenUs - kt.sentUs - (wire.firstUs - wire.sentUs)) / 1_000,
}

export async function wire(table, quick, { rounds = quick ? 2 : ROUNDS } = {}) {
  const seconds = quick ? 2 : 4
  say(`\nkt’s times less the kernel’s, ms: streams at ${RPS}/s; ${rounds} rounds of ${seconds} s, median (range)`)
  const tcpdump = await findPeer('tcpdump')
  if (!tcpdump.ok) {
    say(`  not run: no tcpdump: ${tcpdump.why}`)
    return
  }
  const provider = await target('provider', 20, 5)
  const allowed = mayRunRealtime()
  for (const { name, loops, realtime, aims } of quick ? SITUATIONS.slice(0, 2) : SITUATIONS) {
    if (realtime && !allowed.ok) {
      say(`  ${name}: not run: ${allowed.why}`)
      continue
    }
    const busy = Array.from({ length: loops }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
    const seen = []
    try {
      for (let round = 0; round < rounds; round++)
        seen.push(await oneRound(tcpdump.program, provider, seconds, realtime))
    } catch (error) {
      say(`  ${name}: not run: ${reasonOf(error)}`)
      continue
    } finally {
      for (const loop of busy) loop.kill('SIGKILL')
    }
    const matched = seen.reduce((sum, each) => sum + each.matched, 0)
    say(`  ${name}: ${matched} of ${seen.reduce((sum, each) => sum + each.answered, 0)} requests found on the wire`)
    for (const what of Object.keys(ERRORS)) {
      const errors = of(seen, what)
      say(`    ${what}: P50 ${ranged(of(errors, 'p50'), 3)}  P99 of its size ${ranged(of(errors, 'p99'), 3)}`)
    }
    for (const [q, aim] of Object.entries(aims)) {
      const { median } = summarise(of(of(seen, 'TTFT'), q))
      table.row(`TTFT less the kernel’s, ${name}, ${q.toUpperCase()}`, median, 'ms', aim, 'low')
    }
  }
  provider.close()
}

async function oneRound(program, provider, seconds, realtime) {
  const folder = await mkdtemp(join(tmpdir(), 'kt-wire-'))
  try {
    const packets = await startCapture(program, provider.port, folder)
    const batches = []
    const load = { mode: 'open', rps: RPS, maxInFlight: 1_000 }
    const more = { durationUs: seconds * 1e6, warmupUs: 1e6, realtime }
    const sends = workload(true, TOKENS)
    const { plan, done } = await run(provider.origin, load, more, sends, undefined, async (rows) => {
      batches.push(rows)
    })
    const aheadUs = aheadOf(now)
    const onTheWire = await packets()
    const requests = batches
      .flatMap((rows) => sampleLines(rows, plan, -aheadUs).trim().split('\n'))
      .map((line) => JSON.parse(line))
    const pairs = requests.flatMap((kt) => {
      const seen = onTheWire.get(kt.nonce)
      return seen && kt.outcome === 'OK' ? [[kt, seen]] : []
    })
    if (pairs.length === 0) throw new Error(`none of ${done} requests was found among ${onTheWire.size} on the wire`)
    const errors = Object.entries(ERRORS).map(([what, error]) => {
      const values = pairs.map((pair) => error(...pair))
      // An early time is as wrong as a late one.
      return [what, { p50: quantile(values, 0.5), p99: quantile(values.map(Math.abs), 0.99) }]
    })
    return { answered: done, matched: pairs.length, ...Object.fromEntries(errors) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
