/** Rows of ShareGPT: who says what, in turn. */
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { didYouMean } from '../../parse/near.ts'
import { asObject } from '../../wire/json.ts'
import type { DatasetRow } from './dataset.ts'
import { parseRow, type RowShape } from './shape.ts'
import { fromSharegpt, SHAREGPT_SPEAKERS, turnsOf } from './turns.ts'

const speaker = z
  .string()
  .refine((from) => SHAREGPT_SPEAKERS.includes(from), { error: ({ input }) => unknownSpeaker(String(input)) })
const sharegptMessage = z
  .looseObject({
    from: speaker.optional(),
    value: z.string().nullish(),
    role: speaker.optional(),
    content: z.string().nullish(),
  })
  .refine(({ from, role }) => from !== undefined || role !== undefined, "no 'from' says who speaks")
const sharegptRow = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  conversations: z.array(sharegptMessage).optional(),
  conversation: z.array(sharegptMessage).optional(),
  system: z.string().nullish(),
})

function unknownSpeaker(from: string): string {
  const near = didYouMean(from, SHAREGPT_SPEAKERS)
  return `nobody is called '${from}' here${near ? ` (did you mean '${near}'?)` : ': human, gpt, system or tool'}`
}

export const sharegpt: RowShape = {
  example: '{"conversations": [{"from": "human", "value": "Say hello"}, {"from": "gpt", "value": "Hello!"}]}',
  fits: ({ conversations, conversation }) => {
    const list = conversations ?? conversation
    return Array.isArray(list) && (list.length === 0 || asObject(list[0])?.from !== undefined)
  },
  read(row, place) {
    const { id, conversations, conversation, system } = parseRow(row, sharegptRow, place, sharegpt.example)
    const said = conversations ?? conversation
    if (!said) throw new UserError(`${place}: no 'conversations'`, `A row is ${sharegpt.example}.`)
    const messages = said.map(({ from, role, value, content }) => {
      return { from: from ?? role ?? '', value: value ?? content ?? '' }
    })
    const all = fromSharegpt(system ? [{ from: 'system', value: system }, ...messages] : messages)
    // Exports of chats hold fragments: an answer alone, a question without a word.
    const turns = turnsOf(all.filter(({ role, content }) => role !== 'user' || content !== ''))
    if (!turns?.some(({ add }) => add.messages?.some(({ role }) => role === 'user'))) return undefined
    return { place, turns: withoutTail(turns), ...(id === undefined ? {} : { sessionId: String(id) }) }
  },
}

/** A last turn in which no user asks anything is none. */
function withoutTail(turns: DatasetRow['turns']): DatasetRow['turns'] {
  const [first, ...others] = turns
  const last = others.at(-1)
  const asks = last?.add.messages?.length === 0 || last?.add.messages?.some(({ role }) => role === 'user')
  return last === undefined || asks ? turns : [first, ...others.slice(0, -1)]
}
