// Requests/s at 50 in flight through one worker: without policies against a bare node:http + undici proxy, and with
// two input and two output policies against a third-party gateway without any (@portkey-ai/gateway), in turns within
// one run: npm run build && node test/bench/gateway/throughput.js [seconds a turn] [turns] The processes share the
// machine with the provider and the client; what a request costs the gateway is its processor time.
import { portkeyHeaders, startPortkey } from '../../setup/portkey.ts'
import { chat, cpuSeconds, HEADERS, inTurns, keepBusy, line, median, policies, ratioTo } from './measure.js'
import { start } from './processes.js'

const [seconds = 2, turns = 5] = process.argv.slice(2).map(Number)
const body = chat('word '.repeat(200))
const { url: upstream, stop } = await start('upstream')
const portkey = await startPortkey()
/** As many connections as the bare proxy and Portkey keep: what closes and opens them measures something else. */
const settings = { connection_pool: { max_idle_per_host: 256, max_total: 256 } }
const arms = {
  bare: await start('bare', { upstream }),
  gateway: await start('gateway', { upstream, settings }),
  'gateway, four policies': await start('gateway', { upstream, settings, policies: policies({ input: true }) }),
  portkey: {
    url: new URL(portkey.url).origin,
    pid: portkey.pid,
    options: { headers: { ...HEADERS, authorization: 'Bearer x', ...portkeyHeaders(`${upstream}/v1`) } },
    stop: () => portkey.stop(),
  },
}

const seen = await inTurns(arms, turns, async ({ url, pid, options }) => {
  const before = cpuSeconds(pid)
  const perSecond = await keepBusy(url, seconds, 50, body, options)
  return { perSecond, cpuMs: ((cpuSeconds(pid) - before) * 1_000) / (perSecond * seconds) }
})
const rates = (name) => seen[name].map(({ perSecond }) => perSecond)
const costs = (name) => seen[name].map(({ cpuMs }) => cpuMs)
for (const name of Object.keys(arms)) {
  line(`requests/s, ${name}`, median(rates(name)), '/s', {
    note: `${median(costs(name)).toFixed(3)} ms of processor each`,
  })
}
for (const [what, name, peer, atLeast] of [
  ['no policies, to the bare proxy', 'gateway', 'bare', 0.6],
  ['four policies, to Portkey without any', 'gateway, four policies', 'portkey', 4],
]) {
  const wall = ratioTo(rates(name), rates(peer))
  line(what, wall.value, 'x', { atLeast, note: wall.range })
  const cpu = ratioTo(costs(peer), costs(name))
  line(`${what}, by processor time`, cpu.value, 'x', { note: cpu.range })
}
for (const one of Object.values(arms)) await one.stop()
stop()
process.exit()
