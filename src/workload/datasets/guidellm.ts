/** Rows of guidellm's conversation graphs: turns that name their parents, and what they know of each. */
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { didYouMean } from '../../parse/near.ts'
import { asText, type JsonObject, parseObject } from '../../wire/json.ts'
import type { DatasetTurn, Message, TurnParent } from './dataset.ts'
import { parseRow, type RowShape, tokens } from './shape.ts'

const unsent = z.array(z.never('kt sends texts alone in these graphs')).nullish()
const texts = z.array(z.string())
const DAY_S = 86_400
const turnSchema = z.looseObject({
  node_id: z.string(),
  parents: z
    .array(
      z.looseObject({ parent_node_id: z.string(), history_context: z.enum(['new', 'last', 'full']).default('full') }),
    )
    .default([]),
  columns: z.looseObject({
    text_column: texts.min(1, 'must hold a text'),
    prefix_column: texts.nullish(),
    output_tokens_count_column: z.array(tokens).nullish(),
    ...{ image_column: unsent, video_column: unsent, audio_column: unsent },
    ...{ tools_column: unsent, tool_response_column: unsent },
  }),
  settings: z
    .looseObject({
      requeue_delay: z.number().min(0, 'must not be negative').max(DAY_S, 'is more than a day').nullish(),
      relative_timestamp: z.null('kt sends a turn when its parents have ended, not at a time: leave it out').optional(),
    })
    .nullish(),
})
const graphSchema = z.looseObject({ turns: z.array(turnSchema).min(1, 'must hold at least one turn') })
const rowSchema = z.looseObject({ conversation_turns: graphSchema })

type Turn = z.output<typeof turnSchema>

export const guidellm: RowShape = {
  example:
    '{"conversation_turns": {"turns": [{"node_id": "a", "columns": {"text_column": ["Plan it"]}}, {"node_id": "b", ' +
    '"parents": [{"parent_node_id": "a"}], "columns": {"text_column": ["Do it"]}}]}}',
  fits: ({ conversation_turns }) => conversation_turns !== undefined,
  read(row, place) {
    const { conversation_turns } = parseRow(unpacked(row), rowSchema, place, guidellm.example)
    const turns = inOrder(conversation_turns.turns, place)
    const places = new Map(turns.map(({ node_id }, i) => [node_id, i]))
    const byName = new Map(turns.map((turn) => [turn.node_id, turn]))
    const [first, ...others] = turns.map((turn): DatasetTurn => {
      const parents = turn.parents.map(({ parent_node_id: id, history_context }): TurnParent => {
        const delayS = byName.get(id)?.settings?.requeue_delay
        return {
          turn: places.get(id) ?? 0,
          history: history_context,
          delayMs: delayS == null ? undefined : delayS * 1e3,
        }
      })
      const outputTokens = turn.columns.output_tokens_count_column?.[0]
      return { add: { messages: messagesOf(turn) }, outputTokens, parents }
    })
    return first && { place, turns: [first, ...others] }
  },
}

/** The graph stands in the row, or its JSON in a text. */
function unpacked(row: JsonObject): JsonObject {
  const text = asText(row.conversation_turns)
  return text === undefined ? row : { ...row, conversation_turns: parseObject(text) }
}

function messagesOf({ columns }: Turn): Message[] {
  const [only = '', ...more] = columns.text_column
  const content = more.length === 0 ? only : columns.text_column.map((text) => ({ type: 'text', text }))
  const system = columns.prefix_column?.length ? [{ role: 'system', content: columns.prefix_column.join(' ') }] : []
  return [...system, { role: 'user', content }]
}

/** Parents first, else as they stand. */
function inOrder(turns: readonly Turn[], place: string): Turn[] {
  const byName = new Map<string, Turn>()
  for (const [i, turn] of turns.entries()) {
    if (byName.has(turn.node_id)) throw wrong(place, `turns.${i}.node_id: '${turn.node_id}' is there already`)
    byName.set(turn.node_id, turn)
  }
  for (const [i, turn] of turns.entries()) assertParents(turn, byName, `${place}: conversation_turns.turns.${i}`)
  const missing = new Map(turns.map(({ node_id, parents }) => [node_id, parents.length]))
  const children = new Map<string, Turn[]>()
  for (const turn of turns) {
    for (const { parent_node_id: id } of turn.parents) children.set(id, [...(children.get(id) ?? []), turn])
  }
  const ordered = turns.filter(({ parents }) => parents.length === 0)
  for (const { node_id } of ordered) {
    for (const child of children.get(node_id) ?? []) {
      const left = (missing.get(child.node_id) ?? 0) - 1
      missing.set(child.node_id, left)
      if (left === 0) ordered.push(child)
    }
  }
  if (ordered.length === turns.length) return ordered
  const done = new Set(ordered)
  throw wrong(
    place,
    `a cycle: ${cycleIn(
      turns.filter((turn) => !done.has(turn)),
      byName,
    ).join(' -> ')}`,
  )
}

function assertParents({ parents }: Turn, byName: ReadonlyMap<string, Turn>, place: string): void {
  const seen = new Set<string>()
  for (const { parent_node_id: id } of parents) {
    if (!byName.has(id)) {
      const near = didYouMean(id, [...byName.keys()])
      throw wrong(place, `no turn '${id}'${near ? ` (did you mean '${near}'?)` : ''} for a parent`)
    }
    if (seen.has(id)) throw wrong(place, `'${id}' is its parent twice`)
    seen.add(id)
  }
  const full = parents.filter(({ history_context }) => history_context === 'full')
  if (full.length > 1) throw wrong(place, `the whole history of one parent at most (full), not of ${full.length}`)
}

/** Each of the `left` turns has a parent among them: whoever goes up comes round. */
function cycleIn(left: readonly Turn[], byName: ReadonlyMap<string, Turn>): string[] {
  const names = new Set(left.map(({ node_id }) => node_id))
  const path: string[] = []
  let at = left[0]
  while (at && !path.includes(at.node_id)) {
    path.push(at.node_id)
    const up = at.parents.find(({ parent_node_id }) => names.has(parent_node_id))
    at = up && byName.get(up.parent_node_id)
  }
  const from = at?.node_id ?? ''
  return [from, ...path.slice(path.indexOf(from)).reverse()]
}

function wrong(place: string, what: string): UserError {
  return new UserError(`${place}: ${what}`, `A row is ${guidellm.example}.`)
}
