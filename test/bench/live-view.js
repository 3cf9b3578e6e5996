// What the live view costs: the processor time of the thread that draws it, as a share of a core, and what the requests
// of the run see of it. Runs of two arms in turns, with the view on a terminal of 120x40 and without it, in turns; each
// with the excess of kt's latencies over the provider's own record, as in the accuracy table of instrument.js.
// npm run build && npx -c 'node test/bench/live-view.js [seconds] [turns]'
import { openSync, writeSync } from 'node:fs'
import { Chalk } from 'chalk'
import { LiveWatch } from '../../dist/src/bench/live.js'
import { SMALLEST } from '../../dist/src/output/live-view.js'
import { showProgress } from '../../dist/src/output/show-progress.js'
import { Histogram } from '../../dist/src/stats/histogram.js'
import { progressOnStderr } from '../../dist/src/system/progress.js'
import { aligned, decode, median, ms, run, say, target } from './instrument/rig.js'

const [seconds = 20, turns = 5] = process.argv.slice(2).map(Number)
const CASES = [
  { name: '5 ms, 1 in flight', holdMs: 5, load: { mode: 'closed', concurrency: 1 } },
  { name: '20 ms, 200/s', holdMs: 20, load: { mode: 'open', rps: 200, maxInFlight: 50 } },
  { name: '5 ms, 500/s', holdMs: 5, load: { mode: 'open', rps: 500, maxInFlight: 50 } },
  { name: '1 ms, 16 in flight', holdMs: 1, load: { mode: 'closed', concurrency: 16 } },
]
const ASKED = { budgetMs: 7, holdMs: 100, maxRegression: undefined, thresholds: [] }

/** Where a terminal would be; a pty takes as long to be written to. */
const nowhere = openSync('/dev/null', 'w')
let drawn = 0
const terminal = {
  isTTY: true,
  columns: 120,
  rows: 40,
  on() {},
  off() {},
  write(text) {
    drawn++
    return writeSync(nowhere, text) > 0
  },
}

/** Requests of one run must not look like those of another to the provider. */
const letters = (count) =>
  String.fromCharCode(...Array.from({ length: count }, () => 97 + Math.floor(Math.random() * 26)))

/** The listener of a run, as `kt bench` makes it; a line without the view. */
function listener(live, sink) {
  return (plan) => {
    const watch = live ? new LiveWatch(plan, ASKED) : undefined
    const extent = { arms: plan.arms.map(({ name }) => name), durationMs: (plan.durationUs / 1_000) * plan.arms.length }
    return {
      live: watch?.run,
      progress(progress) {
        watch?.run.heard(progress)
        const source = watch && { source: () => watch.view(progress), c: new Chalk({ level: 1 }) }
        showProgress(sink, progress, extent, source)
      },
    }
  }
}

async function measured(origin, load, live) {
  const sink = progressOnStderr({ json: false, screenFrom: live ? SMALLEST : undefined, stream: terminal })
  const arms = ['gateway', 'direct'].map((name, i) => ({
    ...{ name, origin, path: '/v1/chat/completions', tag: letters(7) + 'ab'[i] },
    headers: { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'kt' },
  }))
  // The JIT warm-up answers in this thread, and would hide what is looked for.
  const more = { arms, pairing: 'block', durationUs: (seconds / 2) * 1e6, jitWarmup: false }
  const [beforeUs, beforeMs] = [process.threadCpuUsage(), performance.now()]
  drawn = 0
  const { record } = await run(origin, load, more, undefined, undefined, undefined, listener(live, sink))
  const { user, system } = process.threadCpuUsage(beforeUs)
  sink.end()
  const stamped = Histogram.merge(record.arms.map((arm) => decode(arm.stamped.total)))
  return {
    share: (user + system) / 1_000 / (performance.now() - beforeMs),
    draws: drawn,
    p50: stamped.quantileUs(0.5),
    p99: stamped.quantileUs(0.99),
    late: decode(record.sendLag).quantileUs(0.99),
  }
}

const percent = (share) => `${(share * 100).toFixed(2)} %`
const rows = [['case', 'core, without', 'with', 'excess P50, without', 'with', 'P99, without', 'with', 'P99 apart']]
for (const { name, holdMs, load } of CASES) {
  const provider = await target('provider', holdMs, 0, '', 'http')
  const seen = { with: [], without: [] }
  for (let turn = 0; turn < turns; turn++) {
    for (const which of turn % 2 === 0 ? ['with', 'without'] : ['without', 'with']) {
      seen[which].push(await measured(provider.origin, load, which === 'with'))
    }
  }
  provider.close()
  const of = (which, key) => median(seen[which].map((one) => one[key]))
  const apart = median(seen.with.map(({ p99 }, i) => p99 - seen.without[i].p99))
  rows.push([
    name,
    ...[percent(of('without', 'share')), percent(of('with', 'share'))],
    ...['p50', 'p99'].flatMap((key) => [ms(of('without', key)), ms(of('with', key))]),
    ms(apart),
  ])
  const [draws, shares] = [seen.with.map((one) => one.draws), seen.with.map(({ share }) => percent(share)).join(', ')]
  say(`${name}: writes ${draws.join(', ')}; with the view ${shares} of a core`)
}
say('')
for (const row of aligned(rows)) say(row)
process.exit()
