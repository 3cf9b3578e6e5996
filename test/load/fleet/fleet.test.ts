// A fleet on a real broker, with its workers in this process: together they send the whole load once, and whatever is
// wrong with them is said before anything is sent.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Fleet, type FleetOptions } from '../../../src/load/fleet/coordinator.ts'
import { connectTo } from '../../../src/load/fleet/link.ts'
import { findWorkers } from '../../../src/load/fleet/roll.ts'
import { drawId, type FleetWorker, startFleetWorker } from '../../../src/load/fleet/worker.ts'
import type { RunRecord } from '../../../src/load/merge.ts'
import type { RunPlan } from '../../../src/load/plan.ts'
import { startRun } from '../../../src/load/run.ts'
import { type Broker, linkTo, startBroker, whyNoBroker } from '../../support/broker.ts'
import { decoded, httpServer, OK_BODY, planFor } from '../../support/engine.ts'
import { type NonceServer, nonceServer } from '../../support/nonces.ts'

const quiet = { progress: () => {} }
const noUpstream = () => Promise.reject(new Error('no upstream was asked for'))
let broker: Broker
let server: NonceServer
const workers: FleetWorker[] = []
const fleets: Fleet[] = []

beforeEach(async ({ skip }) => {
  if (whyNoBroker !== undefined) skip(whyNoBroker)
  broker = await startBroker()
  server = await nonceServer()
})
afterEach(async () => {
  for (const fleet of fleets.splice(0)) await fleet.close()
  await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  await server?.close()
  await broker?.close()
})

async function startWorkers(count: number, labels: Record<string, string> = {}, version?: string): Promise<void> {
  for (let i = 1; i <= count; i++) {
    const link = await linkTo(broker)
    workers.push(startFleetWorker(link, { name: `w${i}`, labels, version }, noUpstream, () => {}))
    await link.nc.flush()
  }
}

async function openFleet(options: Partial<FleetOptions> = {}): Promise<Fleet> {
  const link = await linkTo(broker)
  try {
    const fleet = await Fleet.open(link, { run: drawId(), graceMs: 10_000, labels: {}, note: () => {}, ...options })
    fleets.push(fleet)
    return fleet
  } catch (error) {
    await link.close()
    throw error
  }
}

async function send(fleet: Fleet, changes: Partial<RunPlan>): Promise<RunRecord> {
  const plan = planFor(server.origin, { workers: fleet.size, ...changes })
  return (await startRun(plan, quiet, fleet.start)).result
}

const openLoop = { mode: 'open' as const, rps: 400, maxInFlight: 300 }

