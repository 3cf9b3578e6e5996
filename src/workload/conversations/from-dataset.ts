/**
 * Conversations of a dataset's rows: each turn is a request of its own, made before the run as if it were the first;
 * what was said before comes into it during the run, from the model's own answers. What the file says was answered is
 * not sent.
 */
import { UserError } from '../../errors.ts'
import { formatNumber } from '../../units.ts'
import type { JsonObject } from '../../wire/json.ts'
import { openaiRequest } from '../../wire/openai.ts'
import { bodyTemplate, type RequestShape } from '../../wire/template.ts'
import type { DatasetRow, DatasetTurn, Message } from '../datasets/dataset.ts'
import { Dataset } from '../datasets/read.ts'
import { assertEndpoint, conversationAt, type DatasetRequests, type RequestOptions } from '../datasets/requests.ts'
import { type GivenTemplate, givenRequests } from '../given.ts'
import { endWithNonce } from '../prompts.ts'
import { drawPlaces } from '../texts.ts'
import { type GivenTurns, MOST_TURNS, RESULTS_ONLY } from './conversation.ts'
import { graphOf, type TurnGraph } from './graph.ts'

/** The requests of all turns, and which of them make up a session. */
interface DatasetConversations extends DatasetRequests {
  sessions: GivenTurns
}

/** Reads them all; `shape.model` goes into the turns that name none, and into all of them where it is `asked` for. */
export function readConversations(
  path: string,
  shape: RequestShape,
  isModelAsked: boolean,
  { sample, seed, sentTo, ...options }: RequestOptions,
): DatasetConversations {
  const dataset = new Dataset(path, options)
  const models = new Set<string>()
  const modelOf = ({ members }: DatasetTurn): string => {
    const own = members?.model
    const model = isModelAsked || typeof own !== 'string' ? shape.model : own
    models.add(model)
    return model
  }
  const drawn = sample === undefined ? undefined : { count: sample, seed }
  const isTranslated = sentTo !== undefined && sentTo !== shape.endpoint
  const rows = isTranslated ? carriedBy({ ...shape, endpoint: sentTo }, dataset.rows()) : dataset.rows()
  const conversations = conversationsOf(rows, (turn) => ({ ...shape, model: modelOf(turn) }), drawn)
  return { ...conversations, models: [...models], leftOut: dataset.leftOut }
}

/** The rows, each of which can be translated: what sends them trusts that. */
function* carriedBy(shape: RequestShape, rows: Iterable<DatasetRow>): Generator<DatasetRow> {
  for (const row of rows) {
    for (const { add, toolResults = [] } of row.turns) {
      const messages = [...(add.messages ?? []), ...toolResults]
      if (messages.length > 0) conversationAt(row.place, shape, messages)
    }
    yield row
  }
}

/** With `sample`, so many of the rows, drawn by its seed and in a drawn order. */
export function conversationsOf(
  rows: Iterable<DatasetRow>,
  shapeOf: (turn: DatasetTurn) => RequestShape,
  sample?: { count: number; seed: number },
): Pick<DatasetConversations, 'source' | 'sessions'> {
  const firsts = [0]
  const delaysUs: (number | undefined)[] = []
  const toolResults: (readonly string[] | undefined)[] = []
  const graphs: (TurnGraph | undefined)[] = []
  function* templates(): Generator<GivenTemplate> {
    for (const row of rows) {
      assertFits(row)
      for (const turn of row.turns) {
        yield turnTemplate(row.place, turn, shapeOf(turn))
        const place = delaysUs.push(turn.delayMs === undefined ? undefined : turn.delayMs * 1_000) - 1
        if (turn.toolResults) toolResults[place] = turn.toolResults.map((result) => JSON.stringify(result))
      }
      const graph = graphOf(row.turns)
      if (graph) graphs[firsts.length - 1] = graph
      firsts.push(delaysUs.length)
    }
  }
  const source = givenRequests(templates())
  const order = sample && [...drawPlaces(firsts.length - 1, sample.count, sample.seed)]
  return { source, sessions: { firsts, order, delaysUs, toolResults, graphs } }
}

function assertFits(row: DatasetRow): void {
  assertEndpoint(row, 'chat')
  const { place, turns } = row
  if (turns.length <= MOST_TURNS) return
  throw new UserError(
    `${place}: a conversation of ${formatNumber(turns.length)} turns`,
    `kt takes ${formatNumber(MOST_TURNS)} at most: cut it.`,
  )
}

function turnTemplate(place: string, { add, members, outputTokens }: DatasetTurn, shape: RequestShape): GivenTemplate {
  const own = { ...members }
  delete own.model
  const asked: Message[] = add.messages ?? [{ role: 'user', content: add.prompt }]
  const build = (hole: string): JsonObject => {
    const messages = asked.length === 0 ? [{ role: RESULTS_ONLY, content: hole }] : endWithNonce(asked, hole, place)
    return { ...openaiRequest(shape, { messages }), ...own }
  }
  return { ...bodyTemplate(build, JSON.stringify([asked, own, shape.model]), shape.changes), outputTokens }
}
