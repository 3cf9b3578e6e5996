// What a run tells of itself while it goes on: every block that is over, with the values that its record has; each
// second by arm; and nothing of a block whose requests have not all ended.
import { afterEach, describe, expect, it } from 'vitest'
import { FinishedBlocks } from '../../src/load/finished-blocks.ts'
import { LiveRun } from '../../src/load/live-run.ts'
import type { Progress } from '../../src/load/merge.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { ArmRecorder } from '../../src/load/recorder.ts'
import { startRun } from '../../src/load/run.ts'
import { decoded, httpServer, OK_BODY, planFor, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

/** Fails every tenth request of the second arm. */
async function twoArms(changes: Partial<RunPlan>): Promise<RunPlan> {
  let calls = 0
  server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const failing = request.url === '/b' && ++calls % 10 === 0
      setTimeout(() => (failing ? response.writeHead(500).end('{}') : response.end(OK_BODY)), 5)
    })
  })
  const plan = planFor(server.origin, { requests: 400, durationUs: undefined, warmup: 2, blocks: 10, ...changes })
  const [arm] = plan.arms
  if (!arm) throw new Error('a plan without an arm')
  plan.arms = [
    { ...arm, name: 'gateway', path: '/a' },
    { ...arm, name: 'direct', path: '/b', tag: 'othertag' },
  ]
  return plan
}

describe.each([
  ['in turns, one thread', { workers: 1 }],
  ['in turns, two threads', { workers: 2 }],
  ['by request', { workers: 1, pairing: 'request' as const }],
])('two arms %s', (_name, changes) => {
  it('tell their blocks as the record has them', async () => {
    const plan = await twoArms({ ...changes, load: { mode: 'closed', concurrency: 2 } })
    const live = new LiveRun(2, changes.workers, ['latency'])
    const record = await (await startRun(plan, { progress: (progress) => live.heard(progress), live })).result
    for (const [arm, { blocks }] of record.arms.entries()) {
      const told = live.ended(arm)
      // The last second of the run is told by its record alone.
      expect(told.length).toBeGreaterThanOrEqual(3)
      for (const [i, block] of told.entries()) {
        const known = blocks[i]
        expect([block.index, block.sent, block.outcomes]).toEqual([known?.index, known?.sent, known?.outcomes])
        expect(block.startedAtUs).toBe(known?.startedAtUs)
        const latency = known?.metrics.latency
        expect(latency && block.metrics.latency?.pack()).toEqual(latency)
        expect(Object.keys(block.metrics)).toEqual(['latency'])
      }
    }
    expect(live.seconds.length).toBeGreaterThan(0)
    const dones = new Map(record.series.map(({ second, done }) => [second, done]))
    for (const { second, done } of live.seconds) expect([second, done]).toEqual([second, dones.get(second)])
    expect(live.failures.map((classes) => Object.keys(classes))).toEqual([[], ['KT_HTTP_5XX']])
  })
})

it('the latencies of a second are those of each arm', async () => {
  const plan = await twoArms({ load: { mode: 'closed', concurrency: 2 }, pairing: 'request' })
  const seen: Progress[] = []
  const record = await (await startRun(plan, { progress: (progress) => void seen.push(progress) })).result
  for (const { byArm, p50Us } of record.series.filter(({ done }) => done > 20)) {
    const medians = byArm.map((arm) => arm.p50Us ?? 0)
    expect(Math.min(...medians)).toBeLessThanOrEqual(p50Us ?? 0)
    expect(Math.max(...medians)).toBeGreaterThanOrEqual(p50Us ?? 0)
  }
  const [gateway] = record.arms
  expect(decoded(gateway?.metrics.latency ?? record.sendLag).count).toBe(400)
})

describe('a block', () => {
  const sends = (recorder: ArmRecorder, block: number): void => recorder.released(block, 10, 0)
  const ends = (recorder: ArmRecorder, block: number): void => {
    recorder.outcomes.OK = (recorder.outcomes.OK ?? 0) + 1
    const live = recorder.blocks.known(block)
    if (live) live.outcomes.OK = (live.outcomes.OK ?? 0) + 1
  }

  it('is told once, in order, when it has ended and a later one or the end of its phase has begun', () => {
    const recorder = new ArmRecorder('a')
    const finished = new FinishedBlocks([recorder], [])
    const take = (): number[] => finished.take().map(({ index }) => index)
    sends(recorder, 0)
    ends(recorder, 0)
    expect(take()).toEqual([])
    sends(recorder, 0)
    sends(recorder, 1)
    sends(recorder, 2)
    ends(recorder, 1)
    expect(take()).toEqual([])
    ends(recorder, 0)
    expect(take()).toEqual([0, 1])
    ends(recorder, 2)
    expect(take()).toEqual([])
    finished.phaseOver()
    expect(take()).toEqual([2])
    expect(take()).toEqual([])
  })
})
