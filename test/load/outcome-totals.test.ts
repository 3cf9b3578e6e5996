// Every request that was sent has exactly one outcome class; each report checks its totals against each other.
import { afterEach, expect, it } from 'vitest'
import { buildReport } from '../../src/bench/build-report.ts'
import type { RunRecord } from '../../src/load/merge.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { startRun } from '../../src/load/run.ts'
import { findContradiction } from '../../src/report/contradictions.ts'
import { fingerprint } from '../../src/system/machine.ts'
import { readBudgets } from '../../src/verdict/components.ts'
import { httpServer, OK_BODY, planFor, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const reportOf = (plan: RunPlan, record: RunRecord) =>
  buildReport(plan, record, {
    ...{
      version: '0',
      gitSha: null,
      commit: undefined,
      labels: {},
      startedAt: '',
      command: '',
      runId: '',
      options: {},
      role: undefined,
    },
    machine: fingerprint(),
    urls: [plan.arms[0]?.origin ?? ''],
    budgets: readBudgets(),
  })

/** A server that answers, refuses, fails, resets, cuts off and stays silent, in turns. */
async function chaotic(): Promise<RunPlan> {
  let calls = 0
  server = await httpServer((request, response) => {
    const nth = calls++ % 6
    request.resume()
    request.on('end', () => {
      if (nth === 0) response.end(OK_BODY)
      else if (nth === 1) response.writeHead(429).end()
      else if (nth === 2) response.writeHead(500).end()
      else if (nth === 3) request.socket.resetAndDestroy()
      else if (nth === 4) response.writeHead(200, { 'content-length': 500 }).write('{', () => response.destroy())
    })
  })
  return planFor(server.origin, {
    ...{ requests: 72, blocks: 6, workers: 2, timeoutUs: 600_000 },
    load: { mode: 'closed', concurrency: 6 },
  })
}

it('sent is the sum of the classes, over the run and in each block', async () => {
  const plan = await chaotic()
  const report = reportOf(plan, await (await startRun(plan, { progress: () => {} })).result)
  const [{ totals, blocks }] = report.arms
  const sum = (counts: object) => Object.values(counts).reduce((total: number, count: number) => total + count, 0)
  expect(totals.sent).toBe(72)
  expect(sum(totals.outcomes)).toBe(72)
  expect(Object.keys(totals.outcomes).sort()).toEqual(
    ['KT_HTTP_429', 'KT_HTTP_5XX', 'KT_RESET', 'KT_TIMEOUT_TOTAL', 'KT_TRUNCATED', 'OK'].sort(),
  )
  for (const block of blocks) expect(sum(block.outcomes)).toBe(block.sent)
  expect(findContradiction(report)).toBeUndefined()
})

it('a record with a request in no class, or in two, gives no report', async () => {
  const plan = await chaotic()
  const record = await (await startRun({ ...plan, requests: 12, blocks: 1 }, { progress: () => {} })).result
  const [arm] = record.arms
  const [block] = arm?.blocks ?? []
  if (!arm || !block) throw new Error('nothing was recorded')
  const wrong = (arms: RunRecord['arms']) => () => reportOf(plan, { ...record, arms })
  const more = { ...arm.outcomes, OK: (arm.outcomes.OK ?? 0) + 1 }
  expect(wrong([{ ...arm, outcomes: more }])).toThrow('target: 12 sent, but 13 ended')
  expect(wrong([{ ...arm, blocks: [{ ...block, sent: 13 }] }])).toThrow('block 0 of target: 13 sent, but 12 ended')
})
