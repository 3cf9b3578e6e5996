/**
 * Rows of named columns: JSON Lines as on the Hugging Face hub, vLLM's custom dataset, CSV and Parquet. The columns
 * are found by the names that such files use, or named by the user (`--dataset-columns prompt=question`).
 */
import { distance } from 'fastest-levenshtein'
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { didYouMean } from '../../parse/near.ts'
import type { JsonObject } from '../../wire/json.ts'
import { type DatasetRow, type Message, messagesSchema } from './dataset.ts'
import { delayMs, parseMember, type RowShape, tokens } from './shape.ts'
import { turnsOf } from './turns.ts'

/** What a column may be for, and the names that are taken for it, first those before others. */
const NAMES = {
  prompt: ['prompt', 'instruction', 'question', 'query', 'text', 'text_input', 'input', 'problem'],
  messages: ['messages', 'conversations', 'conversation', 'chat'],
  system: ['system', 'system_prompt'],
  context: ['context', 'input'],
  answer: ['answer', 'response', 'completion', 'output'],
  output: ['output_tokens', 'output_length', 'output_len', 'max_tokens', 'max_new_tokens', 'completion_tokens'],
  session: ['session_id', 'conversation_id'],
  delay: ['delay', 'delay_ms'],
} as const

type ColumnUse = keyof typeof NAMES
export type ColumnNames = Partial<Record<ColumnUse, string>>

const USES = Object.keys(NAMES) as ColumnUse[]

/** 'prompt=question,output=max_len' */
export const columnNames = z.string().transform((given, { addIssue }): ColumnNames => {
  const names: ColumnNames = {}
  for (const pair of given.split(',')) {
    const [, use = pair.trim(), name = ''] = /^\s*(\w+)\s*=\s*(.+?)\s*$/.exec(pair) ?? []
    const known = USES.find((each) => each === use)
    if (known && name !== '') names[known] = name
    else addIssue(known ? `${use} names no column` : unknownUse(use))
  }
  return names
})

function unknownUse(use: string): string {
  const near = didYouMean(use, USES)
  return `no column is for '${use}'${near ? ` (did you mean '${near}'?)` : `: ${USES.join(', ')}`}`
}

const EXAMPLES =
  '{"prompt": "Say hello", "output_tokens": 20} or {"messages": [{"role": "user", "content": "Say hello"}]}'

const promptColumn = z.string().min(1, 'must not be empty')
const outputColumn = tokens.nullish()
const delayColumn = delayMs.nullish()
const sessionColumn = z.union([z.string(), z.number()]).nullish()

export const columns: RowShape = columnsShape({})

export function columnsShape(named: ColumnNames): RowShape {
  return {
    example: EXAMPLES,
    fits: (row) => (['prompt', 'messages'] as const).some((use) => findColumn(row, use, named) !== undefined),
    read: (row, place) => readColumns(row, place, named),
  }
}

function readColumns(row: JsonObject, place: string, named: ColumnNames): DatasetRow | undefined {
  for (const name of Object.values(named)) if (!(name in row)) throw noColumn(name, row, place)
  assertSpelling(row, place)
  const column = (use: ColumnUse): string | undefined => findColumn(row, use, named)
  const text = (use: ColumnUse): string | undefined => {
    const value = row[column(use) ?? '']
    // Columns of these names often hold lists and objects, which are neither.
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const number = (use: 'output' | 'delay'): number | undefined => {
    const name = column(use)
    if (name === undefined || row[name] === '') return undefined
    return parseMember(row, name, use === 'output' ? outputColumn : delayColumn, place, EXAMPLES) ?? undefined
  }
  const shared = { outputTokens: number('output'), delayMs: number('delay') }
  const sessionName = column('session')
  const sessionId = sessionName && parseMember(row, sessionName, sessionColumn, place, EXAMPLES)
  const rest = { place, ...(sessionId ? { sessionId: String(sessionId) } : {}) }
  const [messagesName, promptName] = [column('messages'), column('prompt')]
  if (messagesName !== undefined && !(named.prompt && !named.messages)) {
    const [first, ...others] = turnsOf(messagesAt(row, messagesName, place)) ?? []
    // The length is that of the last answer: earlier ones stand there already.
    const last = others.pop()
    if (!first) return undefined
    return { ...rest, turns: last ? [first, ...others, { ...last, ...shared }] : [{ ...first, ...shared }] }
  }
  if (promptName === undefined) throw nothingAsked(row, place)
  const prompt = parseMember(row, promptName, promptColumn, place, EXAMPLES)
  const context = promptName === column('context') ? undefined : text('context')
  const asked = context ? `${prompt}\n\n${context}` : prompt
  const system = text('system')
  const answer = text('answer')
  const user = { role: 'user', content: asked }
  const add = system ? { messages: [{ role: 'system', content: system }, user] } : { prompt: asked }
  return { ...rest, turns: [{ add, ...shared, ...(answer && { answer: { role: 'assistant', content: answer } }) }] }
}

function findColumn(row: JsonObject, use: ColumnUse, named: ColumnNames): string | undefined {
  const own = named[use]
  if (own !== undefined) return own
  const taken = Object.values(named)
  return NAMES[use].find((name) => row[name] !== undefined && row[name] !== null && !taken.includes(name))
}

/** The messages as they were written, keys in their order; in CSV they are JSON in a text. */
function messagesAt(row: JsonObject, name: string, place: string): Message[] {
  const given = row[name]
  const value = typeof given === 'string' ? parseOrKeep(given) : given
  parseMember({ [name]: value }, name, messagesSchema, place, EXAMPLES)
  return value as Message[]
}

function parseOrKeep(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A slip in one of the names that decide what is sent would go unseen: other columns are none of kt's business. */
function assertSpelling(row: JsonObject, place: string): void {
  for (const key of Object.keys(row)) {
    const meant = (['prompt', 'messages', 'output_tokens'] as const).find((name) => {
      return distance(key, name) === 1 && key !== `${name}s` && !(name === 'messages' && key === 'message')
    })
    if (meant === undefined) continue
    throw new UserError(`${place}: unknown key '${key}' (did you mean '${meant}'?)`, `A row is ${EXAMPLES}.`)
  }
}

function noColumn(name: string, row: JsonObject, place: string): UserError {
  const near = didYouMean(name, Object.keys(row))
  return new UserError(
    `${place}: no column '${name}'${near ? ` (did you mean '${near}'?)` : ''}`,
    `Its columns: ${Object.keys(row).slice(0, 12).join(', ')}.`,
  )
}

function nothingAsked(row: JsonObject, place: string): UserError {
  const names = Object.keys(row)
  return new UserError(
    `${place}: neither a prompt nor messages${names.length > 0 ? ` in ${names.slice(0, 12).join(', ')}` : ''}`,
    `A row is ${EXAMPLES}. Name the column: --dataset-columns prompt=NAME.`,
  )
}
