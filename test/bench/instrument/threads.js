// What a second sending thread brings. The target shares the machine's cores, so it must cost next to nothing beside
// the client: coalesced streams, of which the client reads 200 events where the target writes one buffer, in the
// shape that takes it longest. On two cores the wall clock shows what the target's own share leaves; the processor
// time a request costs with one thread and with two shows what the second thread is worth where cores are free: were
// there contention between them, a request would cost more.
import { count, median, run, say, target, workload } from './rig.js'

export async function threads(table, quick) {
  say('\ntwo sending threads against one: coalesced streams of Messages from raw sockets, 16 in flight')
  const { origin, close } = await target('messages')
  const all = { 1: [], 2: [] }
  for (let round = 0; round < (quick ? 2 : 5); round++) {
    for (const workers of round % 2 === 0 ? [1, 2] : [2, 1]) {
      const load = { mode: 'closed', concurrency: 16 }
      all[workers].push(
        await run(origin, load, { workers, durationUs: quick ? 1e6 : 3e6, warmupUs: 1e6 }, workload(true)),
      )
    }
    const [one, two] = [all[1].at(-1), all[2].at(-1)]
    say(
      `  one ${count(one.rate)}/s, ${one.cpuUs.toFixed(0)} µs of CPU each; two ${count(two.rate)}/s, ` +
        `${two.cpuUs.toFixed(0)} µs; ratio ${(two.rate / one.rate).toFixed(2)}`,
    )
  }
  close()
  const wall = median(all[2].map((two, i) => two.rate / all[1][i].rate))
  const byCpu = median(all[2].map((two, i) => (2 * all[1][i].cpuUs) / two.cpuUs))
  table.row('two threads against one, by wall clock beside the target', wall, 'x', 1.7, 'high', wall)
  table.row('  by CPU a request, where cores are free', byCpu, 'x', 1.7, 'high', byCpu)
}
