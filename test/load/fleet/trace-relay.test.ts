// The rows of a trace on their way to the workers of a fleet, over a real broker: each worker gets all of them, once
// and in their order, no more of them than a ring holds, and when its own ones left comes back.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as protocol from '../../../src/load/fleet/protocol.ts'
import { Questions } from '../../../src/load/fleet/questions.ts'
import { TraceFollower } from '../../../src/load/fleet/trace-follower.ts'
import { ownRows, TraceRelay } from '../../../src/load/fleet/trace-relay.ts'
import { drawId } from '../../../src/load/fleet/worker.ts'
import { type RunPlan, withoutRing, withRing } from '../../../src/load/plan.ts'
import { chooseWorkload } from '../../../src/workload/choose.ts'
import { createRing, RING_ROWS, RingRows } from '../../../src/workload/traces/ring.ts'
import { traceOf, workloadSha256 } from '../../../src/workload/workload.ts'
import { type Broker, linkTo, startBroker, whyNoBroker } from '../../support/broker.ts'
import { planFor } from '../../support/engine.ts'
import { traceFixture } from '../../support/traces.ts'
import { until } from '../../support/waits.ts'

const BLOCK_TOKENS = 16
const run = drawId()
let broker: Broker
const closing: (() => unknown)[] = []

beforeEach(async ({ skip }) => {
  if (whyNoBroker !== undefined) skip(whyNoBroker)
  broker = await startBroker()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await broker?.close()
})

const inputOf = (row: number): number => 1 + (row % 1_000)
const idsOf = (row: number): number[] =>
  row % 2 === 0 ? Array.from({ length: Math.ceil(inputOf(row) / BLOCK_TOKENS) }, (_, i) => row + i) : []

async function startRelay(workers: number): Promise<RingRows> {
  const link = await linkTo(broker)
  const ring = createRing()
  const relay = new TraceRelay(link, run, ring, workers)
  closing.push(
    () => link.close(),
    () => relay.close(),
  )
  await link.nc.flush()
  return new RingRows(ring)
}

interface Follower {
  follower: TraceFollower
  rows: RingRows
  lost: string[]
}

async function startFollower(index: number): Promise<Follower> {
  const link = await linkTo(broker)
  let over = false
  closing.push(
    () => link.close(),
    () => {
      over = true
    },
  )
  const lost: string[] = []
  const follower = new TraceFollower(new Questions(link, run, () => over), index, (why) => lost.push(why))
  return { follower, rows: new RingRows(follower.ring), lost }
}

function writeRow(rows: RingRows): void {
  const row = rows.written
  const ids = idsOf(row)
  rows.write(row * 10, inputOf(row), 5 + (row % 7), ids.length > 0 ? ids : undefined, BLOCK_TOKENS)
}

/** Sends the rows of one worker, each at the instant that is its own number; yields now and then. */
async function sendOwn({ rows }: Follower, share: { index: number; count: number }): Promise<number> {
  let sent = 0
  for (let row = share.index; ; row += share.count) {
    rows.take(row, share.index)
    for (let over = false; Number.isNaN(rows.dueUs(row)); await sleep(1)) {
      if (over) return sent
      ;({ over } = rows)
    }
    const ids = Array.from({ length: rows.idCount(row) }, (_, i) => rows.id(row, i))
    const got = [rows.dueUs(row), rows.inputTokens(row), rows.outputTokens(row), ids.join()]
    if (got.join() !== [row * 10, inputOf(row), 5 + (row % 7), idsOf(row).join()].join())
      throw new Error(`${row}: ${got}`)
    rows.left(0, row, row + 0.5)
    sent++
  }
}

test('more rows and hashes than a ring holds, with the broker gone in between', async () => {
  const [total, count] = [2 * RING_ROWS, 2]
  const source = await startRelay(count)
  const followers = [await startFollower(0), await startFollower(1)]
  for (const { follower } of followers) follower.begin(count, (us) => us + 1_000_000)
  writeRow(source)
  await Promise.all(followers.map(({ follower }) => follower.first))
  const sending = Promise.all(followers.map((one, index) => sendOwn(one, { index, count })))
  let [accounted, restarted] = [0, false]
  const account = (): void => {
    const taken = source.taken(count)
    for (; accounted < taken; accounted++) {
      if (source.leftAtUs(0, accounted) !== accounted + 1_000_000.5) throw new Error(`row ${accounted} is not told`)
      if (!Number.isNaN(source.leftAtUs(1, accounted))) throw new Error(`row ${accounted} of an arm that is none`)
    }
  }
  while (source.written < total) {
    account()
    const isRoom = (): boolean => source.written - accounted < RING_ROWS && source.hasRoomForIds(accounted)
    for (let i = 0; i < 1_000 && source.written < total && isRoom(); i++) writeRow(source)
    if (!restarted && source.written > total / 2) {
      restarted = true
      await broker.stop()
      await sleep(300)
      await broker.start()
    }
    await sleep(1)
  }
  source.end(total * 10)
  expect(await sending).toEqual([total / 2, total / 2])
  await Promise.all(followers.map(({ follower }) => follower.settle((us) => us + 1_000_000)))
  account()
  expect(accounted).toBe(total)
  expect(followers.map(({ rows, lost }) => [rows.endUs, lost])).toEqual([
    [total * 10, []],
    [total * 10, []],
  ])
})

