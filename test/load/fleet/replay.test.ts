// A fleet that replays a trace, on a real broker: together its workers send, request for request, what one machine
// sends, whatever happens to the broker meanwhile; and what is wrong with the trace is said as it is on one machine.
import { createWriteStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type OpenReplay, openReplay } from '../../../src/bench/replay.ts'
import { Fleet } from '../../../src/load/fleet/coordinator.ts'
import { drawId, type FleetWorker, startFleetWorker } from '../../../src/load/fleet/worker.ts'
import type { RunPlan } from '../../../src/load/plan.ts'
import { startRun } from '../../../src/load/run.ts'
import type { Replay } from '../../../src/report/schema.ts'
import { chooseWorkload } from '../../../src/workload/choose.ts'
import { traceOf } from '../../../src/workload/workload.ts'
import { type Broker, linkTo, startBroker, whyNoBroker } from '../../support/broker.ts'
import { httpServer, OK_BODY, planFor, type TestServer } from '../../support/engine.ts'
import { laterRefusalOf } from '../../support/refusal.ts'
import { mkfifo } from '../../support/special-files.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { traceFixture } from '../../support/traces.ts'

const dir = tempDir()
const csv = (name: string, rows: readonly string[]): string =>
  dir.write(name, `TIMESTAMP,ContextTokens,GeneratedTokens\n${rows.map((row) => `${row}\n`).join('')}`)
const rowsOf = (count: number, perSecond: number): string[] =>
  Array.from({ length: count }, (_, i) => `${(i / perSecond).toFixed(4)},${20 + (i % 50)},${1 + (i % 7)}`)

let broker: Broker
let server: TestServer
/** By path, which is that of the arm: the bodies that arrived, with what makes each unlike all others. */
const bodies = new Map<string, string[]>()
const workers: FleetWorker[] = []
const fleets: Fleet[] = []

beforeEach(async ({ skip }) => {
  if (whyNoBroker !== undefined) skip(whyNoBroker)
  broker = await startBroker()
  bodies.clear()
  server = await httpServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      bodies.set(request.url ?? '', [...(bodies.get(request.url ?? '') ?? []), body])
      response.end(OK_BODY)
    })
  })
})
afterEach(async () => {
  for (const fleet of fleets.splice(0)) await fleet.close()
  await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  await server?.close()
  await broker?.close()
})

/** A fleet is of one run, which replays one trace. */
async function openFleet(count: number): Promise<Fleet> {
  for (const fleet of fleets.splice(0)) await fleet.close()
  await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  for (let i = 1; i <= count; i++) {
    const link = await linkTo(broker)
    const noUpstream = () => Promise.reject(new Error('no upstream was asked for'))
    workers.push(startFleetWorker(link, { name: `w${i}`, labels: {} }, noUpstream, () => {}))
    await link.nc.flush()
  }
  const fleet = await Fleet.open(await linkTo(broker), { run: drawId(), graceMs: 10_000, labels: {}, note: () => {} })
  fleets.push(fleet)
  return fleet
}

const endless = Number.POSITIVE_INFINITY
const ALL = { speed: 1, share: 1, seed: 1, fromUs: 0, toUs: endless, rows: endless, durationUs: endless }

interface Replayed {
  said: Replay
  /** In the order of their arms, and sorted: machines that send side by side have no order between them. */
  sent: string[][]
  ok: (number | undefined)[]
}

/** Replays a trace as `kt bench` does; by the threads of this machine without a fleet. */
async function replayed(
  path: string,
  { fleet, selection = {}, arms = ['/a'], underWay }: ReplayOptions = {},
): Promise<Replayed> {
  const workload = chooseWorkload({ trace: path, seed: 1 })
  const replay = await openReplay({ path, selection: { ...ALL, ...selection } }, workload, { arms: arms.length })
  const source = traceOf(workload)
  const base = planFor(server.origin)
  const [first] = base.arms
  if (!replay || !source || !first) throw new Error('a workload without a trace')
  const plan: RunPlan = {
    ...base,
    arms: arms.map((name, i) => ({ ...first, name, path: name, tag: 'abc'.charAt(i).repeat(8) })),
    workload,
    load: { mode: 'open', rps: 100, maxInFlight: 300, trace: source.ring },
    requests: source.totals?.rows,
    blocks: 4,
    ...(source.totals ? {} : { blockUs: 200_000 }),
    pairing: 'request',
    warmup: 0,
    workers: fleet?.size ?? 1,
  }
  replay.share(fleet?.size ?? 1)
  bodies.clear()
  try {
    return await sendAll(plan, replay, fleet, underWay)
  } finally {
    await replay.close()
  }
}

