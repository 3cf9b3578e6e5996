// Sessions whose turns form a graph, on real sockets: forks at the same time, joins after all that they wait for.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Engine } from '../../src/load/engine.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { now } from '../../src/system/clock.ts'
import { chooseWorkload } from '../../src/workload/choose.ts'
import { httpServer, planFor, type TestServer } from '../support/engine.ts'
import { tempDir } from '../support/temp-dir.ts'

interface Asked {
  /** What was said, without nonces: roles by their first letter. */
  said: string[]
  last: string
  atUs: number
  answeredUs: number
}

const servers: TestServer[] = []
const dir = tempDir()
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})
afterAll(dir.remove)

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/datasets/${name}`, import.meta.url))

interface Options {
  changes?: Partial<RunPlan>
  delayMs?: (text: string) => number
  fails?: (text: string) => boolean
  /** Whether the answer waits for other requests to come: `asked` is how often a text was asked. */
  holds?: (text: string, asked: (text: string) => number) => boolean
}

/** None of these is answered before the others have been asked as often. */
function together(...groups: string[][]): NonNullable<Options['holds']> {
  return (text, asked) =>
    groups.some((group) => group.includes(text) && group.some((other) => asked(other) < asked(text)))
}

/** Answers each text with 're: ' and its first word. */
async function play(file: string, options: Options = {}) {
  const { changes, delayMs = () => 15, fails = () => false, holds = () => false } = options
  const asked: Asked[] = []
  const count = (text: string): number => asked.filter(({ last }) => last === text).length
  let held: { text: string; answer: () => void }[] = []
  const server = await httpServer((request, response) => {
    let body = ''
    request.on('data', (data) => {
      body += data
    })
    request.on('end', () => {
      const { messages } = JSON.parse(body) as { messages: { role: string; content: string }[] }
      const said = messages.map(({ role, content }) => `${role[0]}: ${content.replace(/ kt[a-z]{16}$/, '')}`)
      const last = said.at(-1)?.slice(3) ?? ''
      const one = { said, last, atUs: now(), answeredUs: Number.NaN }
      asked.push(one)
      const answer = (): void => {
        one.answeredUs = now()
        const message = { role: 'assistant', content: `re: ${last.split(' ')[0]}` }
        const usage = { prompt_tokens: 5, completion_tokens: 3 }
        if (fails(last)) response.writeHead(500).end('broken')
        else response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage }))
      }
      held.push({ text: last, answer })
      const free = held.filter(({ text }) => !holds(text, count))
      held = held.filter((each) => !free.includes(each))
      for (const each of free) setTimeout(each.answer, delayMs(each.text))
    })
  })
  servers.push(server)
  const plan = planFor(server.origin, { load: { mode: 'closed', concurrency: 1 }, requests: 1, ...changes })
  plan.workload = chooseWorkload({ seed: 1, prompts: file, playsRows: true })
  const engine = new Engine(plan, now)
  await engine.run()
  const one = (last: string): Asked => {
    const found = asked.filter((each) => each.last === last)
    if (!found[0] || found.length > 1) throw new Error(`${found.length} requests end with '${last}'`)
    return found[0]
  }
  return { asked, one, record: engine.recorders[0]?.toRecord() }
}

const overlap = (a: Asked, b: Asked): boolean => a.atUs < b.answeredUs && b.atUs < a.answeredUs
function mostAtOnce(asked: readonly Asked[]): number {
  return Math.max(...asked.map(({ atUs }) => asked.filter((b) => b.atUs <= atUs && atUs < b.answeredUs).length))
}

const PLAN = 'Plan a move to another city.'
const VAN = 'What does a van cost for a day?'
const MAY = 'Which weekends of May are free?'
const USE = 'Use the costs that were found.'
const FORKS = ['Say the plan in one sentence.', 'Say the plan in full.']
const SYSTEM = 's: You are a careful planner.'

describe("a graph of guidellm's", () => {
  // Whichever of the parents ends last.
  it.each([VAN, MAY, 'And for a weekend?'])('joins behind the last answer, also that of: %s', async (slow) => {
    const { one, asked, record } = await play(fixture('guidellm-graph.jsonl'), {
      delayMs: (text) => (text === slow ? 80 : 15),
      holds: together([VAN, MAY]),
    })
    expect(asked).toHaveLength(6)
    const [main, van, weekend, may] = [PLAN, VAN, 'And for a weekend?', MAY].map(one) as [Asked, Asked, Asked, Asked]
    const join = one('Put it all together.')
    for (const parent of [main, weekend, may]) expect(join.atUs).toBeGreaterThan(parent.answeredUs)
    expect(overlap(van, may)).toBe(true)
    // Each child of the first turn waits for the pause that stands there.
    for (const child of [van, may]) expect(child.atUs - main.answeredUs).toBeGreaterThanOrEqual(20_000)
    // 'new' knows nothing of its parent, 'last' what was asked and answered there, 'full' all before it too.
    expect(van.said).toEqual([`u: ${VAN}`])
    expect(weekend.said).toEqual([`u: ${VAN}`, 'a: re: What', 'u: And for a weekend?'])
    const branches = ['u: And for a weekend?', 'a: re: And', `u: ${MAY}`, 'a: re: Which']
    const mainChain = [SYSTEM, `u: ${PLAN}`, 'a: re: Plan']
    expect(join.said).toEqual([...mainChain, ...branches, 'u: Put it all together.'])
    // Later turns have the chain first, then what came from aside, as guidellm sends it.
    const chain = [...mainChain, 'u: Put it all together.', 'a: re: Put']
    expect(one('Shorter, please.').said).toEqual([...chain, ...branches, 'u: Shorter, please.'])
    expect(record?.conversations).toMatchObject({ started: 1, finished: 1, failed: 0 })
    // By depth: main_0; both branches' first; the longer one's second; main_1; main_2.
    expect(record?.conversations?.turns.map(({ successful }) => successful)).toEqual([1, 2, 1, 1, 1])
  })
})

describe("a graph of AIPerf's", () => {
  it('spawns afresh, waits where it joins, and forks with all that was said', async () => {
    const { one, asked } = await play(fixture('aiperf-dag.jsonl'), { holds: together([VAN, MAY], [MAY, USE], FORKS) })
    expect(asked).toHaveLength(8)
    const [van, may, weekend] = [one(VAN), one(MAY), one('And for a weekend?')]
    expect(overlap(van, may)).toBe(true)
    for (const spawned of [van, may]) {
      expect(spawned.said).toHaveLength(1)
      expect(spawned.atUs).toBeGreaterThan(one(PLAN).answeredUs)
    }
    const next = one(USE)
    expect(next.atUs - weekend.answeredUs).toBeGreaterThanOrEqual(20_000)
    // It joins a turn later: this one runs beside the spawned conversation.
    expect(next.atUs).toBeLessThan(may.answeredUs)
    const joined = one('Now set the dates.')
    expect(joined.atUs).toBeGreaterThan(may.answeredUs)
    const chain = [SYSTEM, `u: ${PLAN}`, 'a: re: Plan', `u: ${USE}`, 'a: re: Use']
    expect(joined.said).toEqual([...chain, 'u: Now set the dates.'])
    const [short, long] = FORKS.map(one) as [Asked, Asked]
    expect(overlap(short, long)).toBe(true)
    for (const { said, last } of [short, long]) expect(said).toEqual([...joined.said, 'a: re: Now', `u: ${last}`])
  })

  it('begins a round when all of the round before has ended, and its pause is over', async () => {
    const { asked, record } = await play(fixture('aiperf-dag.jsonl'), {
      changes: { requests: 2 },
      delayMs: (text) => (text === 'Check the figures.' ? 60 : 15),
      holds: together(['Read the report.', 'Check the figures.']),
    })
    // The second session: two rounds of two.
    const [readOne, checkOne, readTwo, checkTwo] = asked.slice(8) as [Asked, Asked, Asked, Asked]
    expect(asked.slice(8).map(({ said }) => said.length)).toEqual([1, 1, 1, 1])
    expect(overlap(readOne, checkOne) && overlap(readTwo, checkTwo)).toBe(true)
    const roundEndUs = Math.max(readOne.answeredUs, checkOne.answeredUs)
    for (const { atUs } of [readTwo, checkTwo]) expect(atUs - roundEndUs).toBeGreaterThanOrEqual(10_000)
    expect(record?.conversations).toMatchObject({ started: 2, finished: 2, failed: 0 })
  })
})

const turn = (id: string, ...parents: string[]) => ({
  node_id: id,
  parents: parents.map((parent) => ({ parent_node_id: parent, history_context: 'new' })),
  columns: { text_column: [id] },
})
function fileOf(...turns: ReturnType<typeof turn>[]): string {
  writeFileSync(dir.file('graph.jsonl'), JSON.stringify({ conversation_turns: { turns } }))
  return dir.file('graph.jsonl')
}
const forks = ['b', 'c', 'd', 'e']
const fan = () => fileOf(turn('a'), ...forks.map((id) => turn(id, 'a')), turn('z', ...forks))

describe('a closed loop', () => {
  it('has as many sessions under way as slots, however many requests each has in flight', async () => {
    const { asked, record } = await play(fan(), { changes: { requests: 6 }, holds: together(forks) })
    expect(asked).toHaveLength(36)
    expect(mostAtOnce(asked)).toBe(4)
    for (let i = 6; i < 36; i += 6) {
      const before = asked.slice(0, i)
      expect(asked[i]?.last).toBe('a')
      expect(asked[i]?.atUs).toBeGreaterThan(Math.max(...before.map(({ answeredUs }) => answeredUs)))
    }
    expect(record?.mostInFlight).toBe(4)
    const load = { mode: 'closed', concurrency: 2 } as const
    const two = await play(fan(), {
      changes: { requests: 2, load },
      holds: (text, count) => text !== 'z' && (text === 'a' ? ['a'] : forks).some((other) => count(other) < 2),
    })
    expect(mostAtOnce(two.asked)).toBe(8)
    expect(two.record?.conversations).toMatchObject({ started: 2, finished: 2 })
  })

  it('begins all turns without parents with the session', async () => {
    const { asked } = await play(fileOf(turn('a'), turn('b'), turn('c'), turn('z', 'a', 'b', 'c')), {
      holds: together(['a', 'b', 'c']),
    })
    expect(asked.map(({ last }) => last).sort()).toEqual(['a', 'b', 'c', 'z'])
    expect(mostAtOnce(asked)).toBe(3)
    expect(asked[3]?.last).toBe('z')
    expect(asked[3]?.atUs).toBeGreaterThan(Math.max(...asked.slice(0, 3).map(({ answeredUs }) => answeredUs)))
  })

  it('a turn that fails ends the session once its other requests have ended', async () => {
    const { asked, record } = await play(fan(), {
      changes: { requests: 2 },
      fails: (text) => text === 'b' || text === 'c',
      delayMs: (text) => (text === 'e' ? 60 : 15),
      holds: together(forks),
    })
    expect(asked.map(({ last }) => last).join('')).toMatch(/^a[bcde]{4}a[bcde]{4}$/)
    const slowest = asked.find(({ last }) => last === 'e')
    expect(asked[5]?.atUs).toBeGreaterThan(slowest?.answeredUs ?? Number.NaN)
    expect(record?.conversations).toMatchObject({ started: 2, finished: 0, failed: 2 })
    expect(record?.conversations?.turns.map(({ failed }) => failed)).toEqual([0, 2])
  })

  it('leaves out the turns that waited for their time when another failed', async () => {
    const late = { ...turn('z', 'b'), columns: { text_column: ['z'] } }
    const b = { ...turn('b'), settings: { requeue_delay: 2 } }
    const { asked, record } = await play(fileOf(b, turn('c'), late), {
      fails: (text) => text === 'c',
      delayMs: (text) => (text === 'c' ? 80 : 10),
    })
    expect(asked.map(({ last }) => last).sort()).toEqual(['b', 'c'])
    expect(record?.conversations).toMatchObject({ started: 1, finished: 0, failed: 1 })
  })
})

it('an open loop keeps its cap on the requests in flight: forks wait for it, and the wait counts', async () => {
  const load = { mode: 'open', rps: 100, maxInFlight: 2 } as const
  const { asked, record } = await play(fan(), { changes: { requests: 4, load } })
  expect(asked).toHaveLength(24)
  expect(mostAtOnce(asked)).toBe(2)
  expect(record?.mostInFlight).toBe(2)
  expect(record?.conversations).toMatchObject({ started: 4, finished: 4 })
})
