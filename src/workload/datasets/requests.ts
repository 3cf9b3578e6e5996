/** Single requests of a dataset's rows. A conversation is one request: all of it up to the last user's message. */
import { UserError } from '../../errors.ts'
import { marked } from '../../wire/body-changes.ts'
import { chatMessages } from '../../wire/chat-messages.ts'
import { UnsupportedByOthers } from '../../wire/chat-turns.ts'
import { type ApiEndpoint, ENDPOINTS, endpointOf, formatOfEndpoint } from '../../wire/endpoints.ts'
import type { JsonObject } from '../../wire/json.ts'
import { bodyTemplate, buildConversation, type RequestShape } from '../../wire/template.ts'
import { type GivenRequests, type GivenTemplate, givenRequests } from '../given.ts'
import { endWithNonce } from '../prompts.ts'
import type { DatasetRow } from './dataset.ts'
import { Dataset, type DatasetOptions } from './read.ts'
import { messagesUpToLastTurn } from './turns.ts'

export interface RequestOptions extends DatasetOptions {
  /** Where conversations go that are written as chat and translated when they are sent. */
  sentTo?: ApiEndpoint | undefined
  /** So many rows, drawn by the seed. */
  sample?: number | undefined
  seed: number
}

export interface DatasetRequests {
  source: GivenRequests
  /** Those that the rows name, where `model` is not asked for. */
  models: string[]
  /** Rows in which nobody asks anything. */
  leftOut: number
}

/** Reads them all; `shape.model` goes into the rows that name none, and into all of them where it is `asked` for. */
export function readRequests(
  path: string,
  shape: RequestShape,
  isModelAsked: boolean,
  { sample, seed, ...options }: RequestOptions,
): DatasetRequests {
  const dataset = new Dataset(path, options)
  const models = new Set<string>()
  function* templates(): Generator<GivenTemplate> {
    for (const row of dataset.rows()) {
      const own = row.turns.at(-1)?.members?.model
      const model = isModelAsked || typeof own !== 'string' ? shape.model : own
      models.add(model)
      yield rowTemplate(row, { ...shape, model })
    }
  }
  const source = givenRequests(templates(), sample === undefined ? undefined : { count: sample, seed })
  return { source, models: [...models], leftOut: dataset.leftOut }
}

function rowTemplate(row: DatasetRow, shape: RequestShape): GivenTemplate {
  if (row.turns.some(({ parents }) => parents)) {
    throw new UserError(`${row.place}: turns that form a graph are no single requests`, 'Play them: --turns file.')
  }
  assertEndpoint(row, shape.endpoint)
  const { add, members, outputTokens } = row.turns.at(-1) ?? row.turns[0]
  const own = { ...members }
  delete own.model
  const prompt = row.turns.length === 1 ? add.prompt : undefined
  const messages = prompt === undefined ? messagesUpToLastTurn(row) : []
  const build = (hole: string): JsonObject => {
    if (prompt === undefined) {
      return { ...conversationAt(row.place, shape, endWithNonce(messages, hole, row.place)), ...own }
    }
    const { endpoint, changes: _, ...spec } = shape
    return { ...formatOfEndpoint(endpoint).buildRequest(spec, marked(prompt, hole)), ...own }
  }
  const texts = shape.model + (prompt ?? JSON.stringify(messages)) + JSON.stringify(own)
  return { ...bodyTemplate(build, texts, shape.changes), outputTokens }
}

/** Says of a row what the endpoint cannot carry of it. */
export function conversationAt(place: string, shape: RequestShape, messages: readonly JsonObject[]): JsonObject {
  try {
    if (shape.endpoint !== 'chat' && !chatMessages.safeParse(messages).success) {
      throw new UnsupportedByOthers('messages that are none of chat')
    }
    return buildConversation(shape, messages)
  } catch (error) {
    if (!(error instanceof UnsupportedByOthers)) throw error
    throw new UserError(
      `${place}: --endpoint ${shape.endpoint} does not carry ${error.message}`,
      'Leave the row out, or send it as chat.',
    )
  }
}

/** Refuses a row of another endpoint. */
export function assertEndpoint({ place, path, turns }: DatasetRow, endpoint: ApiEndpoint): void {
  if (path !== undefined && !endpointOf(endpoint).isPath(path)) {
    const other = ENDPOINTS.find((each) => endpointOf(each).isPath(path))
    throw new UserError(
      `${place}: the row goes to ${path}, and --endpoint is ${endpoint}`,
      other ? `Pass --endpoint ${other}.` : `kt bench sends to these endpoints: ${ENDPOINTS.join(', ')}.`,
    )
  }
  if (formatOfEndpoint(endpoint).buildConversation || (turns.length === 1 && turns[0].add.prompt !== undefined)) return
  throw new UserError(
    `${place}: messages do not go with --endpoint ${endpoint}`,
    'Give prompts, such as {"prompt": "Say hello"}, or leave --endpoint out.',
  )
}
