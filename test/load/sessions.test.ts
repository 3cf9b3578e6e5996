// Conversations on real sockets: histories with the model's own answers, pauses, caps, failures, both loops.
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { Engine } from '../../src/load/engine.ts'
import { ALONE, type WorkerShare } from '../../src/load/pacing.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { now } from '../../src/system/clock.ts'
import { findNonce } from '../../src/wire/nonce.ts'
import { generatedTemplate } from '../../src/wire/template.ts'
import type { ConversationSpec } from '../../src/workload/conversations/conversation.ts'
import { decoded, httpServer, planFor, type TestServer } from '../support/engine.ts'

interface Message {
  role: string
  content: string | null
  tool_calls?: { id: string }[]
  tool_call_id?: string
}

interface Asked {
  arm: string
  messages: Message[]
  headers: IncomingHttpHeaders
  atUs: number
  answeredUs: number
}

const servers: TestServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

type Answer = (response: ServerResponse, asked: Asked, number: number) => void

const usage = { prompt_tokens: 5, completion_tokens: 3 }
const whole: Answer = (response, _, number) => {
  const message = { role: 'assistant', content: `answer ${number} "quoted"\n` }
  response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage }))
}
const chunk = (delta: object, rest: object = {}): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }], ...rest })}\n\n`
const streamed: Answer = (response, _, number) => {
  response.setHeader('content-type', 'text/event-stream')
  for (const content of ['answer ', String(number), ' "quoted"\n']) response.write(chunk({ content }))
  response.end(`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`)
}

async function target(asked: Asked[], arm: string, answer: Answer, delayMs: number): Promise<string> {
  const server = await httpServer((request, response) => {
    let body = ''
    request.on('data', (data) => {
      body += data
    })
    request.on('end', () => {
      const { messages } = JSON.parse(body) as { messages: Message[] }
      const one = { arm, messages, headers: request.headers, atUs: now(), answeredUs: Number.NaN }
      const number = asked.push(one)
      setTimeout(() => {
        one.answeredUs = now()
        answer(response, one, number)
      }, delayMs)
    })
  })
  servers.push(server)
  return server.origin
}

const SPEC: ConversationSpec = { turns: { kind: 'drawn', count: { kind: 'constant', value: 3 } }, toolResult: 'done' }

interface Options {
  spec?: Partial<ConversationSpec>
  plan?: Partial<RunPlan>
  answer?: Answer
  delayMs?: number
  stream?: boolean
  arms?: string[]
  workers?: number
}

async function converse({ spec, plan: changes, answer = whole, delayMs = 1, stream = false, ...rest }: Options) {
  const asked: Asked[] = []
  const plan = planFor('http://unused', { load: { mode: 'closed', concurrency: 2 }, requests: 4, ...changes }, stream)
  const shape = { endpoint: 'chat', model: 'm', stream } as const
  const inputTokens = { kind: 'constant', value: 8 } as const
  const source = { kind: 'generated', around: generatedTemplate(shape, true), inputTokens } as const
  plan.workload.parts = [{ weight: 1, stream, source: { ...source, prefixTokens: 4, prefixes: 1 }, maxTokens: 5 }]
  plan.workload.conversations = { ...SPEC, ...spec }
  const [template] = plan.arms
  if (!template) throw new Error('no arm')
  const { arms = ['target'], workers = 1 } = rest
  plan.arms = await Promise.all(
    arms.map(async (name) => ({
      ...template,
      name,
      tag: `${name}xxxxxxxx`.slice(0, 8),
      origin: await target(asked, name, answer, delayMs),
    })),
  )
  const shares: WorkerShare[] =
    workers === 1 ? [ALONE] : Array.from({ length: workers }, (_, index) => ({ index, count: workers }))
  const engines = shares.map((share) => new Engine(plan, now, share))
  await Promise.all(engines.map((engine) => engine.run()))
  const records = engines.map((engine) => engine.recorders.map((recorder) => recorder.toRecord()))
  const sessions = new Map<string, Asked[]>()
  for (const one of asked) {
    const first = `${one.arm} ${one.messages.find(({ role }) => role === 'user')?.content}`
    sessions.set(first, [...(sessions.get(first) ?? []), one])
  }
  return { asked, records, arm: records[0]?.[0], sessions: [...sessions.values()] }
}

describe.each([
  ['whole', whole, false],
  ['streamed', streamed, true],
] as const)('answers that come %s', (_, answer, stream) => {
  it("stand in the history of their session, and each of the user's turns is its own", async () => {
    const { sessions, arm, asked } = await converse({ answer, stream })
    expect(sessions).toHaveLength(4)
    expect(arm?.outcomes).toEqual({ OK: 12 })
    for (const turns of sessions) {
      expect(turns.map(({ messages }) => messages.map(({ role }) => role).join(' '))).toEqual([
        'system user',
        'system user assistant user',
        'system user assistant user assistant user',
      ])
      for (const [i, turn] of turns.slice(1).entries()) {
        const before = turns[i]
        // All that was said before stands as it was said.
        expect(turn.messages.slice(0, -2)).toEqual(before?.messages)
        const number = asked.indexOf(before as Asked) + 1
        expect(turn.messages.at(-2)).toEqual({ role: 'assistant', content: `answer ${number} "quoted"\n` })
      }
    }
    // Each request has a nonce of its own, at its end.
    expect(new Set(asked.map(({ messages }) => findNonce(messages.at(-1)?.content ?? ''))).size).toBe(12)
  })
})

it('tools that the model calls return a result, with the id of their call', async () => {
  const call = (id: string, place: number) => ({ index: place, id, function: { name: 'look', arguments: '{"a":' } })
  const rest = (place: number) => ({ index: place, function: { arguments: '1}' } })
  const calling: Answer = (response, asked, number) => {
    if (asked.messages.some(({ role }) => role === 'tool')) return streamed(response, asked, number)
    response.setHeader('content-type', 'text/event-stream')
    response.write(chunk({ tool_calls: [call('call_1', 0)] }) + chunk({ tool_calls: [rest(0)] }))
    response.write(chunk({ tool_calls: [call('call_2', 1), rest(1)] }))
    response.end(`data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n`)
  }
  const { sessions } = await converse({ answer: calling, stream: true, plan: { requests: 1 } })
  const second = sessions[0]?.[1]?.messages ?? []
  const called = (id: string) => ({ id, type: 'function', function: { name: 'look', arguments: '{"a":1}' } })
  expect(second.slice(2, 5)).toEqual([
    { role: 'assistant', content: null, tool_calls: [called('call_1'), called('call_2')] },
    { role: 'tool', tool_call_id: 'call_1', content: 'done' },
    { role: 'tool', tool_call_id: 'call_2', content: 'done' },
  ])
  expect(second).toHaveLength(6)
})

it('a turn is sent a pause after the answer before it, and its latency counts from then', async () => {
  const { sessions, arm } = await converse({ spec: { think: { kind: 'fixed', us: 60_000 } }, delayMs: 5 })
  for (const turns of sessions) {
    for (const [i, turn] of turns.slice(1).entries()) {
      const pauseUs = turn.atUs - (turns[i]?.answeredUs ?? 0)
      expect(pauseUs).toBeGreaterThanOrEqual(60_000)
    }
  }
  // The pause is in no latency, and in the duration of a session twice.
  expect(decoded(arm?.metrics.latency as never).minUs).toBeLessThan(60_000)
  const { durations, turns } = arm?.conversations ?? {}
  expect(decoded(durations as never).minUs).toBeGreaterThan(120_000)
  expect(turns?.map(({ sent, successful, failed }) => [sent, successful, failed])).toEqual([
    [4, 4, 0],
    [4, 4, 0],
    [4, 4, 0],
  ])
})

it('a closed loop has as many sessions under way as it has slots, pauses included', async () => {
  const { asked, arm } = await converse({ spec: { think: { kind: 'fixed', us: 20_000 } }, plan: { requests: 8 } })
  const open = new Map<string, number>()
  let most = 0
  for (const { messages } of asked) {
    const session = String(messages[1]?.content)
    open.set(session, (open.get(session) ?? 0) + 1)
    most = Math.max(most, [...open.values()].filter((turns) => turns < 3).length)
  }
  expect(most).toBe(2)
  expect(arm?.conversations).toMatchObject({ started: 8, finished: 8, failed: 0 })
})

it('new sessions at a rate, with a cap on those under way: the wait for the cap counts', async () => {
  const load = { mode: 'open', rps: 200, maxInFlight: 100 } as const
  const free = await converse({ plan: { load, requests: 20 }, delayMs: 10 })
  expect(free.arm?.conversations).toMatchObject({ started: 20, finished: 20 })
  expect(free.arm?.mostInFlight).toBeGreaterThan(3)
  const capped = await converse({ plan: { load, requests: 20, maxSessions: 2 }, delayMs: 10 })
  expect(capped.arm?.conversations).toMatchObject({ started: 20, finished: 20 })
  expect(capped.arm?.mostInFlight).toBeLessThanOrEqual(2)
  const first = (arm: typeof free.arm) => decoded(arm?.conversations?.turns[0]?.latency as never).maxUs
  expect(first(capped.arm)).toBeGreaterThan(first(free.arm))
})

it('a session ends with the turn that fails, and another one takes its place', async () => {
  const failing: Answer = (response, asked, number) => {
    if (asked.messages.length >= 4) response.writeHead(500).end('broken')
    else whole(response, asked, number)
  }
  const { arm, asked } = await converse({ answer: failing, plan: { requests: 6 } })
  expect(asked).toHaveLength(12)
  expect(arm?.outcomes).toEqual({ OK: 6, KT_HTTP_5XX: 6 })
  expect(arm?.conversations).toMatchObject({ started: 6, finished: 0, failed: 6 })
  expect(arm?.conversations?.turns.map(({ failed }) => failed)).toEqual([0, 6])
})

it('the end of the time leaves sessions unfinished, and their turns unsent', async () => {
  const { arm, asked } = await converse({
    spec: { think: { kind: 'fixed', us: 80_000 } },
    plan: { requests: undefined, durationUs: 120_000, load: { mode: 'closed', concurrency: 3 } },
  })
  expect(arm?.conversations).toMatchObject({ started: 3, finished: 0, failed: 0 })
  expect(asked).toHaveLength(6)
})

it('both arms have the same sessions, in pairs', async () => {
  const { sessions, records } = await converse({
    arms: ['gateway', 'direct'],
    plan: { pairing: 'request', requests: 6, load: { mode: 'closed', concurrency: 4 } },
    spec: { turns: { kind: 'drawn', count: { kind: 'uniform', min: 1, max: 4 } } },
  })
  expect(sessions).toHaveLength(12)
  const said = (arm: string) =>
    sessions
      .filter(([first]) => first?.arm === arm)
      .map((turns) => (turns.at(-1)?.messages ?? []).filter(({ role }) => role === 'user'))
      .map((users) => users.map(({ content }) => content?.replace(/kt[a-z]{8}(?=[a-z]{8}$)/, '')).join('|'))
      .sort()
  expect(said('gateway')).toEqual(said('direct'))
  expect(new Set(said('gateway')).size).toBe(6)
  for (const arm of records[0] ?? []) expect(arm.conversations).toMatchObject({ started: 6, finished: 6 })
})

it('sending threads share the sessions, and each has a header with its own name', async () => {
  const { asked, sessions, records } = await converse({
    workers: 2,
    spec: { header: 'x-session-id' },
    plan: { requests: 7, load: { mode: 'closed', concurrency: 4 } },
  })
  expect(asked).toHaveLength(21)
  expect(sessions).toHaveLength(7)
  const ids = sessions.map((turns) => new Set(turns.map(({ headers }) => headers['x-session-id'])))
  for (const id of ids) expect(id.size).toBe(1)
  expect(new Set(ids.flatMap((id) => [...id])).size).toBe(7)
  expect(records.map(([arm]) => arm?.conversations?.started)).toEqual([4, 3])
})
