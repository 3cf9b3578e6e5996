// Whether memory grows with the number of requests: a million of them, small JSON, 50 in flight; resident memory of
// the whole process, once a second, the median of the last fifth against that of the second fifth (the first warms
// up).
import { count, median, run, say, target } from './rig.js'

export async function memory(table, quick) {
  const requests = quick ? 100_000 : 1_000_000
  say(`\nmemory over ${count(requests)} requests, small JSON, 50 in flight`)
  const { origin, close } = await target('fixed')
  const samples = []
  const sample = ({ phase, done }) => {
    if (phase === 'measuring') samples.push({ done, rss: process.memoryUsage.rss() / 2 ** 20 })
  }
  const { rate } = await run(
    origin,
    { mode: 'closed', concurrency: 50 },
    { requests, durationUs: undefined, warmup: 10_000, warmupUs: undefined },
    undefined,
    sample,
  )
  close()
  const between = (from, to) =>
    median(samples.filter(({ done }) => done >= from * requests && done < to * requests).map(({ rss }) => rss))
  const [early, late] = [between(0.2, 0.4), between(0.8, 1)]
  say(
    `  ${count(rate)}/s; resident ${early.toFixed(0)} MB after a fifth, ${late.toFixed(0)} MB in the last ` +
      `fifth; most ${Math.max(...samples.map(({ rss }) => rss)).toFixed(0)} MB`,
  )
  table.row(`memory growth over ${count(requests)} requests`, late - early, 'MB', 20, 'low')
}