test('a worker that sends nothing yet has no more rows than a ring holds', async () => {
  const source = await startRelay(1)
  const { rows, follower } = await startFollower(0)
  for (let row = 0; row < RING_ROWS; row++) source.write(row, 1, 1, undefined, 0)
  await follower.first
  await until(() => rows.written === RING_ROWS)
  writeRow(source)
  await sleep(200)
  expect(rows.written).toBe(RING_ROWS)
  expect(source.taken(1)).toBe(0)
})

test('of a faulty trace no row is due any longer', async () => {
  const source = await startRelay(1)
  const { rows, follower } = await startFollower(0)
  writeRow(source)
  await follower.first
  expect(rows.dueUs(0)).toBe(0)
  source.fail()
  await until(() => rows.over)
  expect([rows.failed, rows.dueUs(0)]).toEqual([true, Number.NaN])
})

test('a question that no worker of the run can have asked has no answer, and changes nothing', async () => {
  const source = await startRelay(2)
  writeRow(source)
  const link = await linkTo(broker)
  const ask = (question: unknown) =>
    link.nc.request(protocol.SUBJECTS.rows(run), protocol.write(question), { timeout: 500 }).then(
      () => 'answered',
      () => 'no answer',
    )
  const sound = { index: 0, count: 2, from: 1, room: 10, told: 0, taken: 1, left: new Float64Array([7, 8]) }
  const unsound = [
    // Of a worker that is not of the run, of rows that nobody has written, told before though nothing was.
    ...[
      { index: 5, count: 6 },
      { from: 9, taken: 9 },
      { told: 1, left: new Float64Array() },
    ],
    // With the times of other rows, with a row below zero, with times that are none, and no question at all.
    ...[{ left: new Float64Array(1) }, { taken: -1 }, { left: [7, 8] }],
  ].map((changes) => ({ ...sound, ...changes }))
  const answers = await Promise.all([...unsound, 'rows, please'].map(ask))
  expect(answers).toEqual(Array(7).fill('no answer'))
  expect([source.takenBy(0), source.leftAtUs(0, 0)]).toEqual([0, Number.NaN])
  expect(await ask(sound)).toBe('answered')
  expect([source.takenBy(0), source.leftAtUs(0, 0), source.leftAtUs(1, 0)]).toEqual([1, 7, 8])
  // Asked again, since its answer was lost: its row may have left the ring by now.
  source.left(0, 0, 9)
  expect(await ask(sound)).toBe('answered')
  expect(source.leftAtUs(0, 0)).toBe(9)
  await link.close()
})

test('the plan of a replay crosses without its ring, and says the same of its workload', () => {
  const workload = chooseWorkload({ trace: traceFixture('vllm-timed.jsonl'), seed: 1 })
  const ring = traceOf(workload)?.ring
  const plan: RunPlan = {
    ...planFor('http://127.0.0.1:1', { load: { mode: 'open', rps: 1, maxInFlight: 1, trace: ring } }),
    workload,
  }
  const read = protocol.read(protocol.planSchema, protocol.write(withoutRing(plan)), 'the plan')
  if (!read.ok) throw new Error(read.why)
  expect(workloadSha256(read.value.workload)).toBe(workloadSha256(workload))
  const own = createRing()
  const { load, ...rest } = withRing(read.value, own)
  expect([traceOf(rest.workload)?.ring, load.mode === 'open' && load.trace]).toEqual([own, own])
  const given = planFor('http://127.0.0.1:1')
  expect(withoutRing(given)).toBe(given)
})

test('the rows of each worker are all rows, once', () => {
  expect([ownRows(0, 7, { index: 0, count: 3 }), ownRows(0, 7, { index: 1, count: 3 })]).toEqual([
    [0, 3, 6],
    [1, 4],
  ])
  expect(ownRows(5, 12, { index: 1, count: 3 })).toEqual([7, 10])
  expect([ownRows(4, 4, { index: 1, count: 3 }), ownRows(9, 4, { index: 0, count: 1 })]).toEqual([[], []])
})
