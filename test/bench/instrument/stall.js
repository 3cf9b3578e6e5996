// A provider that stalls for 100 ms in every second, 200 requests/s, one in flight: latency counts from the intended
// time and shows the stall; service counts from sent, where whoever waits behind it does not count.
import { decode, quantiles, run, say, target } from './rig.js'

export async function stall(table, quick) {
  say('\na provider that stalls 100 ms in every second, 200/s, one in flight')
  const provider = await target('provider', 0, 0, '100/1000')
  const { arm } = await run(
    provider.origin,
    { mode: 'open', rps: 200, maxInFlight: 1 },
    { durationUs: quick ? 3e6 : 10e6, warmup: 20, warmupUs: undefined },
  )
  provider.close()
  const [latency, service] = [decode(arm.metrics.latency), decode(arm.metrics.service)]
  say(`  latency ${quantiles(latency)} from the intended time; service ${quantiles(service)} from sent`)
  table.row('stalls: latency P99, from the intended time', latency.quantileUs(0.99) / 1_000, 'ms', 85, 'high')
  table.row('  service P99, from sent', service.quantileUs(0.99) / 1_000, 'ms', 5, 'low')
}
