// What it costs to coordinate a fleet, by its size: a real broker, the real coordinator and its merge in a process of
// their own (coordinator.js), and workers that say what real ones say and send nothing (workers.js). The record of each
// is that of a real thread, of 20 blocks and two arms. Prints a row of the table in docs/fleet.md for each size; with
// `interim`, the run pauses once for an interim analysis of all workers.
// npm run build && npx -c 'node test/bench/fleet/simulation.js [100 500 1000] [interim]'
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { addAll } from '../../../dist/src/load/add-up.js'
import * as protocol from '../../../dist/src/load/fleet/protocol.js'
import { recordSum } from '../../../dist/src/load/merge.js'
import { startRun } from '../../../dist/src/load/run.js'
import { startSendingThreads } from '../../../dist/src/load/sending-threads.js'
import { startProvider } from '../../../dist/src/provider/server.js'
import { promptWorkload } from '../../../dist/src/workload/workload.js'
import { findPeer } from '../../setup/peers/find.ts'

const BLOCKS = 20
const MACHINE = {
  ...{ spanMs: 300, waitMs: 0.5, targetsWaitMs: null, pressure: 0.1, stealMs: 0, throttledMs: null },
  ...{ starvedMs: 0, starvedSpells: 0, source: 'schedstat' },
}
const CLOCK = { offsetUs: 4e9, errorUs: 90, roundTripUs: 180, driftUs: 3, fault: null }

const asked = process.argv.slice(2)
const sizes = asked.map(Number).filter((size) => size > 0)
const folder = mkdtempSync(join(tmpdir(), 'kt-fleet-'))
const found = await findPeer('nats-server')
if (!found.ok) throw new Error(found.why)
const { program } = found

const { record, progress, plan } = await realRun()
const facts = { clock: CLOCK, away: [], lateMs: 0.2, machine: [0, 1].map(() => Array(BLOCKS).fill(MACHINE)) }
const result = protocol.write({ job: 1, message: { type: 'done', record }, facts })
const interim = protocol.write({ job: 1, message: { type: 'interim', blocks: BLOCKS / 2, record } })
const alive = protocol.write({ heard: 3, job: 1, message: { type: 'progress', progress } })
const requests = record.arms.flatMap(({ blocks }) => blocks).reduce((sum, { sent }) => sum + sent, 0)
const given = join(folder, 'given')
const isInterim = asked.includes('interim')
writeFileSync(given, protocol.write({ result, interim, progress, plan, requests, isInterim }))
say(`a record: ${kb(result)}, of ${requests} requests in ${BLOCKS} blocks of two arms; a progress: ${kb(alive)}`)
say(`reading a progress takes ${us(2_000, () => protocol.read(protocol.aliveSchema, alive, ''))} us,`)
const sum = recordSum()
let added = 0
const add = () => sum.add(protocol.read(protocol.resultSchema, result, '').value.message.record, added++)
say(`a beat ${us(2_000, () => protocol.read(protocol.aliveSchema, protocol.write({ heard: 3 }), ''))} us,`)
say(
  `a record ${us(40, () => protocol.read(protocol.resultSchema, result, ''))} us, to add it up too ${us(40, add)} us,`,
)
say(`and what comes of two of them ${us(10, () => addAll(recordSum, [record, record]))} us`)

const rows = []
for (const count of sizes.length > 0 ? sizes : [100, 200, 500, 1_000]) {
  const row = await simulate(count)
  if (rows.push(row) === 1) for (const line of [Object.keys(row), Object.keys(row).map(() => '---')]) say(cells(line))
  say(cells(Object.values(row)))
}
rmSync(folder, { recursive: true, force: true })
process.exit()

/** With a broker of its own, so that none has anything of another size. */
async function simulate(count) {
  // Below those that the system gives to whoever connects.
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const where = ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', join(folder, 'kept')]
  const broker = spawn(program.command, where, { env: program.env, stdio: 'ignore' })
  while (!(await listens(port))) await sleep(50)
  const options = [`nats://127.0.0.1:${port}`, String(broker.pid), given, String(count)]
  const coordinator = fork(new URL('coordinator.js', import.meta.url), options)
  const [row] = await Promise.race([once(coordinator, 'message'), once(coordinator, 'exit').then(() => [{ count }])])
  coordinator.kill()
  broker.kill()
  await once(broker, 'exit')
  rmSync(join(folder, 'kept'), { recursive: true, force: true })
  return row
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** What one of two threads recorded and told. */
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
    load: { mode: 'closed', concurrency: 32 },
    requests: 8_000,
    durationUs: undefined,
    blocks: BLOCKS,
    warmup: 0,
    timeoutUs: 30e6,
    tokenBudget: undefined,
    workers: 2,
  }
  const heard = {}
  const start = (job, { message, ...others }) => {
    const listen = (index, said) => {
      if (index === 0) Object.assign(heard, { [said.type]: said })
      message(index, said)
    }
    return startSendingThreads(job, { ...others, message: listen })
  }
  await (await startRun(runPlan, { progress: () => {} }, start)).result
  await provider.close()
  const { record: measured } = heard.done
  return {
    record: { ...measured, requestTimes: measured.arms.map(() => new Float64Array()) },
    progress: heard.progress.progress,
    plan: runPlan,
  }
}

/** CPU time of one, of many. */
function us(times, act) {
  for (let i = 0; i < times / 4; i++) act()
  const before = process.cpuUsage()
  for (let i = 0; i < times; i++) act()
  const { user, system } = process.cpuUsage(before)
  return Math.round((user + system) / times)
}

function kb(bytes) {
  return `${(bytes.length / 1_000).toFixed(1)} kB`
}

function cells(values) {
  return `| ${values.join(' | ')} |`
}

function say(line) {
  process.stdout.write(`${line}\n`)
}
