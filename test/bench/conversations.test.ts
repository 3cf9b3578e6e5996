// Conversations from the options to the report and its words.
import { describe, expect, it } from 'vitest'
import { toConversations } from '../../src/bench/build-conversations.ts'
import { buildPlan } from '../../src/bench/build-plan.ts'
import { expectedRun } from '../../src/bench/expected.ts'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { createNeverSentResult } from '../../src/client/request-result.ts'
import { resolveTarget } from '../../src/client/target.ts'
import { addAll } from '../../src/load/add-up.ts'
import { ConversationRecorder, conversationsSum } from '../../src/load/conversation-recorder.ts'
import { conversationSection, sessionsSentence } from '../../src/output/conversation-table.ts'
import { makePage } from '../../src/output/table.ts'
import type { Run } from '../../src/report/schema.ts'
import { workloadSha256 } from '../../src/workload/workload.ts'

const url = 'http://127.0.0.1:1'

function planOf(values: Record<string, unknown>) {
  const { target, request, load } = parseBenchOptions({ values: { url, 'baseline-url': url, ...values } })
  const at = resolveTarget(url, request)
  return buildPlan(target, request, load, [
    ['gateway', at],
    ['direct', at],
  ])
}

describe('the plan', () => {
  it('of a closed loop: sessions instead of requests, both arms at the same time, the pause that of the turns', () => {
    const plan = planOf({ turns: '4', sessions: '50', 'think-time': '2s', concurrency: '7' })
    expect(plan).toMatchObject({ requests: 50, pairing: 'request', compareAnswers: false, excludeIdleFirst: false })
    expect(plan.load).toMatchObject({ mode: 'closed', concurrency: 7, thinkUs: undefined })
    expect(plan.workload.conversations).toMatchObject({ think: { kind: 'fixed', us: 2_000_000 }, toolResult: 'ok' })
    expect(expectedRun(plan).requests).toBe(200 + plan.warmup)
  })

  it('of an open loop: new sessions a second, and a cap', () => {
    const plan = planOf({ turns: '4', 'session-rate': '5', 'max-sessions': '9', duration: '10s', arrival: 'poisson' })
    expect(plan.load).toMatchObject({ mode: 'open', rps: 5, arrival: { kind: 'poisson' } })
    expect(plan).toMatchObject({ maxSessions: 9, requests: undefined, durationUs: 10_000_000 })
  })

  it('without a number has about as many requests as any other run', () => {
    expect(planOf({ turns: '4' }).requests).toBe(25)
  })

  it('tells other conversations apart, and counts the history in what is expected', () => {
    const [one, three] = [planOf({ prompt: 'a' }), planOf({ prompt: 'a', turns: '3' })]
    expect(workloadSha256(three.workload)).not.toBe(workloadSha256(one.workload))
    expect(workloadSha256(three.workload)).not.toBe(workloadSha256(planOf({ prompt: 'a', turns: '4' }).workload))
    const { input, output } = expectedRun(one).tokens
    expect(expectedRun(three).tokens).toEqual({ input: input + input + output, output })
  })
})

it('sessions and turns of several threads add up, and the sentence says where they failed', () => {
  const recorders = [new ConversationRecorder(), new ConversationRecorder()]
  const [first, second] = recorders
  if (!first || !second) throw new Error('no recorder')
  const result = (endUs: number) => ({ ...createNeverSentResult(endUs), outcome: 'OK' as const })
  first.started = 2
  first.turnEnded(0, result(5_000), 1_000, '')
  first.turnEnded(1, result(9_000), 1_000, '')
  first.finished(30_000)
  second.started = 2
  second.turnEnded(0, result(6_000), 1_000, '')
  second.turnEnded(1, createNeverSentResult(9_000), 1_000, '')
  second.failedAt(1)
  const merged = toConversations(
    addAll(
      conversationsSum,
      recorders.map((recorder) => recorder.toRecord()),
    ),
  )
  expect(merged.sessions).toMatchObject({ started: 4, finished: 1, failed: 1, unfinished: 2 })
  expect(merged.sessions.durationMs?.count).toBe(1)
  expect(merged.turns.map(({ turn, sent, successful, failed }) => [turn, sent, successful, failed])).toEqual([
    [1, 2, 2, 0],
    [2, 2, 1, 1],
  ])
  expect(merged.turns.map(({ latencyMs }) => latencyMs?.count)).toEqual([2, 1])
  const sentence = sessionsSentence(merged, { source: 'generated', meanTurns: 2, sessions: 4 })
  expect(sentence).toMatch(/^4 sessions of 2 turns: 1 finished, in .* at P50/)
  expect(sentence).toContain('1 failed (1 at turn 2); 2 were unfinished at the end of the run.')
})

it('the table has a column for what some turn has, also where the first turn has nothing', () => {
  const duration = { p50: 5, p99: 9 }
  const turn = (number: number, more = {}) => ({ turn: number, sent: 3, successful: 3, failed: 0, ...more })
  const turns = [turn(1), ...Array.from({ length: 11 }, (_, i) => turn(i + 2, { latencyMs: duration }))]
  const sessions = { started: 3, finished: 3, failed: 0, unfinished: 0 }
  const shown = (explain: boolean) =>
    conversationSection(
      { conversations: { sessions, turns }, load: {} } as unknown as Run,
      makePage(80, false, explain),
    )
  const lines = shown(false).split('\n')
  expect(lines[0]).toMatch(/^By turn \(ms\): +Requests +Latency P50 +P99$/)
  expect(lines[1]).toMatch(/^ +1: +3 +- +-$/)
  expect(lines[2]).toMatch(/^ +2: +3 +5\.00 +9\.00$/)
  expect(lines.slice(8, 10)).toEqual([expect.stringMatching(/^ +12: /), '  4 more turns: --explain shows them.'])
  expect(shown(true).split('\n')).toHaveLength(14)
})
