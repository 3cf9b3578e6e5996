// Requests a second of one kt thread, with its full measurement on, against autocannon: small JSON, the same target,
// the same number in flight, in turns. By wall clock, and by the processor time a request costs each, which other
// work on the machine disturbs less.
import autocannon from 'autocannon'
import { count, median, PATH, run, say, target } from './rig.js'

const IN_FLIGHT = 50
const BODY =
  '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say hello in one word ' +
  'ktcomparexaaaaaaaa"}],"max_tokens":1}'

export async function throughput(table, quick) {
  const [rounds, seconds] = quick ? [3, 1.5] : [7, 3]
  for (const [kind, aim] of [
    ['node-http', 0.85],
    ['fixed', 0.85],
  ]) {
    const what = kind === 'fixed' ? 'from raw sockets, which answer faster than either asks' : 'from node:http'
    say(`\nsmall JSON ${what}, ${IN_FLIGHT} in flight: kt and autocannon in turns`)
    const { origin, close } = await target(kind)
    const all = { kt: [], autocannon: [] }
    const arms = { kt: () => kt(origin, seconds), autocannon: () => cannon(origin, seconds) }
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0 ? ['kt', 'autocannon'] : ['autocannon', 'kt']) {
        all[name].push(await arms[name]())
      }
      const [a, b] = [all.kt[round], all.autocannon[round]]
      say(
        `  kt ${count(a.rate)}/s, ${a.cpuUs.toFixed(1)} µs of CPU each; autocannon ${count(b.rate)}/s, ` +
          `${b.cpuUs.toFixed(1)} µs; ratio ${(a.rate / b.rate).toFixed(2)}, by CPU ` +
          `${(b.cpuUs / a.cpuUs).toFixed(2)}`,
      )
    }
    close()
    const rate = median(all.kt.map((each, i) => each.rate / all.autocannon[i].rate))
    const cpu = median(all.kt.map((each, i) => all.autocannon[i].cpuUs / each.cpuUs))
    table.row(
      `requests/s of autocannon’s, small JSON ${kind === 'fixed' ? 'from raw sockets' : 'from node:http'}`,
      rate,
      'x',
      aim,
      'high',
      rate,
    )
    table.row('  the same by CPU a request', cpu, 'x', aim, 'high', cpu)
  }
}

function kt(origin, seconds) {
  return run(origin, { mode: 'closed', concurrency: IN_FLIGHT }, { durationUs: seconds * 1e6, warmupUs: 1e6 })
}

async function cannon(origin, seconds) {
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  const ask = (duration) =>
    autocannon({ url: origin + PATH, method: 'POST', headers, body: BODY, connections: IN_FLIGHT, duration })
  await ask(1)
  const before = process.cpuUsage()
  const result = await ask(seconds)
  const { user, system } = process.cpuUsage(before)
  return { rate: result['2xx'] / result.duration, cpuUs: (user + system) / result['2xx'] }
}
