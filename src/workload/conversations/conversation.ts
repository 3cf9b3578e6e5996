/**
 * Conversations: sessions of several turns. Each request holds what was said before in its session, the model's own
 * answers among it, and adds a turn of the user. A session is drawn from the seed and its number alone, so both arms
 * have the same ones; what the model answers is its own affair. The history is kept as JSON, so that a request with a
 * long one is made by joining two texts.
 */
import { type Delay, delayDraws } from '../../schedule/delays.ts'
import { hash32 } from '../../stats/random.ts'
import { type AnswerMessage, type CalledTool, readAnswerMessage } from '../../wire/answer-message.ts'
import { asText, type JsonObject, objectsIn, parseObject } from '../../wire/json.ts'
import { drawTokens, meanTokens, type TokenDistribution } from '../distribution.ts'

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
interface GivenTurns {
  /** Of each session the place of its first turn, and after them the number of all turns. */
  firsts: readonly number[]
  /** By place: the pause before the turn, and messages of tools, as JSON, for the calls in its answer. */
  delaysUs: readonly (number | undefined)[]
  toolResults: readonly (readonly string[] | undefined)[]
}

/** Requests of a session are numbered from here times its number; no session has more turns. */
export const MOST_TURNS = 4_096

/** What is decided of a session before it begins. */
export interface SessionShape {
  turns: number
  /** In a file: the place of its first turn. */
  firstPlace: number | undefined
}

export function shapeOfSession({ turns }: ConversationSpec, seed: number, number: number): SessionShape {
  if (turns.kind === 'drawn') {
    let drawn = 0
    const random = (): number => hash32(`${seed}/${number}/turns/${drawn++}`) / 2 ** 32
    return { turns: Math.min(MOST_TURNS, drawTokens(turns.count, random)), firstPlace: undefined }
  }
  const { firsts } = turns.sessions
  const session = number % (firsts.length - 1)
  const firstPlace = firsts[session] ?? 0
  return { turns: (firsts[session + 1] ?? firstPlace) - firstPlace, firstPlace }
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

/** A request of a session: its body, and the history with what it adds. */
interface TurnRequest {
  body: string
  history: string
}

/** `own` is the request of this turn as if it were the first; `history` is '' or messages as JSON, without brackets. */
export function turnRequest(history: string, own: string): TurnRequest {
  const { messages, ...rest } = parseObject(own) ?? {}
  const all = objectsIn(messages)
  // The system message stands at the beginning already.
  const added = history === '' ? all : all.filter(({ role }) => role !== 'system' && role !== 'developer')
  const whole = join(history, added)
  return { body: `{"messages":[${whole}],${JSON.stringify(rest).slice(1)}`, history: whole }
}

/** The history after an answer: the model's message, and what the tools return that it calls. */
export function withAnswer(
  spec: ConversationSpec,
  history: string,
  answer: { body: string; streamed: boolean; place: number },
): string {
  const message = readAnswerMessage(answer.body, answer.streamed)
  const told = spec.turns.kind === 'given' ? spec.turns.sessions.toolResults[answer.place] : undefined
  const results = message.calls.map((call, i) => toolMessage(call, told?.[i], spec.toolResult))
  return join(history, [assistantMessage(message), ...results])
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

function join(history: string, messages: readonly JsonObject[]): string {
  const added = messages.map((message) => JSON.stringify(message)).join(',')
  return history === '' || added === '' ? history + added : `${history},${added}`
}
