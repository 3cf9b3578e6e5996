/**
 * What every dataset file comes to, whatever its format: rows of turns. Readers make these rows; single requests
 * (src/workload/datasets/requests.ts) and conversations are made of them. Times are in ms, as in the files.
 */
import { z } from 'zod'
import type { JsonObject } from '../../wire/json.ts'

const part = z.looseObject({ type: z.string(), text: z.string().optional() })

/** A message as OpenAI's chat has it. Members that are not listed are sent as they stand. */
const messageSchema = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(part)], 'expected a string or an array of content parts').nullish(),
})
export const messagesSchema = z.array(messageSchema).min(1, 'must hold at least one message')

export type ContentPart = z.infer<typeof part>
export type Message = z.infer<typeof messageSchema>

/** One conversation, or one request where it has one turn. */
export interface DatasetRow {
  /** Where it stands, for errors: file:line. */
  place: string
  /** The address's path that the row names, such as '/v1/chat/completions'. */
  path?: string | undefined
  sessionId?: string | undefined
  turns: [DatasetTurn, ...DatasetTurn[]]
}

/** What the user's side adds to the conversation, and what the file says of the answer. */
export interface DatasetTurn {
  add: Added
  /** The answer's output tokens to ask for: max_tokens of this turn's request. */
  outputTokens?: number | undefined
  /** Between the end of the turn before and this turn's request. */
  delayMs?: number | undefined
  /** What the file says was answered: a text, or tool calls. The assistant's message for a fixed history. */
  answer?: Message | undefined
  /** What the file says the tools returned to the calls of `answer`, in their order: messages of the role 'tool'. */
  toolResults?: Message[] | undefined
  /** Further members of this turn's request, such as `temperature` or `tools`. */
  members?: JsonObject | undefined
  /**
   * Where the turns form a graph: those that must have ended before this one begins, which stand before it in the row.
   * Without any it begins with the session. Undefined in a plain conversation: the turn before, and all of it.
   */
  parents?: readonly TurnParent[] | undefined
}

export interface TurnParent {
  /** Its place in the row, from 0. */
  turn: number
  /** What of it the turn knows: nothing, what was asked and answered there, or all that had led to it too. */
  history: 'new' | 'last' | 'full'
  /** The pause after it, where it is the last of the parents to end; the turn's own comes on top. */
  delayMs?: number | undefined
}

/**
 * A user's text, or messages to append as they stand (a system message before the first user's, several users). There
 * are none where the tools' results of the turn before are all that is added.
 */
export type Added = { prompt: string; messages?: undefined } | { messages: Message[]; prompt?: undefined }
