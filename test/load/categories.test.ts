// A mixed workload on real sockets: each part is sent with its own headers, and its results are kept by category.
import type { IncomingHttpHeaders } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { addAll } from '../../src/load/add-up.ts'
import type { ArmRecord } from '../../src/load/arm-record.ts'
import type { RunRecord } from '../../src/load/merge.ts'
import { recordSum } from '../../src/load/merge.ts'
import type { Category } from '../../src/slo/category.ts'
import { promptTemplate } from '../../src/wire/template.ts'
import { givenRequests } from '../../src/workload/given.ts'
import type { WorkloadSpec } from '../../src/workload/workload.ts'
import { decoded, httpServer, OK_BODY, planFor, run, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(() => server?.close())

const category = (name: string, timeoutMs: number, match: Category['match'], p99Ms?: number): Category => ({
  name,
  latency: p99Ms === undefined ? {} : { p99Ms },
  ttft: {},
  timeoutMs,
  objective: 0.99,
  match,
})
const shape = { endpoint: 'chat', model: 'm', stream: false } as const
const workload: WorkloadSpec = {
  name: 'two',
  ...shape,
  seed: 1,
  categories: [category('slow', 5_000, { header: { 'x-kind': 'slow' } }, 20), category('rest', 5_000, {})],
  parts: [
    {
      weight: 1,
      stream: false,
      source: givenRequests([promptTemplate(shape, 'a')]),
      headers: { 'x-kind': 'slow' },
    },
    { weight: 1, stream: false, source: givenRequests([promptTemplate(shape, 'b')]) },
  ],
}

/** Requests of the first part are answered after `waitMs`, others at once. */
async function serve(waitMs: number): Promise<{ origin: string; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = []
  server = await httpServer((request, response) => {
    seen.push(request.headers)
    const slow = request.headers['x-kind'] === 'slow'
    request.resume().on('end', () => setTimeout(() => response.end(OK_BODY), slow ? waitMs : 0))
  })
  return { origin: server.origin, seen }
}

const totals = (arm: ArmRecord) =>
  Object.fromEntries(
    arm.categories.map(({ name, blocks }) => [
      name,
      {
        sent: blocks.reduce((sum, { sent }) => sum + sent, 0),
        ok: blocks.reduce((sum, { outcomes }) => sum + (outcomes.OK ?? 0), 0),
        within: blocks.reduce((sum, { within }) => sum + within, 0),
        latencies: blocks.reduce((sum, { latency }) => sum + decoded(latency).count, 0),
      },
    ]),
  )

describe('a mixed run', () => {
  it('sends the headers of a part with its requests alone, and counts each in its category', async () => {
    const { origin, seen } = await serve(40)
    const { arm } = await run(
      planFor(origin, { workload, requests: 60, blocks: 3, load: { mode: 'closed', concurrency: 4 } }),
    )
    const slow = seen.filter((headers) => headers['x-kind'] === 'slow').length
    expect(seen.every((headers) => headers['content-type'] === 'application/json')).toBe(true)
    const counted = totals(arm)
    expect(counted.slow).toEqual({ sent: slow, ok: slow, within: 0, latencies: slow })
    expect(counted.rest).toMatchObject({ sent: 60 - slow, ok: 60 - slow, within: 60 - slow })
    expect(slow).toBeGreaterThan(10)
    expect(slow).toBeLessThan(50)
    for (const { blocks } of arm.categories) expect(blocks.map(({ index }) => index)).toEqual([0, 1, 2])
  })

  it('aborts each request at the timeout of its own category', async () => {
    const { origin } = await serve(2_000)
    const { arm } = await run(planFor(origin, { workload, requests: 20, categoryTimeoutsUs: [60_000, 5_000_000] }))
    const counted = totals(arm)
    expect(counted.slow?.sent).toBeGreaterThan(2)
    expect(counted.slow).toMatchObject({ ok: 0, within: 0, latencies: counted.slow?.sent })
    expect(counted.rest).toMatchObject({ ok: counted.rest?.sent })
    expect(arm.outcomes.KT_TIMEOUT_TOTAL).toBe(counted.slow?.sent)
  })

  it('counts requests that were due and never sent in the category they would have had', async () => {
    const { origin } = await serve(500)
    const load = { mode: 'open', rps: 200, maxInFlight: 1 } as const
    const { arm } = await run(
      planFor(origin, { workload, requests: undefined, durationUs: 200_000, load, drainUs: 0, blocks: 2 }),
    )
    const sent = Object.values(totals(arm)).reduce((sum, part) => sum + part.sent, 0)
    expect(sent).toBe(Object.values(arm.outcomes).reduce((sum, count) => sum + count, 0))
    expect(arm.outcomes.KT_ABORTED_AT_DEADLINE).toBeGreaterThan(5)
  })

  it('adds up the records of sending threads', async () => {
    const { origin } = await serve(5)
    const { arm } = await run(planFor(origin, { workload, requests: 40, blocks: 2 }))
    const record = {
      arms: [arm],
      opened: [1],
      series: [],
      requestTimes: [],
      workers: [],
      sendLag: arm.metrics.latency,
    } as unknown as RunRecord
    const self = { eventLoopDelayMs: { p99: 0, max: 0 }, eventLoopUtilization: 0, gcMs: 0 }
    const runtime = { v8Flags: [], youngGenerationMb: 16, helperThreadsNice: null, fifoPriority: null }
    const parts = [record, record].map((each) => ({
      ...each,
      self,
      runtime,
      achievedToOffered: null,
      stopReason: null,
      measuredUs: 1,
    }))
    const [both] = addAll(recordSum, parts as unknown as RunRecord[]).arms
    if (!both) throw new Error('no arm')
    const [one, two] = [totals(arm), totals(both)]
    for (const name of ['slow', 'rest']) {
      expect(two[name]?.sent).toBe(2 * (one[name]?.sent ?? 0))
      expect(two[name]?.latencies).toBe(2 * (one[name]?.latencies ?? 0))
    }
  })
})