interface ReplayOptions {
  fleet?: Fleet
  selection?: Partial<typeof ALL>
  arms?: string[]
  /** Called once when some requests are done. */
  underWay?: () => unknown
}

async function sendAll(
  plan: RunPlan,
  replay: OpenReplay,
  fleet: Fleet | undefined,
  underWay: () => unknown = () => {},
): Promise<Replayed> {
  let begun: unknown
  const progress = ({ done }: { done: number }): void => {
    if (done > 5) begun ??= underWay() ?? 'begun'
  }
  const record = await (await startRun(plan, { progress }, fleet?.start)).result
  await begun
  const said = await replay.finish(record)
  const sent = plan.arms.map(({ path }) => (bodies.get(path) ?? []).sort())
  return { said, sent, ok: record.arms.map(({ outcomes }) => outcomes.OK) }
}

test.each([
  ['a share of its rows, drawn', csv('azure.csv', rowsOf(300, 200)), { share: 0.5 }, ['/a', '/b', '/c']],
  [
    'prompts that share prefixes',
    traceFixture('mooncake-conversation.jsonl'),
    { speed: 20, fromUs: 5e6, toUs: 15e6 },
    ['/a', '/b'],
  ],
])('three workers send what one machine sends, to all arms: %s', async (_, path, selection, arms) => {
  const options = { selection, arms }
  const alone = await replayed(path, options)
  const together = await replayed(path, { ...options, fleet: await openFleet(3) })
  const { requests } = alone.said
  // Not whole bodies: to print the difference would take minutes.
  const missing = alone.sent.map((bodies, arm) => bodies.filter((body, i) => body !== together.sent[arm]?.[i]).length)
  expect({ missing, ok: together.ok }).toEqual({ missing: arms.map(() => 0), ok: arms.map(() => requests) })
  expect(new Set(together.sent.flat()).size).toBe(arms.length * requests)
  const tokens = ({ said }: Replayed) => said.arms.map(({ outputTokens }) => outputTokens.asked)
  expect(tokens(together)).toEqual(tokens(alone))
  expect(together.said.arms).toHaveLength(arms.length)
  for (const { gapsKs, lateMs } of together.said.arms) {
    expect(gapsKs).toBeLessThan(1)
    expect(gapsKs).not.toBeNull()
    expect(lateMs?.max).toBeGreaterThan(0)
  }
})

test('the broker is gone and back: every row is sent and counted once, and its lateness is said', async () => {
  const fleet = await openFleet(2)
  const path = csv('broken.csv', rowsOf(400, 100))
  const alone = await replayed(path, { selection: { speed: 10 } })
  const { sent, ok, said } = await replayed(path, {
    fleet,
    underWay: async () => {
      await broker.stop()
      await sleep(700)
      await broker.start()
    },
  })
  expect(sent).toEqual(alone.sent)
  expect(ok).toEqual([400])
  expect(said.arms[0]?.lateMs).not.toBeNull()
})

test('through a FIFO: rows that come late are sent late, and a faulty one ends the run on all workers', async () => {
  const fifo = mkfifo(dir.file('trace.fifo'))
  const rows = rowsOf(100, 100)
  /** The first rows, and the others when those are under way. */
  const written = async (more: readonly string[]): Promise<Replayed> => {
    const out = createWriteStream(fifo)
    out.write(`TIMESTAMP,ContextTokens,GeneratedTokens\n${rows.slice(0, 40).join('\n')}\n`)
    const underWay = async (): Promise<void> => {
      await sleep(1_000)
      out.end(`${[...rows.slice(40), ...more].join('\n')}\n`)
    }
    return replayed(fifo, { fleet: await openFleet(2), underWay })
  }
  const { ok, said } = await written([])
  expect(ok).toEqual([100])
  // Rows that were due 0.4 s after the beginning were written a second after it.
  expect(said.arms[0]?.lateMs?.max).toBeGreaterThan(500)
  const { message, exitCode } = await laterRefusalOf(() => written(['2,NaN,5']))
  expect(message).toContain("line 102, column ContextTokens: 'NaN' is not a whole number of 0 or more")
  expect(exitCode).toBe(2)
})
