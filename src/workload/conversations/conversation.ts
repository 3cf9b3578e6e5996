/**
 * Conversations: sessions of several turns. Each request holds what was said before in its session, the model's own
 * answers among it, and adds a turn of the user. A session is drawn from the seed and its number alone, so both arms
 * have the same ones; what the model answers is its own affair. The history is kept as JSON, so that a request with a
 * long one is made by joining two texts.
 */
import { type Delay, delayDraws } from '../../schedule/delays.ts'
import { hash32 } from '../../stats/random.ts'
import { type AnswerMessage, type CalledTool, readAnswerMessage } from '../../wire/answer-message.ts'
import { marked } from '../../wire/body-changes.ts'
import { asText, type JsonObject, objectsIn, parseObject } from '../../wire/json.ts'
import { drawTokens, meanTokens, type TokenDistribution } from '../distribution.ts'
import type { TurnGraph } from './graph.ts'

/** Everything that decides how a request of a workload goes on as a conversation; plain data. */
export interface ConversationSpec {
  /** How many turns a generated session has, or the sessions of a file. */
  turns: { kind: 'drawn'; count: TokenDistribution } | { kind: 'given'; sessions: GivenTurns }
  /** The user's pause before each turn but the first, where the file gives none. */
  think?: Delay | undefined
  /** What a tool returns that the model calls, where the file does not say. */
  toolResult: string
  /** The header that carries the session's name. */
  header?: string | undefined
}

/** The turns of all sessions of a file, one after another, as the workload's given requests hold them. */
export interface GivenTurns {
  /** Of each session the place of its first turn, and after them the number of all turns. */
  firsts: readonly number[]
  /** The sessions in the order in which they are played, where that is drawn; else their own. */
  order?: readonly number[] | undefined
  /** By place: the pause before the turn, and messages of tools, as JSON, for the calls in its answer. */
  delaysUs: readonly (number | undefined)[]
  toolResults: readonly (readonly string[] | undefined)[]
  /** Of the sessions, in the file's order, whose turns do not just follow one another. */
  graphs?: readonly (TurnGraph | undefined)[]
}

export const DEFAULT_TOOL_RESULT = 'ok'

/** No conversation has more turns. */
export const MOST_TURNS = 4_096

/** What is decided of a session before it begins. */
export interface SessionShape {
  turns: number
  /** In a file: the place of its first turn. */
  firstPlace: number | undefined
  /** Undefined where its turns follow one another. */
  graph?: TurnGraph | undefined
}

export function shapeOfSession({ turns }: ConversationSpec, seed: number, number: number): SessionShape {
  if (turns.kind === 'drawn') {
    let drawn = 0
    const random = (): number => hash32(`${seed}/${number}/turns/${drawn++}`) / 2 ** 32
    return { turns: Math.min(MOST_TURNS, drawTokens(turns.count, random)), firstPlace: undefined }
  }
  const { firsts, order, graphs } = turns.sessions
  const session = order ? (order[number % order.length] ?? 0) : number % (firsts.length - 1)
  const firstPlace = firsts[session] ?? 0
  return { turns: (firsts[session + 1] ?? firstPlace) - firstPlace, firstPlace, graph: graphs?.[session] }
}

/** The mean number of turns of a session. */
export function meanTurns({ turns }: Pick<ConversationSpec, 'turns'>): number {
  if (turns.kind === 'drawn') return meanTokens(turns.count, MOST_TURNS)
  const { firsts } = turns.sessions
  return (firsts.at(-1) ?? 0) / (firsts.length - 1)
}

/** The pause before turn `turn` of a session, in microseconds. */
export function thinkBefore(
  { think, turns }: ConversationSpec,
  { firstPlace = 0 }: SessionShape,
  key: { seed: number; number: number; turn: number },
): number {
  const told = turns.kind === 'given' ? turns.sessions.delaysUs[firstPlace + key.turn] : undefined
  if (told !== undefined) return told
  return think ? delayDraws(think, `${key.seed}/${key.number}/${key.turn}/think`)() : 0
}

/** What was said so far in a session, as JSON, and what its tools returned, which is said with the next request. */
export interface History {
  /** Messages joined by commas, without brackets; '' where nothing was said. */
  said: string
  results: readonly JsonObject[]
}

export const NOTHING_SAID: History = { said: '', results: [] }

/** The role of a message that stands for a turn without one of the user: results of tools are all that it adds. */
export const RESULTS_ONLY = 'kt-results'

/**
 * A request of a session, and the history with what it adds. `own` is its turn's as if it were the first; `between` is
 * told in this request only, before it.
 */
export function turnRequest(
  { said, results }: History,
  own: string,
  isFromFile: boolean,
  between = '',
): { body: string; history: History } {
  const { messages, ...rest } = parseObject(own) ?? {}
  const all = objectsIn(messages)
  // A system message of the flags stands at the beginning already; one in the midst of a file is meant.
  const added = said === '' || isFromFile ? all : all.filter(({ role }) => role !== 'system')
  const adds = asJson(withResults(results, added))
  const whole = joinSaid(said, adds)
  const sent = between === '' ? whole : joinSaid(joinSaid(said, between), adds)
  return { body: `{"messages":[${sent}],${JSON.stringify(rest).slice(1)}`, history: { said: whole, results: [] } }
}

/** Where the turn adds nothing else, its nonce ends the last result; where there is none, it is what the user says. */
function withResults(results: readonly JsonObject[], added: readonly JsonObject[]): readonly JsonObject[] {
  const [first] = added
  if (first?.role !== RESULTS_ONLY) return [...results, ...added]
  const last = results.at(-1)
  if (!last) return [{ ...first, role: 'user' }]
  const told = typeof last.content === 'string' ? last.content : JSON.stringify(last.content)
  return [...results.slice(0, -1), { ...last, content: marked(told, String(first.content)) }]
}

/** The history after an answer: the model's message, and what the tools return that it calls. */
export function withAnswer(
  spec: ConversationSpec,
  { said }: History,
  answer: { body: string; streamed: boolean; place: number },
): History {
  const message = readAnswerMessage(answer.body, answer.streamed)
  const told = spec.turns.kind === 'given' ? spec.turns.sessions.toolResults[answer.place] : undefined
  const results = message.calls.map((call, i) => toolMessage(call, told?.[i], spec.toolResult))
  return { said: joinSaid(said, asJson([assistantMessage(message)])), results }
}

function assistantMessage({ text, calls }: AnswerMessage): JsonObject {
  if (calls.length === 0) return { role: 'assistant', content: text }
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    tool_calls: calls.map(({ id, name, arguments: given }) => ({
      id,
      type: 'function',
      function: { name, arguments: given },
    })),
  }
}

/** The model gave the call its id; that of the file belongs to another answer. */
function toolMessage({ id }: CalledTool, told: string | undefined, fixed: string): JsonObject {
  const content = told === undefined ? undefined : parseObject(told)?.content
  return { role: 'tool', tool_call_id: id, content: asText(content) ?? content ?? fixed }
}

/** All of a history: what the tools returned with it. */
export function allSaid({ said, results }: History): string {
  return joinSaid(said, asJson(results))
}

export function joinSaid(before: string, added: string): string {
  return before === '' || added === '' ? before + added : `${before},${added}`
}

function asJson(messages: readonly JsonObject[]): string {
  return messages.map((message) => JSON.stringify(message)).join(',')
}