describe('three workers', () => {
  test('send every request of one machine once, and their records become one', async () => {
    const changes = { requests: 120, blocks: 4, warmup: 9, load: openLoop }
    await (await startRun(planFor(server.origin, changes), quiet)).result
    const alone = server.nonces.splice(0).sort()
    await startWorkers(3)
    const fleet = await openFleet()
    const { arms, sendLag, workers: readings } = await send(fleet, changes)
    expect(server.nonces.sort()).toEqual(alone)
    const [arm] = arms
    expect(arm?.outcomes).toEqual({ OK: 120 })
    expect(arm?.blocks.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    expect(arm?.blocks.reduce((sum, { sent }) => sum + sent, 0)).toBe(120)
    expect(decoded(sendLag).count).toBe(120)
    expect(readings).toHaveLength(3)
    for (const { told } of fleet.members) {
      expect(told?.sent).toBe(40)
      // One clock for all, so that the truth is known: none is apart from another.
      expect(Math.abs(told?.clock.offsetUs ?? Number.NaN)).toBeLessThanOrEqual(told?.clock.errorUs ?? 0)
    }
    expect([0, 1, 2, 3, 4].map((block) => fleet.machines.of(0, block) !== undefined)).toEqual([
      ...[true, true, true, true],
      false,
    ])
  })

  test('take turns with two arms, and go on to another plan', async () => {
    let [busy, overlaps] = ['', 0]
    const inFlight = { a: 0, b: 0 }
    const turns = await httpServer((request, response) => {
      const arm = request.url?.startsWith('/a') ? 'a' : 'b'
      inFlight[arm]++
      if (inFlight[arm === 'a' ? 'b' : 'a'] > 0) overlaps++
      busy += arm
      setTimeout(() => {
        inFlight[arm]--
        response.end(OK_BODY)
      }, 5)
    })
    await startWorkers(3)
    const fleet = await openFleet()
    const [first] = planFor(turns.origin).arms
    if (!first) throw new Error('a plan without an arm')
    const arms = ['a', 'b'].map((name) => ({ ...first, name, path: `/${name}` }))
    const plan = { arms, requests: 60, blocks: 3, load: { mode: 'closed' as const, concurrency: 6 } }
    const record = await send(fleet, plan)
    expect(record.arms.map(({ outcomes }) => outcomes)).toEqual([{ OK: 60 }, { OK: 60 }])
    expect(overlaps).toBe(0)
    expect(busy).toMatch(/a.*b|b.*a/)
    expect((await send(fleet, { requests: 5, load: openLoop })).arms[0]?.outcomes).toEqual({ OK: 5 })
    await turns.close()
  })

  test('stop when the user asks', async () => {
    await startWorkers(3)
    const fleet = await openFleet()
    const plan = planFor(server.origin, {
      workers: 3,
      requests: 100_000,
      load: { mode: 'open', rps: 200, maxInFlight: 9 },
    })
    const { promise: sending, resolve } = Promise.withResolvers<void>()
    const progress = ({ done }: { done: number }): void => (done > 20 ? resolve() : undefined)
    const running = await startRun(plan, { progress }, fleet.start)
    await sending
    running.stop(500_000)
    const { stopReason, arms } = await running.result
    expect(stopReason).toBe('interrupted')
    expect(arms[0]?.outcomes.OK).toBeGreaterThan(20)
    expect(arms[0]?.outcomes.OK).toBe(arms[0]?.blocks.reduce((sum, { sent }) => sum + sent, 0))
  })
})

describe('before anything is sent, in one sentence', () => {
  const refused = (options: Partial<FleetOptions> = {}) =>
    openFleet(options).then(
      () => 'hired',
      ({ message, exitCode }) => `${exitCode} ${message}`,
    )

  test('nobody is there, too few are free, or none has the labels', async () => {
    expect(await refused()).toBe('2 no fleet worker answers on this broker')
    await startWorkers(2, { zone: 'a' })
    expect(await refused({ size: 3 })).toBe('4 2 fleet workers of the 3 asked for are free')
    expect(await refused({ labels: { zone: 'b' } })).toBe('2 none of 2 fleet workers has the labels zone=b')
    expect((await openFleet({ labels: { zone: 'a' }, size: 1 })).size).toBe(1)
    expect(server.nonces).toEqual([])
  })

  test('a worker of another version', async () => {
    await startWorkers(1)
    await startWorkers(1, {}, '0.0.1')
    expect(await refused()).toMatch(/^2 fleet worker w1 runs kt 0\.0\.1, and this is kt \d/)
  })

  test('a second coordinator: the workers stay with the first', async () => {
    await startWorkers(2)
    const first = await openFleet()
    expect(await refused()).toMatch(/^4 0 fleet workers of the one asked for are free; 2 others work, such as for run /)
    expect((await send(first, { requests: 20, load: openLoop })).arms[0]?.outcomes).toEqual({ OK: 20 })
  })

  test('two coordinators at once: each worker has one run, and one coordinator at most has all', async () => {
    await startWorkers(3)
    const both = await Promise.all([refused({ size: 3 }), refused({ size: 3 })])
    expect(both.filter((one) => one === 'hired').length).toBeLessThanOrEqual(1)
    for (const fleet of fleets)
      expect((await send(fleet, { requests: 9, load: openLoop })).arms[0]?.outcomes.OK).toBe(9)
  })

  test('workers are free again after a run, and nothing of it is left with the broker', async () => {
    await startWorkers(2)
    await (await openFleet()).close()
    fleets.length = 0
    const link = await linkTo(broker)
    expect((await findWorkers(link)).map(({ run }) => run)).toEqual([null, null])
    const streams = await (await link.jsm()).streams.list().next()
    expect(streams).toEqual([])
    await link.close()
  })

  test('no broker, and credentials that it refuses', async () => {
    const guarded = await startBroker('authorization { user: "kt", password: "right" }')
    const connect = (address: string, password?: string) =>
      connectTo(address, password ? { user: 'kt', password } : {}, '--fleet').then(
        (link) => link.close().then(() => 'in'),
        ({ message }) => message,
      )
    expect(await connect('nats://127.0.0.1:1')).toMatch(/^no NATS broker answers at nats:\/\/127\.0\.0\.1:1: /)
    expect(await connect(guarded.address, 'wrong')).toMatch(/^the broker at nats:\S+ refuses these credentials: /)
    expect(await connect(guarded.address)).toMatch(/refuses these credentials/)
    expect(await connect(guarded.address, 'right')).toBe('in')
    await guarded.close()
  })
})
