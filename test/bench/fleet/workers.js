// So many workers of a fleet that send nothing: what they say is real, at the times of a real run, over a few
// connections. Of the messages of a fleet, this is the workers' side, for coordinator.js; forked with the address of
// the broker, and with which of the workers are here. Beats and progress are spread over their periods by a seed. The
// record is the same for all, and is written once.
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { deserialize } from 'node:v8'
import { measureOffset } from '../../../dist/src/load/fleet/clock-offset.js'
import { connectTo } from '../../../dist/src/load/fleet/link.js'
import { KEPT_WITHIN_MOST_MS, KEPT_WITHIN_MS, RETRY_MS } from '../../../dist/src/load/fleet/outbox.js'
import * as protocol from '../../../dist/src/load/fleet/protocol.js'
import { randomFrom } from '../../../dist/src/stats/random.js'
import { now } from '../../../dist/src/system/clock.js'
import { ktVersion } from '../../../dist/src/system/machine.js'

const CONNECTIONS = 8
const PROGRESS_MS = 250
const STEP_MS = 10
/** Real workers have a machine each; those of here share one, and its disk. */
const PUBLISHED_AT_ONCE = 16
const PIECE_BYTES = 2 ** 20 - 4_096

const [address, of] = process.argv.slice(2)
const { from, to, count, measureMs, given, isInterim } = JSON.parse(of)
const { result, interim, progress } = deserialize(readFileSync(given))
const links = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectTo(address, {}, 'a simulation')))
/** Of its own: a worker's beats do not wait for the records of others. */
const { nc: beats } = await connectTo(address, {}, 'a simulation')
const random = randomFrom(from)
/** A result's pieces, by its number. */
const pieces = new Map()
const once = { progress: { type: 'progress', progress }, ready: protocol.write({ job: 1, message: { type: 'ready' } }) }
/** The orders that were read, by their bytes: each worker gets the same ones. */
let lastOrders = { bytes: Buffer.alloc(0), orders: [] }
let silenceMs = 0
let publishing = 0
const told = new Set()
const workers = Array.from({ length: to - from }, (_, i) => simulated(from + i))
await Promise.all(links.map(({ nc }) => nc.flush()))
process.on('message', () => process.send({ silenceMs }))
process.send('waiting')

function simulated(number) {
  const link = links[number % CONNECTIONS]
  const { nc } = link
  const id = `simulated${String(number).padStart(7, '0')}`
  const worker = { link, id, phaseMs: random() * 500, heard: 0, run: undefined, job: undefined, heardMs: undefined }
  const card = { id, name: `${hostname()}-${id}`, labels: {}, version: ktVersion, node: process.versions.node }
  nc.subscribe(protocol.SUBJECTS.who, {
    callback: (_, asked) => asked.respond(protocol.write({ ...card, cores: 2, load: 0, run: null })),
  })
  nc.subscribe(protocol.SUBJECTS.hire(id), {
    callback: (_, asked) => {
      const { value } = protocol.read(protocol.hireSchema, asked.data, 'work')
      Object.assign(worker, { run: value.run, index: value.index, aliveMs: performance.now() + worker.phaseMs })
      worker.orders = nc.subscribe(protocol.SUBJECTS.orders(value.run), {
        callback: (_error, { data }) => hear(worker, data),
      })
      asked.respond('')
    },
  })
  return worker
}

function hear(worker, data) {
  const atMs = performance.now()
  silenceMs = Math.max(silenceMs, atMs - (worker.heardMs ?? atMs))
  worker.heardMs = atMs
  if (!lastOrders.bytes.equals(data)) {
    const orders = protocol.read(protocol.ordersSchema, data, 'an order').value
    lastOrders = { bytes: Buffer.from(data), orders }
  }
  for (const { seq, order } of lastOrders.orders) {
    if (seq !== worker.heard + 1) continue
    worker.heard = seq
    if (order.type === 'job') void begin(worker, order)
    if (order.type === 'tell' && order.message.type === 'begin') void measure(worker, order.job)
    if (order.type === 'tell' && order.message.type === 'interim-done') worker.goOn()
    if (order.type === 'release') worker.run = undefined
  }
}

async function begin(worker, { job, parts }) {
  const { nc } = worker.link
  for (let part = 0; part < parts; part++) {
    const question = protocol.write({ job, part })
    await untilDone((timeout) => nc.request(protocol.SUBJECTS.plan(worker.run), question, { timeout }))
  }
  await clock(worker)
  await publish(worker, once.ready)
}

async function clock({ link, run, index }) {
  const ask = async () => {
    const answer = await link.nc.request(protocol.SUBJECTS.clock(run), '', { timeout: 1_000 }).catch(() => undefined)
    return answer && protocol.read(protocol.timesSchema, answer.data, 'a clock').value
  }
  await sleep(index * protocol.CLOCK_EVERY_MS)
  await measureOffset(ask, now)
}

async function measure(worker, job) {
  tell('begun')
  Object.assign(worker, { job, progressMs: performance.now() + worker.phaseMs / 2, elapsedUs: -1 })
  if (isInterim) {
    await sleep(measureMs / 2)
    const { promise, resolve } = Promise.withResolvers()
    worker.goOn = resolve
    await publish(worker, interim)
    await promise
    await sleep(measureMs / 2)
  } else await sleep(measureMs)
  worker.job = undefined
  tell('over')
  await clock(worker)
  await publish(worker, result)
}

async function publish(worker, whole) {
  const { link, run, index } = worker
  worker.number = (worker.number ?? -1) + 1
  const { number } = worker
  if (!pieces.has(number)) {
    const all = [...protocol.pieces(whole, PIECE_BYTES)]
    const written = all.map((bytes, part) => protocol.write({ number, part, parts: all.length, bytes }))
    pieces.set(number, written)
  }
  for (const [part, piece] of pieces.get(number).entries()) {
    const subject = protocol.SUBJECTS.results(run, index)
    const msgID = `${run}.${index}.${number}.${part}`
    while (publishing >= PUBLISHED_AT_ONCE) await sleep(STEP_MS)
    publishing++
    await untilDone((timeout) => link.js.publish(subject, piece, { msgID, timeout }))
    publishing--
  }
}

/** As outbox.ts has it. */
async function untilDone(attempt) {
  for (let timeout = KEPT_WITHIN_MS; ; timeout = Math.min(2 * timeout, KEPT_WITHIN_MOST_MS)) {
    const isDone = await attempt(timeout).then(
      () => true,
      () => false,
    )
    if (isDone) return
    await sleep(RETRY_MS)
  }
}

/** Beats and progress of all workers that are due. */
setInterval(() => {
  const nowMs = performance.now()
  for (const worker of workers) {
    if (worker.run === undefined) continue
    const subject = protocol.SUBJECTS.alive(worker.run, worker.index)
    if (nowMs >= worker.aliveMs) {
      worker.aliveMs += protocol.BEAT_MS
      beats.publish(subject, protocol.write({ heard: worker.heard }))
    }
    if (worker.job !== undefined && nowMs >= worker.progressMs) {
      worker.progressMs += PROGRESS_MS
      const [elapsedUs, beforeUs] = [worker.elapsedUs + PROGRESS_MS * 1_000, worker.elapsedUs]
      worker.elapsedUs = elapsedUs
      if (!protocol.isProgressTold(count, elapsedUs, beforeUs)) continue
      beats.publish(subject, protocol.write({ heard: worker.heard, job: worker.job, message: once.progress }))
    }
  }
}, STEP_MS)

/** Of all workers here, the first one that says it. */
function tell(what) {
  if (told.has(what)) return
  told.add(what)
  process.send(what)
}
