// Conversations of a file: requests of all turns, made before the run, and what comes into them during it.
import { describe, expect, it } from 'vitest'
import {
  type ConversationSpec,
  NOTHING_SAID,
  shapeOfSession,
  thinkBefore,
  turnRequest,
  withAnswer,
} from '../../../src/workload/conversations/conversation.ts'
import { conversationsOf, readConversations } from '../../../src/workload/conversations/from-dataset.ts'
import type { DatasetRow, DatasetTurn } from '../../../src/workload/datasets/dataset.ts'
import { requestMaker } from '../../../src/workload/request-maker.ts'
import type { WorkloadSpec } from '../../../src/workload/workload.ts'
import { messageOf } from '../../support/refusal.ts'

const shape = { endpoint: 'chat', model: 'm', stream: false } as const
const shapeOf = ({ members }: DatasetTurn) => ({ ...shape, model: String(members?.model ?? 'm') })
const ROWS: DatasetRow[] = [
  {
    place: 'f:1',
    turns: [
      {
        add: {
          messages: [
            { role: 'system', content: 'be kind' },
            { role: 'user', content: 'look it up' },
          ],
        },
        answer: { role: 'assistant', content: 'not sent' },
        toolResults: [{ role: 'tool', tool_call_id: 'of the file', content: 'found' }],
        members: { tools: [{ type: 'function' }], temperature: 0 },
        outputTokens: 7,
      },
      { add: { messages: [] } },
      {
        add: {
          messages: [
            { role: 'system', content: 'be brief' },
            { role: 'user', content: 'and then?' },
          ],
        },
        delayMs: 1_500,
      },
    ],
  },
  { place: 'f:2', turns: [{ add: { prompt: 'hi "you"' }, members: { model: 'other' } }] },
]

function conversations(rows = ROWS, sample?: { count: number; seed: number }) {
  const { source, sessions } = conversationsOf(rows, shapeOf, sample)
  const spec: ConversationSpec = {
    turns: { kind: 'given', sessions },
    think: { kind: 'fixed', us: 9 },
    toolResult: 'ok',
  }
  const workload: WorkloadSpec = { name: 'f', ...shape, seed: 1, parts: [{ weight: 1, stream: false, source }] }
  return { spec, make: requestMaker({ ...workload, conversations: spec }) }
}

const answerOf = (message: object) => JSON.stringify({ choices: [{ index: 0, message }] })
const called = (id: string) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } })

