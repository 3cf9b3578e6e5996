/**
 * AIPerf's dag_jsonl: a conversation a line, whose turns begin others. A fork goes on with what was said, a spawn
 * begins afresh, and the conversation that spawned waits for it at a later turn. A conversation that no other begins is
 * a session, with all that it begins.
 */
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { didYouMean } from '../../parse/near.ts'
import { asObject } from '../../wire/json.ts'
import { MOST_TURNS } from '../conversations/conversation.ts'
import { type DatasetRow, type DatasetTurn, messagesSchema, type TurnParent } from './dataset.ts'
import { delayMs, type FileShape, type PlacedRow, parseRow, tokens } from './shape.ts'

const name = z.string().min(1, 'must not be empty')
const fork = z.union([
  name.transform((child) => ({ child, background: false })),
  z.strictObject({ child: name, background: z.boolean().default(false) }),
])
const spawn = z.union([
  name.transform((child) => ({ children: [child], join_at: undefined })),
  z.strictObject({ children: z.array(name).min(1, 'must name a conversation'), join_at: z.int().nullish() }),
])
const object = z.record(z.string(), z.unknown())
const dagTurn = z.strictObject({
  messages: messagesSchema,
  model: z.string().nullish(),
  max_tokens: tokens.nullish(),
  tools: z.array(object).nullish(),
  extra: object.nullish(),
  forks: z.array(fork).default([]),
  spawns: z.array(spawn).default([]),
  delay: delayMs.nullish(),
})
const roundSchema = z.strictObject({
  spawns: z.array(name).min(1, 'must name a conversation'),
  think_time_ms: delayMs.nullish(),
})
const undrawn = z.null('kt does not draw the pauses between rounds: give think_time_ms alone').optional()
const dagRow = z
  .strictObject({
    session_id: name,
    turns: z.array(dagTurn).default([]),
    orchestrator: z.boolean().default(false),
    spawns: z.array(name).default([]),
    rounds: z.union([z.int().min(1, 'must be at least 1').max(MOST_TURNS), z.array(roundSchema).min(1)]).nullish(),
    think_time_ms: delayMs.nullish(),
    ...{ think_time_sigma: undrawn, think_time_min_ms: undrawn, think_time_max_ms: undrawn },
    context_mode: z.enum(['deltas_without_responses', 'message_array_with_responses']).nullish(),
    pre_session_spawns: z.array(name).default([]),
  })
  .refine(({ orchestrator, turns }) => orchestrator !== turns.length > 0, 'either turns or an orchestrator, not both')
  .refine(({ orchestrator, rounds, spawns }) => orchestrator || (!rounds && spawns.length === 0), {
    error: 'spawns and rounds of a conversation are those of an orchestrator',
  })
  .refine(({ orchestrator, rounds, spawns }) => !orchestrator || Array.isArray(rounds) !== spawns.length > 0, {
    error: 'an orchestrator names its conversations in spawns, or in each of its rounds',
  })

type DagTurn = z.output<typeof dagTurn>

interface Conversation extends z.output<typeof dagRow> {
  place: string
}

export const aiperfDag: FileShape = {
  example:
    '{"session_id": "plan", "turns": [{"messages": [{"role": "user", "content": "Plan it"}], "forks": ["a", "b"]}]}',
  fits: ({ session_id, turns, orchestrator }) => {
    if (session_id === undefined) return false
    return orchestrator === true || (Array.isArray(turns) && asObject(turns[0])?.messages !== undefined)
  },
  readAll(rows) {
    const all = new Map<string, Conversation>()
    for (const row of rows) {
      const conversation = readConversation(row)
      const { session_id: id, place } = conversation
      const other = all.get(id)
      if (other) throw wrong(place, `session_id: '${id}' is that of ${other.place} already`)
      all.set(id, conversation)
    }
    const begun = namesIn(all)
    const roots = [...all.values()].filter(({ session_id: id }) => !begun.has(id))
    const told = new Set<string>()
    const sessions = roots.map((root) => sessionOf(root, all, told))
    // What no session leads to leads to itself.
    for (const conversation of all.values()) {
      if (!told.has(conversation.session_id)) sessionOf(conversation, all, told)
    }
    return sessions
  },
}

function readConversation({ row, place }: PlacedRow): Conversation {
  return { ...parseRow(row, dagRow, place, aiperfDag.example), place }
}

/** The names of all conversations that others begin. Each is there, and is forked by one turn alone. */
function namesIn(all: ReadonlyMap<string, Conversation>): Set<string> {
  const begun = new Set<string>()
  const forkedBy = new Map<string, string>()
  const check = (id: string, place: string, member: string): void => {
    begun.add(id)
    if (all.has(id)) return
    const near = didYouMean(id, [...all.keys()])
    throw wrong(place, `${member}: no conversation '${id}'${near ? ` (did you mean '${near}'?)` : ''}`)
  }
  for (const { place, session_id, turns, spawns, rounds, pre_session_spawns } of all.values()) {
    for (const id of spawns) check(id, place, 'spawns')
    for (const id of pre_session_spawns) check(id, place, 'pre_session_spawns')
    for (const [i, each] of (Array.isArray(rounds) ? rounds : []).entries()) {
      for (const id of each.spawns) check(id, place, `rounds.${i}.spawns`)
    }
    for (const [i, turn] of turns.entries()) {
      for (const { child } of turn.forks) {
        check(child, place, `turns.${i}.forks`)
        const other = forkedBy.get(child)
        if (other) throw wrong(place, `turns.${i}.forks: '${child}' is a fork of '${other}' already`)
        forkedBy.set(child, session_id)
      }
      for (const { children } of turn.spawns) for (const id of children) check(id, place, `turns.${i}.spawns`)
      assertJoins(turn, i, turns.length, place)
    }
  }
  return begun
}

