// Requests/s at 50 in flight through one worker: without policies against a bare node:http + undici proxy, and with two input
// and two output policies against a third-party gateway without any (@portkey-ai/gateway), in turns within one run:
//   npm run build && node test/bench/gateway/throughput.js [seconds a turn] [turns]
// The processes share the machine with the provider and the client; what a request costs the gateway is its processor time.
import { portkeyHeaders, startPortkey } from '../../setup/portkey.ts'
import { chat, cpuSeconds, HEADERS, inTurns, keepBusy, line, median, policies, ratioTo } from './measure.js'
import { start } from './processes.js'

const [seconds = 2, turns = 5] = process.argv.slice(2).map(Number)
const body = chat('word '.repeat(200))
const { url: upstream, stop } = await start('upstream')
const portkey = await startPortkey()
const arms = {
  bare: await start('bare', { upstream }),
  gateway: await start('gateway', { upstream }),
  'gateway, four policies': await start('gateway', { upstream, policies: policies({ input: true }) }),
  portkey: {
    url: new URL(portkey.url).origin,
    options: { headers: { ...HEADERS, authorization: 'Bearer x', ...portkeyHeaders(`${upstream}/v1`) } },
    stop: () => portkey.stop(),
  },
}

const cpuMs = {}
const seen = await inTurns(arms, turns, async ({ url, pid, options }, turn) => {
  const before = pid === undefined ? 0 : cpuSeconds(pid)
  const perSecond = await keepBusy(url, seconds, 50, body, options)
  if (pid !== undefined && turn >= 0) {
    cpuMs[pid] ??= []
    cpuMs[pid].push(((cpuSeconds(pid) - before) * 1_000) / (perSecond * seconds))
  }
  return perSecond
})
for (const [name, values] of Object.entries(seen)) {
  const cpu = cpuMs[arms[name].pid]
  line(`requests/s, ${name}`, median(values), '/s', cpu && { note: `${median(cpu).toFixed(3)} ms of processor each` })
}
const toBare = ratioTo(seen.gateway, seen.bare)
line('no policies, to the bare proxy', toBare.value, 'x', { atLeast: 0.6, note: toBare.range })
const toPortkey = ratioTo(seen['gateway, four policies'], seen.portkey)
line('four policies, to Portkey without any', toPortkey.value, 'x', { atLeast: 4, note: toPortkey.range })
for (const one of Object.values(arms)) await one.stop()
stop()
process.exit()
