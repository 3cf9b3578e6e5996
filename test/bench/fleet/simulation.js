// What it costs to coordinate a fleet, by its size: a real broker, the real coordinator and its merge in this process,
// and workers that say what real ones say and send nothing (workers.js). The record of each is that of a real run of 20
// blocks and two arms. Ends in a table. npm run build && npx -c 'node test/bench/fleet/simulation.js [100 500 1000]'
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fleet } from '../../../dist/src/load/fleet/coordinator.js'
import { connectTo } from '../../../dist/src/load/fleet/link.js'
import * as protocol from '../../../dist/src/load/fleet/protocol.js'
import { startRun } from '../../../dist/src/load/run.js'
import { startProvider } from '../../../dist/src/provider/server.js'
import { fitLine } from '../../../dist/src/stats/line.js'
import { promptWorkload } from '../../../dist/src/workload/workload.js'
import { findPeer } from '../../setup/peers/find.ts'

const MEASURE_MS = 6_000
const BLOCKS = 20
const MACHINE = {
  ...{ spanMs: 300, waitMs: 0.5, targetsWaitMs: null, pressure: 0.1, stealMs: 0, throttledMs: null },
  ...{ starvedMs: 0, starvedSpells: 0, source: 'schedstat' },
}
const CLOCK = { offsetUs: 4e9, errorUs: 90, roundTripUs: 180, driftUs: 3, fault: null }

const sizes = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'kt-fleet-'))
const found = await findPeer('nats-server')
if (!found.ok) throw new Error(found.why)
const { program } = found
const port = 40_000 + Math.floor(Math.random() * 5_000)
const address = `nats://127.0.0.1:${port}`
const where = ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', folder]
const broker = spawn(program.command, where, { env: program.env, stdio: 'ignore' })
await sleep(500)

const { record, progress, plan } = await realRun()
const facts = { clock: CLOCK, away: [], lateMs: 0.2, machine: [0, 1].map(() => Array(BLOCKS).fill(MACHINE)) }
const result = protocol.write({ job: 1, message: { type: 'done', record }, facts })
const alive = protocol.write({ heard: 3, job: 1, message: { type: 'progress', progress } })
const requests = record.arms.flatMap(({ blocks }) => blocks).reduce((sum, { sent }) => sum + sent, 0)
say(`a record: ${kb(result)}, of ${requests} requests in ${BLOCKS} blocks of two arms; a progress: ${kb(alive)}`)
say(`reading a progress takes ${us(2_000, () => protocol.read(protocol.aliveSchema, alive, ''))} us,`)
say(`reading a record ${us(30, () => protocol.read(protocol.resultSchema, result, ''))} us`)

const rows = []
for (const count of sizes.length > 0 ? sizes : [100, 200, 500, 1_000]) {
  rows.push(await simulate(count))
  say(`| ${Object.values(rows.at(-1)).join(' | ')} |`)
}
say(`| ${Object.keys(rows[0]).join(' | ')} |`)
if (rows.length > 1) predict(10_000)
broker.kill()
await once(broker, 'exit')
rmSync(folder, { recursive: true, force: true })
process.exit()

async function simulate(count) {
  const workers = fork(new URL('workers.js', import.meta.url), [address], { execArgv: [] })
  await once(workers, 'message')
  workers.send({ count, measureMs: MEASURE_MS, result: Buffer.from(result).toString('base64'), progress })
  await once(workers, 'message')
  const link = await connectTo(address, {}, 'a simulation')
  const options = { run: `sim${count}`, graceMs: 10_000, labels: {}, size: undefined, note: () => {} }
  const startMs = performance.now()
  const fleet = await Fleet.open(link, options)
  const hireMs = performance.now() - startMs
  const whole = { ...plan, workers: count, requests: requests * count }
  let isMeasuring = false
  const listener = {
    progress: () => {
      isMeasuring = true
    },
  }
  const start = cpuMs()
  const running = await startRun(whole, listener, fleet.start)
  const over = once(workers, 'message')
  while (!isMeasuring) await sleep(5)
  const ready = cpuMs()
  await sleep(1_000)
  const from = { own: cpuMs(), broker: brokerMs(), atMs: performance.now() }
  await sleep(MEASURE_MS / 2)
  const spanMs = performance.now() - from.atMs
  const during = { own: (cpuMs() - from.own) / spanMs, broker: (brokerMs() - from.broker) / spanMs }
  await over
  const end = cpuMs()
  const merged = await running.result.catch((error) => error)
  const reported = cpuMs()
  const faults = fleet.members.flatMap((member) => member.faults)
  await fleet.close()
  workers.kill()
  await once(workers, 'exit')
  if (merged instanceof Error) say(merged.message.slice(0, 200))
  return {
    workers: count,
    'hired after, s': seconds(hireMs),
    'CPU until ready, s': seconds(ready - start),
    'CPU in the run, %': Math.round(during.own * 100),
    "the broker's, %": Math.round(during.broker * 100),
    'CPU from the end to the merged record, s': seconds(reported - end),
    'most memory, MB': Math.round(process.resourceUsage().maxRSS / 1_000),
    'workers lost': faults.length,
  }
}

/** By a line through what was measured. */
function predict(count) {
  for (const column of Object.keys(rows[0]).slice(1, -1)) {
    const line = fitLine(rows.map((row) => ({ x: row.workers, y: row[column] })))
    say(`${column} at ${count} workers, by a line: ${(line.intercept + line.slope * count).toFixed(1)}`)
  }
}

async function realRun() {
  const latency = {
    ttft: { kind: 'lognormal', medianUs: 5_000, sigma: 0.4 },
    tokenGap: { kind: 'lognormal', medianUs: 500, sigma: 0.4 },
    seed: 1,
  }
  const provider = await startProvider({ host: '127.0.0.1', port: 0, tokens: 12, stampInText: false, latency })
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream', 'user-agent': 'kt' }
  const arm = (name, tag) => ({ name, origin: provider.url, path: '/v1/chat/completions', headers, tag })
  const shape = { endpoint: 'chat', model: 'gpt-4o-mini', prompt: 'Say hello', stream: true, maxTokens: 12, seed: 1 }
  const runPlan = {
    arms: [arm('direct', 'aaaaaaaa'), arm('gateway', 'bbbbbbbb')],
    workload: promptWorkload(shape),
    load: { mode: 'closed', concurrency: 16 },
    requests: 4_000,
    durationUs: undefined,
    blocks: BLOCKS,
    warmup: 0,
    timeoutUs: 30e6,
    tokenBudget: undefined,
  }
  let last
  const listener = {
    progress: (each) => {
      last = each
    },
  }
  const running = await startRun(runPlan, listener)
  const measured = await running.result
  await provider.close()
  return {
    record: { ...measured, requestTimes: measured.arms.map(() => new Float64Array()) },
    progress: last,
    plan: runPlan,
  }
}

/** CPU that this process has had so far. */
function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** CPU that the broker has had so far. */
function brokerMs() {
  const fields = readFileSync(`/proc/${broker.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function us(times, act) {
  for (let i = 0; i < times / 4; i++) act()
  const startMs = cpuMs()
  for (let i = 0; i < times; i++) act()
  return Math.round(((cpuMs() - startMs) * 1_000) / times)
}

function kb(bytes) {
  return `${(bytes.length / 1_000).toFixed(1)} kB`
}

function seconds(ms) {
  return Number((ms / 1_000).toFixed(2))
}

function say(line) {
  process.stdout.write(`${line}\n`)
}