function assertJoins({ forks, spawns }: DagTurn, turn: number, turns: number, place: string): void {
  if (turn < turns - 1 && forks.some(({ background }) => !background)) {
    throw wrong(place, `turns.${turn}.forks: a fork ends its conversation, and this is not its last turn`)
  }
  for (const { join_at } of spawns) {
    if (join_at == null || (join_at > turn && join_at < turns)) continue
    throw wrong(place, `turns.${turn}.spawns: join_at ${join_at} is no later turn of the conversation`)
  }
}

function sessionOf(root: Conversation, all: ReadonlyMap<string, Conversation>, told: Set<string>): DatasetRow {
  const { place, session_id } = root
  const tree = new Tree(all, told, place)
  tree.add(session_id, [])
  const [first, ...others] = tree.turns
  if (!first) throw wrong(place, 'it sends no request')
  return { place, sessionId: session_id, turns: [first, ...others] }
}

/** The turns of a session, each conversation at each place where it is begun. */
class Tree {
  readonly turns: DatasetTurn[] = []
  readonly #all: ReadonlyMap<string, Conversation>
  readonly #told: Set<string>
  readonly #place: string
  /** The conversations from the session's to the one that is added. */
  readonly #path = new Set<string>()

  constructor(all: ReadonlyMap<string, Conversation>, told: Set<string>, place: string) {
    this.#all = all
    this.#told = told
    this.#place = place
  }

  /** Adds a conversation that begins after these turns; returns its last ones. */
  add(id: string, after: readonly TurnParent[]): number[] {
    const conversation = this.#all.get(id)
    if (!conversation) return []
    if (this.#path.has(id)) {
      const [...path] = this.#path
      throw wrong(conversation.place, `a cycle: ${[...path.slice(path.indexOf(id)), id].join(' -> ')}`)
    }
    if (this.#path.size >= MOST_TURNS) throw this.#tooLarge()
    this.#told.add(id)
    this.#path.add(id)
    for (const child of conversation.pre_session_spawns) this.add(child, after.map(afresh))
    const ends = conversation.orchestrator ? this.#addRounds(conversation, after) : this.#addTurns(conversation, after)
    this.#path.delete(id)
    return ends
  }

  #addTurns({ turns, context_mode }: Conversation, after: readonly TurnParent[]): number[] {
    const isWhole = context_mode === 'message_array_with_responses'
    const joins: TurnParent[][] = turns.map(() => [])
    let before = isWhole ? after.map(afresh) : after
    let end = 0
    for (const [i, turn] of turns.entries()) {
      end = this.#addTurn(turn, [...before, ...(joins[i] ?? [])])
      for (const { children, join_at } of turn.spawns) {
        const ends = children.flatMap((child) => this.add(child, [{ turn: end, history: 'new' }]))
        joins[join_at ?? i + 1]?.push(...ends.map((each): TurnParent => ({ turn: each, history: 'new' })))
      }
      for (const { child } of turn.forks) this.add(child, [{ turn: end, history: 'full' }])
      before = [{ turn: end, history: isWhole ? 'new' : 'full' }]
    }
    return [end]
  }

  #addTurn({ messages, max_tokens, delay, extra, model, tools }: DagTurn, parents: readonly TurnParent[]): number {
    if (this.turns.length >= MOST_TURNS) throw this.#tooLarge()
    const members = { ...extra, ...(model != null && { model }), ...(tools != null && { tools }) }
    const outputTokens = max_tokens ?? undefined
    return this.turns.push({ add: { messages }, outputTokens, delayMs: delay ?? undefined, members, parents }) - 1
  }

  /** Each round begins when all of the round before has ended. */
  #addRounds({ spawns, rounds, think_time_ms }: Conversation, after: readonly TurnParent[]): number[] {
    const each = Array.isArray(rounds) ? rounds : Array.from({ length: rounds ?? 1 }, () => ({ spawns, think_time_ms }))
    let before = after.map(afresh)
    for (const round of each) {
      const ends = round.spawns.flatMap((child) => this.add(child, before))
      const pause = round.think_time_ms ?? think_time_ms ?? undefined
      before = ends.map((turn) => ({ turn, history: 'new', delayMs: pause }))
    }
    return before.map(({ turn }) => turn)
  }

  #tooLarge(): UserError {
    return wrong(this.#place, `more than ${MOST_TURNS} turns in a session`)
  }
}

function afresh({ turn, delayMs: pause }: TurnParent): TurnParent {
  return { turn, history: 'new', delayMs: pause }
}

function wrong(place: string, what: string): UserError {
  return new UserError(`${place}: ${what}`, `A row is ${aiperfDag.example}.`)
}
