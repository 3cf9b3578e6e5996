/** Rows of AIPerf's datasets: single_turn (`text`, `texts`) and multi_turn (`turns`). */
import { z } from 'zod'
import type { Added, ContentPart, DatasetTurn, Message } from './dataset.ts'
import { delayMs, parseRow, type RowShape, tokens } from './shape.ts'

const aiperfText = z.union([
  z.string(),
  z.looseObject({ contents: z.array(z.string()) }).transform(({ contents }) => contents),
])
const imageUrl = z.string().regex(/^(https?:|data:)/, 'kt sends images by address only: https://… or data:…')
const unsent = z.null('kt sends texts and images only').optional()
const aiperfTurn = z
  .looseObject({
    text: z.string().min(1, 'must not be empty').nullish(),
    texts: z.array(aiperfText).nullish(),
    image: imageUrl.nullish(),
    images: z.array(imageUrl).nullish(),
    ...{ audio: unsent, audios: unsent, video: unsent, videos: unsent },
    role: z.string().nullish(),
    delay: delayMs.nullish(),
    output_length: tokens.nullish(),
    extra: z.record(z.string(), z.unknown()).nullish(),
  })
  .refine(({ text, texts }) => !(text && texts?.length), 'text and texts exclude each other')
  .refine(({ text, texts, image, images }) => text || texts?.flat().length || image || images?.length, "no 'text'")
const session = z.union([z.string(), z.number()]).nullish()
const aiperfSingle = aiperfTurn.safeExtend({ session_id: session })
const aiperfMulti = z.looseObject({
  session_id: session,
  turns: z.array(aiperfTurn).min(1, 'must hold at least one turn'),
})

export const aiperf: RowShape = {
  example: '{"text": "Say hello"} or {"turns": [{"text": "Say hello"}, {"text": "Again", "delay": 500}]}',
  fits: ({ text, texts, turns, prompt, messages }) => {
    if (prompt !== undefined || messages !== undefined) return false
    return Array.isArray(turns) || Array.isArray(texts) || typeof text === 'string'
  },
  read(row, place) {
    const isMulti = row.turns !== undefined
    const { session_id, turns } = isMulti
      ? parseRow(row, aiperfMulti, place, aiperf.example)
      : withTurns(parseRow(row, aiperfSingle, place, aiperf.example))
    const [first, ...others] = joinSystem(turns.map(turnOfAiperf))
    if (!first) return undefined
    return { place, turns: [first, ...others], ...(session_id == null ? {} : { sessionId: String(session_id) }) }
  },
}

function withTurns(row: z.infer<typeof aiperfSingle>): z.infer<typeof aiperfMulti> {
  return { session_id: row.session_id, turns: [row] }
}

function turnOfAiperf(turn: z.infer<typeof aiperfTurn>): DatasetTurn {
  const { text, texts, image, images, role, delay, output_length, extra } = turn
  const all = text ? [text] : (texts ?? []).flat()
  const pictures = image ? [image] : (images ?? [])
  const [only = '', ...more] = all
  const parts: ContentPart[] = [
    ...all.map((each) => ({ type: 'text', text: each })),
    ...pictures.map((url) => ({ type: 'image_url', image_url: { url } })),
  ]
  const content = more.length === 0 && pictures.length === 0 ? only : parts
  const isPlain = typeof content === 'string' && (role ?? 'user') === 'user'
  return {
    add: isPlain ? { prompt: content } : { messages: [{ role: role ?? 'user', content }] },
    delayMs: delay ?? undefined,
    outputTokens: output_length ?? undefined,
    members: extra ?? undefined,
  }
}

/** A leading turn of the role 'system' is no request of its own: it goes before the first user's. */
function joinSystem([first, second, ...others]: DatasetTurn[]): DatasetTurn[] {
  const before = first?.add.messages
  if (!first || !second || before?.[0]?.role !== 'system') return [first, second, ...others].filter((turn) => !!turn)
  return [{ ...second, add: { messages: [...before, ...asMessages(second.add)] } }, ...others]
}

function asMessages(add: Added): Message[] {
  return add.messages ?? [{ role: 'user', content: add.prompt }]
}
