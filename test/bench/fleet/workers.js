// So many workers of a fleet that send nothing: what they say is real, at the times of a real run, over a few
// connections. Of the messages of a fleet, this is the workers' side, for simulation.js; forked with the address of the
// broker. A worker's beats and progress are spread over their periods by a seed.
import { hostname } from 'node:os'
import { measureOffset } from '../../../dist/src/load/fleet/clock-offset.js'
import { connectTo } from '../../../dist/src/load/fleet/link.js'
import * as protocol from '../../../dist/src/load/fleet/protocol.js'
import { randomFrom } from '../../../dist/src/stats/random.js'
import { now } from '../../../dist/src/system/clock.js'
import { ktVersion } from '../../../dist/src/system/machine.js'

const CONNECTIONS = 16
const PROGRESS_MS = 250
const STEP_MS = 10
const PIECE_BYTES = 2 ** 20 - 4_096

const [address] = process.argv.slice(2)
const links = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectTo(address, {}, 'a simulation')))
const random = randomFrom(1)
let workers = []
let given
/** The orders that were read, by their bytes: each worker gets the same ones. */
let lastOrders = { bytes: '', orders: [] }
process.send('ready')

process.on('message', async (message) => {
  given = { ...message, result: Buffer.from(message.result, 'base64'), progress: message.progress }
  workers = Array.from({ length: message.count }, (_, number) => simulated(number))
  await Promise.all(links.map(({ nc }) => nc.flush()))
  process.send('waiting')
})

function simulated(number) {
  const link = links[number % CONNECTIONS]
  const { nc } = link
  const id = `simulated${String(number).padStart(7, '0')}`
  const worker = { link, id, phaseMs: random() * 500, heard: 0, run: undefined, job: undefined, measuring: false }
  const card = {
    id,
    name: id,
    labels: {},
    version: ktVersion,
    node: process.versions.node,
    cores: 2,
    load: 0,
    run: null,
  }
  const who = nc.subscribe(protocol.SUBJECTS.who, {
    callback: (_, asked) => asked.respond(protocol.write({ ...card, name: `${hostname()}-${id}` })),
  })
  const hire = nc.subscribe(protocol.SUBJECTS.hire(id), {
    callback: (_, asked) => {
      const { value } = protocol.read(protocol.hireSchema, asked.data, 'work')
      Object.assign(worker, { run: value.run, index: value.index, aliveMs: performance.now() + worker.phaseMs })
      worker.orders = nc.subscribe(protocol.SUBJECTS.orders(value.run), {
        callback: (_error, { data }) => hear(worker, data),
      })
      asked.respond('')
    },
  })
  worker.end = () => {
    for (const each of [who, hire, worker.orders]) each?.unsubscribe()
  }
  return worker
}

function hear(worker, data) {
  const bytes = Buffer.from(data).toString('latin1')
  if (lastOrders.bytes !== bytes) {
    lastOrders = { bytes, orders: protocol.read(protocol.ordersSchema, data, 'an order').value }
  }
  for (const { seq, order } of lastOrders.orders) {
    if (seq !== worker.heard + 1) continue
    worker.heard = seq
    if (order.type === 'job') void begin(worker, order)
    if (order.type === 'tell' && order.message.type === 'begin') void measure(worker, order.job)
    if (order.type === 'release') release(worker)
  }
}

async function begin(worker, { job, parts }) {
  const { nc } = worker.link
  for (let part = 0; part < parts; part++) {
    await nc.request(protocol.SUBJECTS.plan(worker.run), protocol.write({ job, part }), { timeout: 60_000 })
  }
  await clock(worker)
  publish(worker, { job, message: { type: 'ready' } }, 0)
}

async function clock({ link, run }) {
  const ask = async () => {
    const { data } = await link.nc.request(protocol.SUBJECTS.clock(run), '', { timeout: 60_000 })
    return protocol.read(protocol.timesSchema, data, 'a clock').value
  }
  await measureOffset(ask, now)
}

async function measure(worker, job) {
  worker.progressMs = performance.now() + worker.phaseMs / 2
  worker.job = job
  await new Promise((resolve) => setTimeout(resolve, given.measureMs))
  worker.job = undefined
  process.send('over')
  await clock(worker)
  await publish(worker, undefined, 1)
}

async function publish({ link, run, index }, result, number) {
  const whole = result ? protocol.write(result) : given.result
  const all = [...protocol.pieces(whole, PIECE_BYTES)]
  for (const [part, bytes] of all.entries()) {
    const piece = protocol.write({ number, part, parts: all.length, bytes })
    const msgID = `${run}.${index}.${number}.${part}`
    while (!(await link.js.publish(protocol.SUBJECTS.results(run, index), piece, { msgID }).catch(() => undefined)));
  }
}

/** Beats and progress of all workers that are due. */
setInterval(() => {
  const nowMs = performance.now()
  for (const worker of workers) {
    if (worker.run === undefined) continue
    const subject = protocol.SUBJECTS.alive(worker.run, worker.index)
    const { nc } = worker.link
    if (nowMs >= worker.aliveMs) {
      worker.aliveMs += protocol.BEAT_MS
      nc.publish(subject, protocol.write({ heard: worker.heard }))
    }
    if (worker.job !== undefined && nowMs >= worker.progressMs) {
      worker.progressMs += PROGRESS_MS
      const message = { type: 'progress', progress: given.progress }
      nc.publish(subject, protocol.write({ heard: worker.heard, job: worker.job, message }))
    }
  }
}, STEP_MS)

function release(worker) {
  worker.end()
  worker.run = undefined
}