describe('a row', () => {
  it('is a session: its turns in order, its pauses where it has some, and the next row after it', () => {
    const { spec } = conversations()
    const shapes = [0, 1, 2].map((number) => shapeOfSession(spec, 1, number))
    expect(shapes).toEqual([
      { turns: 3, firstPlace: 0 },
      { turns: 1, firstPlace: 3 },
      { turns: 3, firstPlace: 0 },
    ])
    const [first = { turns: 0, firstPlace: 0 }] = shapes
    expect([1, 2].map((turn) => thinkBefore(spec, first, { seed: 1, number: 0, turn }))).toEqual([9, 1_500_000])
  })

  it("plays with the model's own answers and calls, the file's results, and what each turn adds", () => {
    const { spec, make } = conversations()
    const bodyOf = (place: number) => make('testtags', 40 + place, place).body
    const sent = (body: string) => JSON.parse(body) as { messages: { role: string; content: string }[]; model: string }
    const first = turnRequest(NOTHING_SAID, bodyOf(0), true)
    expect(sent(first.body)).toMatchObject({ model: 'm', temperature: 0, tools: [{ type: 'function' }], max_tokens: 7 })
    expect(sent(first.body).messages.map(({ role }) => role)).toEqual(['system', 'user'])
    const body = answerOf({ content: null, tool_calls: [called('one'), called('two')] })
    const second = turnRequest(withAnswer(spec, first.history, { body, streamed: false, place: 0 }), bodyOf(1), true)
    const said = sent(second.body).messages
    expect(said.slice(2)).toEqual([
      { role: 'assistant', content: null, tool_calls: [called('one'), called('two')] },
      { role: 'tool', tool_call_id: 'one', content: 'found' },
      { role: 'tool', tool_call_id: 'two', content: expect.stringMatching(/^ok kt[a-z]{16}$/) },
    ])
    const text = answerOf({ content: 'it is so' })
    const third = turnRequest(
      withAnswer(spec, second.history, { body: text, streamed: false, place: 1 }),
      bodyOf(2),
      true,
    )
    expect(sent(third.body).messages.slice(0, 5)).toEqual(said)
    expect(sent(third.body).messages.slice(5)).toEqual([
      { role: 'assistant', content: 'it is so' },
      { role: 'system', content: 'be brief' },
      { role: 'user', content: expect.stringMatching(/^and then\? kt[a-z]{16}$/) },
    ])
    expect(sent(bodyOf(3))).toMatchObject({
      model: 'other',
      messages: [{ content: expect.stringMatching(/^hi "you" kt/) }],
    })
  })

  it('whose model calls no tool has its results left out', () => {
    const { spec, make } = conversations()
    const first = turnRequest(NOTHING_SAID, make('testtags', 0, 0).body, true)
    const answered = withAnswer(spec, first.history, { body: answerOf({ content: 'no' }), streamed: false, place: 0 })
    const { messages } = JSON.parse(turnRequest(answered, make('testtags', 1, 1).body, true).body) as {
      messages: { role: string; content: string }[]
    }
    expect(messages.slice(-2)).toEqual([
      { role: 'assistant', content: 'no' },
      { role: 'user', content: expect.stringMatching(/^kt[a-z]{16}$/) },
    ])
  })
})

it('rows are drawn by the seed, and their turns stay together', () => {
  const rows = Array.from({ length: 30 }, (_, i): DatasetRow => ({ ...(ROWS[i % 2] as DatasetRow), place: `f:${i}` }))
  const shapesOf = (seed: number) => {
    const { spec } = conversations(rows, { count: 6, seed })
    return Array.from({ length: 12 }, (_, number) => shapeOfSession(spec, 1, number))
  }
  const drawn = shapesOf(1)
  expect(drawn.slice(6)).toEqual(drawn.slice(0, 6))
  expect(new Set(drawn.map(({ firstPlace }) => firstPlace)).size).toBe(6)
  for (const { turns, firstPlace = 0 } of drawn) expect(turns).toBe(firstPlace % 4 === 0 ? 3 : 1)
  expect(shapesOf(1)).toEqual(drawn)
  expect(shapesOf(2)).not.toEqual(drawn)
})

it('what is no conversation is refused, with its place', () => {
  const long: DatasetRow = {
    place: 'f:9',
    turns: [ROWS[1]?.turns[0] as never, ...Array(4_096).fill(ROWS[1]?.turns[0])],
  }
  expect(messageOf(() => conversationsOf([long], shapeOf))).toContain('f:9: a conversation of 4,097 turns')
  const mute: DatasetRow = { place: 'f:3', turns: [{ add: { messages: [{ role: 'user' }] } }] }
  expect(messageOf(() => conversationsOf([mute], shapeOf))).toContain('f:3: the last message has no content')
  const other: DatasetRow = { ...(ROWS[1] as DatasetRow), path: '/v1/completions' }
  expect(messageOf(() => conversationsOf([other], shapeOf))).toContain('f:2: the row goes to /v1/completions')
})

it('an AIPerf file of several turns is read as conversations, with its pauses and lengths', () => {
  const file = 'fixtures/datasets/aiperf-multi-turn.jsonl'
  const { sessions, source, models } = readConversations(file, shape, false, { seed: 1 })
  expect(sessions.firsts).toEqual([0, 2, 3])
  expect(sessions.delaysUs).toEqual([undefined, 500_000, undefined])
  expect([...(source.outputs ?? [])]).toEqual([0, 30, 0])
  expect(models).toEqual(['m'])
})
