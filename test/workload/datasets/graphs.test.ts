// Conversations that form a graph: what comes of a file, and what is wrong with one.
import { writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { Dataset } from '../../../src/workload/datasets/read.ts'
import { messageOf } from '../../support/refusal.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { fixture, sendAll } from './sent.ts'

const dir = tempDir()
afterAll(dir.remove)

/** Of each session its turns: what is asked, and after which turns, with what of them. */
function sessionsOf(path: string): string[][] {
  return [...new Dataset(path).rows()].map(({ turns }) =>
    turns.map(({ add, parents = [] }) => {
      const asked = add.messages?.at(-1)?.content
      return `${asked} < ${parents.map(({ turn, history }) => `${turn} ${history}`).join(', ')}`
    }),
  )
}

function fileOf(...rows: object[]): string {
  writeFileSync(dir.file('g.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
  return dir.file('g.jsonl')
}
const refusal = (...rows: object[]) =>
  messageOf(() => sendAll(fileOf(...rows), { playsRows: true })).replaceAll(dir.file('g.jsonl'), 'g.jsonl')

const asks = (content: string, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more })
const conversation = (id: string, ...turns: object[]) => ({ session_id: id, turns })

describe("AIPerf's dag_jsonl", () => {
  it('is a session for each conversation that no other begins', () => {
    expect(sessionsOf(fixture('aiperf-dag.jsonl'))).toEqual([
      [
        'Plan a move to another city. < ',
        'What does a van cost for a day? < 0 new',
        'And for a weekend? < 1 full',
        'Which weekends of May are free? < 0 new',
        'Use the costs that were found. < 0 full, 2 new',
        'Now set the dates. < 4 full, 3 new',
        'Say the plan in one sentence. < 5 full',
        'Say the plan in full. < 5 full',
      ],
      [
        'Read the report. < ',
        'Check the figures. < ',
        'Read the report. < 0 new, 1 new',
        'Check the figures. < 0 new, 1 new',
      ],
    ])
    const [plan, rounds] = [...new Dataset(fixture('aiperf-dag.jsonl')).rows()]
    expect(plan?.turns[4]).toMatchObject({ outputTokens: 16, delayMs: 20 })
    expect(plan?.turns[5]).toMatchObject({ members: { temperature: 0.2 } })
    expect(rounds?.turns[2]?.parents?.map(({ delayMs }) => delayMs)).toEqual([10, 10])
  })

  it('takes spawns as templates, forks in the background, early spawns, and turns that are whole', () => {
    const file = fileOf(
      { ...conversation('root', asks('r0', { forks: [{ child: 'f', background: true }], spawns: ['s'] }), asks('r1')) },
      { ...conversation('f', asks('f0')), context_mode: 'message_array_with_responses' },
      conversation('s', asks('s0', { spawns: ['t'] })),
      { ...conversation('t', asks('t0'), asks('t1')), context_mode: 'message_array_with_responses' },
      { ...conversation('other', asks('o0')), pre_session_spawns: ['s'] },
    )
    expect(sessionsOf(file)).toEqual([
      ['r0 < ', 's0 < 0 new', 't0 < 1 new', 't1 < 2 new', 'f0 < 0 new', 'r1 < 0 full, 1 new'],
      ['s0 < ', 't0 < 0 new', 't1 < 1 new', 'o0 < '],
    ])
  })

  it.each<[string, RegExp, object[]]>([
    [
      'a name twice',
      /^g\.jsonl:2: session_id: 'a' is that of g\.jsonl:1 already/,
      ['a', 'a'].map((id) => conversation(id, asks('x'))),
    ],
    [
      'a name that nobody has',
      /^g\.jsonl:1: turns\.0\.forks: no conversation 'chidl' \(did you mean 'child'\?\)/,
      [conversation('a', asks('x', { forks: ['chidl'] })), conversation('child', asks('y'))],
    ],
    [
      'a cycle',
      /^g\.jsonl:2: a cycle: b -> c -> b/,
      [
        conversation('a', asks('x', { spawns: ['b'] })),
        conversation('b', asks('x', { spawns: ['c'] })),
        conversation('c', asks('x', { spawns: ['b'] })),
      ],
    ],
    [
      'a cycle that no session leads to',
      /^g\.jsonl:1: a cycle: a -> a/,
      [conversation('a', asks('x', { spawns: ['a'] }))],
    ],
    [
      'two parents of a fork',
      /^g\.jsonl:2: turns\.0\.forks: 'c' is a fork of 'a' already/,
      [...['a', 'b'].map((id) => conversation(id, asks('x', { forks: ['c'] }))), conversation('c', asks('y'))],
    ],
    [
      'a fork that does not end its conversation',
      /^g\.jsonl:1: turns\.0\.forks: a fork ends its conversation, and this is not its last turn/,
      [conversation('a', asks('x', { forks: ['b'] }), asks('z')), conversation('b', asks('y'))],
    ],
    [
      'a join before its time',
      /^g\.jsonl:1: turns\.1\.spawns: join_at 1 is no later turn/,
      [
        conversation('a', asks('x'), asks('x', { spawns: [{ children: ['b'], join_at: 1 }] }), asks('z')),
        conversation('b', asks('y')),
      ],
    ],
    ['a slip', /^g\.jsonl:1: turns\.0: .*max_token/, [conversation('a', asks('x', { max_token: 5 }))]],
    [
      'pauses that are drawn',
      /^g\.jsonl:1: think_time_sigma: kt does not draw the pauses/,
      [{ session_id: 'a', orchestrator: true, spawns: ['b'], think_time_sigma: 1 }, conversation('b', asks('y'))],
    ],
    [
      'too many turns',
      /^g\.jsonl:1: more than 4096 turns in a session/,
      [{ session_id: 'a', orchestrator: true, rounds: 4_000, spawns: ['b'] }, conversation('b', asks('x'), asks('y'))],
    ],
  ])('refuses %s', (_, said, rows) => {
    expect(refusal(...rows)).toMatch(said)
    expect(refusal(...rows)).toContain('\nA row is {"session_id": "plan"')
  })
})

describe("guidellm's conversation graphs", () => {
  const node = (id: string, parents: [string, string][] = [], more: object = {}) => ({
    node_id: id,
    parents: parents.map(([parent_node_id, history_context]) => ({ parent_node_id, history_context })),
    columns: { text_column: [id], ...more },
  })
  const graph = (...turns: object[]) => ({ conversation_turns: { turns } })

  it('are sessions, parents first; those that just go on are plain conversations', () => {
    const file = fixture('guidellm-graph.jsonl')
    expect(sessionsOf(file)).toEqual([
      [
        'Plan a move to another city. < ',
        'What does a van cost for a day? < 0 new',
        'Which weekends of May are free? < 0 new',
        'And for a weekend? < 1 full',
        'Put it all together. < 0 full, 3 last, 2 last',
        'Shorter, please. < 4 full',
      ],
      ['Say hello. < ', 'Again. < 0 full'],
    ])
    const [first] = [...new Dataset(file).rows()]
    expect(first?.turns[0]).toMatchObject({
      add: { messages: [{ role: 'system', content: 'You are a careful planner.' }, { role: 'user' }] },
      outputTokens: 16,
    })
    expect(first?.turns[1]?.parents).toEqual([{ turn: 0, history: 'new', delayMs: 20 }])
    const { conversations } = sendAll(file, { playsRows: true }).workload
    const graphs = conversations?.turns.kind === 'given' ? conversations.turns.sessions.graphs : []
    expect(graphs?.map((each) => each?.depths)).toEqual([[0, 1, 1, 2, 3, 4]])
  })

  it.each<[string, RegExp, object]>([
    ['a name twice', /^g\.jsonl:1: turns\.1\.node_id: 'a' is there already/, graph(node('a'), node('a'))],
    [
      'a parent that is not there',
      /^g\.jsonl:1: conversation_turns\.turns\.1: no turn 'mian' \(did you mean 'main'\?\) for a parent/,
      graph(node('main'), node('b', [['mian', 'full']])),
    ],
    [
      'a cycle',
      /^g\.jsonl:1: a cycle: (b -> c -> b|c -> b -> c)/,
      graph(
        node('a'),
        node('b', [
          ['a', 'full'],
          ['c', 'last'],
        ]),
        node('c', [['b', 'new']]),
      ),
    ],
    [
      'two whole histories',
      /^g\.jsonl:1: conversation_turns\.turns\.2: the whole history of one parent at most \(full\), not of 2/,
      graph(
        node('a'),
        node('b'),
        node('c', [
          ['a', 'full'],
          ['b', 'full'],
        ]),
      ),
    ],
    [
      'a parent twice',
      /^g\.jsonl:1: .*'a' is its parent twice/,
      graph(
        node('a'),
        node('b', [
          ['a', 'full'],
          ['a', 'last'],
        ]),
      ),
    ],
    ['images', /^g\.jsonl:1: .*kt sends texts alone/, graph(node('a', [], { image_column: ['x.png'] }))],
    [
      'recorded times',
      /^g\.jsonl:1: .*relative_timestamp: kt sends a turn when its parents have ended/,
      graph({ ...node('a'), settings: { relative_timestamp: 1.5 } }),
    ],
    ['a text that is no graph', /^g\.jsonl:1: conversation_turns: /, { conversation_turns: 'no' }],
  ])('refuse %s', (_, said, row) => {
    expect(refusal(row)).toMatch(said)
    expect(refusal(row)).toContain('\nA row is {"conversation_turns"')
  })
})

it.each(['aiperf-dag.jsonl', 'guidellm-graph.jsonl'])('%s is no file of single requests', (name) => {
  const said = messageOf(() => sendAll(fixture(name)))
  expect(said).toMatch(/jsonl:1: turns that form a graph are no single requests\nPlay them: --turns file\.$/)
})
