// The gateway beside Envoy and nginx, which only pass on: what each adds to a stream of 8 tokens, 2 in flight, by the
// provider's stamps (from sent to end, less what the provider took), in turns with the provider directly, whose figures
// are the floor. One serving thread each, all of them under real-time scheduling where the kernel allows it, so that
// other work on the machine does not decide. Twice kt: without a config, and with everything on (guide.js).
// npm run build && npx -c 'node test/bench/gateway/beside-proxies.js [seconds a turn] [turns]'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../../../dist/src/bench/embedded.js'
import { makeServerRealtime, mayRunRealtime } from '../../../dist/src/system/realtime.js'
import { findPeer } from '../../setup/peers/find.ts'
import { decode, run, workload } from '../instrument/rig.js'
import { startEnvoyBefore } from '../peers/envoy.js'
import { startNginxBefore } from '../peers/nginx.js'
import { guideFile } from './guide.js'
import { inTurns, line, median, ratioTo } from './measure.js'

const [seconds = 4, turns = 7] = process.argv.slice(2).map(Number)
const PLAIN = ['--admin-port', 'off']
const sends = workload(true, 8)
const realtime = mayRunRealtime().ok
const note = (text) => process.stderr.write(`${text}\n`)
const folder = await mkdtemp(join(tmpdir(), 'kt-beside-'))
const begun = []
const begin = async (starting) => {
  const server = await starting
  begun.push(server)
  return server.origin ?? server.url
}

const pace = ['--ttft', 'lognormal(20ms,0.3)', '--token-gap', '2ms']
const origin = await begin(startServer(['provider', 'start', '--port', '0', '--http2', ...pace], note, realtime))
const gateway = (...flags) =>
  begin(startServer(['gateway', 'start', '--port', '0', '--upstream', `${origin}/v1`, ...flags], note, realtime))
const arms = {
  'direct (floor)': origin,
  kt: await gateway(...PLAIN),
  'kt, everything on': await gateway('--config', guideFile(folder).file),
}
for (const [name, start] of [
  ['envoy', (program) => startEnvoyBefore(program, origin)],
  ['nginx', (program) => startNginxBefore(program, folder, origin)],
]) {
  const found = await findPeer(name)
  if (!found.ok) {
    note(`${name}: not run: ${found.why}`)
    continue
  }
  const proxy = await start(found.program)
  // Whichever of its threads serves.
  if (realtime) for (const thread of readdirSync(`/proc/${proxy.pid}/task`)) makeServerRealtime(Number(thread))
  arms[`${name} ${found.program.version}`] = await begin(proxy)
}

const seen = await inTurns(arms, turns, async (url) => {
  const { arm, done } = await run(
    url,
    { mode: 'closed', concurrency: 2 },
    { durationUs: seconds * 1e6, jitWarmup: false, realtime },
    sends,
  )
  const total = decode(arm.stamped.total)
  if (total.count < done) throw new Error(`${url}: ${done - total.count} of ${done} answers without a stamp`)
  return { p50: total.quantileUs(0.5) / 1_000, p99: total.quantileUs(0.99) / 1_000 }
})
const of = (name, q) => seen[name].map((turn) => turn[q])
const envoy = Object.keys(arms).find((name) => name.startsWith('envoy'))
for (const name of Object.keys(arms)) {
  for (const q of ['p50', 'p99']) {
    const values = of(name, q)
    const range = `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`
    line(`added to a stream, ${name}, ${q.toUpperCase()}`, median(values), 'ms', { note: range })
  }
}
if (envoy) {
  for (const [q, atMost] of [
    ['p50', 1.1],
    ['p99', 1.5],
  ]) {
    const { value, range } = ratioTo(of('kt', q), of(envoy, q))
    line(`kt to Envoy, turn by turn, ${q.toUpperCase()}`, value, 'x', { atMost, note: range })
  }
}
for (const server of begun.toReversed()) await (server.close ?? server.stop)()
await rm(folder, { recursive: true })
process.exit()
