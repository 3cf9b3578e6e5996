// One run of a simulated fleet (simulation.js): the real coordinator in this process, and some processes of simulated
// workers. Tells its row of the table. Forked with the address of the broker, its process, what workers are given, and
// their number.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { deserialize } from 'node:v8'
import { Fleet } from '../../../dist/src/load/fleet/coordinator.js'
import { connectTo } from '../../../dist/src/load/fleet/link.js'
import { startRun } from '../../../dist/src/load/run.js'

const MEASURE_MS = 12_000
const WORKERS_A_PROCESS = 2_500

const [address, brokerPid, given, size] = process.argv.slice(2)
const count = Number(size)
const { plan, requests, isInterim } = deserialize(readFileSync(given))
const groups = await Promise.all(
  Array.from({ length: Math.ceil(count / WORKERS_A_PROCESS) }, async (_, i) => {
    const from = i * WORKERS_A_PROCESS
    const of = { from, to: Math.min(count, from + WORKERS_A_PROCESS), count, measureMs: MEASURE_MS, given, isInterim }
    const group = fork(new URL('workers.js', import.meta.url), [address, JSON.stringify(of)])
    await once(group, 'message')
    return group
  }),
)
/** By what they say, how many of the groups have said it. */
const said = new Map()
for (const group of groups) group.on('message', (what) => said.set(what, (said.get(what) ?? 0) + 1))

const loop = monitorEventLoopDelay({ resolution: 5 })
loop.enable()
const link = await connectTo(address, {}, 'a simulation')
const options = { run: `sim${count}`, graceMs: 10_000, labels: {}, size: undefined, note: () => {} }
const startMs = performance.now()
const fleet = await Fleet.open(link, options)
const hiredS = since(startMs)
const whole = {
  ...{ ...plan, workers: count, requests: requests * count },
  interimAnalyses: isInterim ? [plan.blocks / 2] : undefined,
}
let analysedS = 0
const listener = {
  progress: () => {},
  continueAfter: isInterim
    ? () => {
        analysedS = since(interimMs)
        return true
      }
    : undefined,
}
const sharedMs = performance.now()
const start = cpuMs()
const running = await startRun(whole, listener, fleet.start)
const result = running.result.catch((error) => error)
while (!said.has('begun')) await sleep(5)
const ready = { cpu: cpuMs() - start, seconds: since(sharedMs) }
const interimMs = performance.now() + MEASURE_MS / 2
await sleep(1_000)
const from = { own: cpuMs(), broker: brokerMs(), atMs: performance.now() }
await sleep(MEASURE_MS / 2 - 2_000)
const spanMs = performance.now() - from.atMs
const during = { own: (cpuMs() - from.own) / spanMs, broker: (brokerMs() - from.broker) / spanMs }
while (!said.has('over')) await sleep(5)
const end = { cpu: cpuMs(), atMs: performance.now() }
const merged = await result
const reported = { cpu: cpuMs() - end.cpu, seconds: since(end.atMs) }
const faults = fleet.members.flatMap((member) => member.faults)
const silences = await Promise.all(
  groups.map(async (group) => {
    group.send('silence?')
    for (;;) {
      const [answer] = await once(group, 'message')
      if (answer.silenceMs !== undefined) return answer.silenceMs
    }
  }),
)
await fleet.close()
await link.close()
for (const group of groups) group.kill()
if (merged instanceof Error) process.stdout.write(`${merged.message.slice(0, 300)}\n`)
else if (merged.workers.length + faults.length < count) process.stdout.write(`of ${merged.workers.length} workers\n`)
for (const fault of faults.slice(0, 3)) process.stdout.write(`${fault}\n`)
process.send({
  workers: count.toLocaleString('en'),
  'hired after': `${hiredS} s`,
  'ready after': `${ready.seconds} s`,
  'CPU until then': seconds(ready.cpu),
  'CPU during the run': share(during.own),
  'of the broker': share(during.broker),
  ...(isInterim ? { 'an interim analysis': `${analysedS} s` } : {}),
  'from the end to the merged record': `${reported.seconds} s`,
  'CPU for that': seconds(reported.cpu),
  'most memory': `${(process.resourceUsage().maxRSS / 1e6).toFixed(2)} GB`,
  'longest turn': `${(loop.max / 1e9).toFixed(2)} s`,
  'longest silence heard': `${(Math.max(...silences) / 1_000).toFixed(1)} s`,
  lost: faults.length,
})

/** CPU that this process has had so far. */
function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** CPU that the broker has had so far. */
function brokerMs() {
  const fields = readFileSync(`/proc/${brokerPid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function since(ms) {
  return Number(((performance.now() - ms) / 1_000).toFixed(1))
}

function seconds(ms) {
  return `${(ms / 1_000).toFixed(1)} s`
}

function share(value) {
  return `${Math.round(value * 100)} %`
}
