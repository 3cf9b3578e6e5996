/**
 * An answer as it is kept: what the client got, after output policies, and what the record of a later hit needs to know.
 * Only answers that are complete are kept; a stream is complete when it ends with [DONE] and says no error on its way.
 */
import { z } from 'zod'
import type { RequestContext } from '../http/context.ts'
import { isFieldValue } from '../http/headers.ts'
import type { StoredAnswer } from '../http/stages.ts'
import { parse } from '../protocols/json.ts'

export interface Entry extends StoredAnswer {
  model: string
  provider: string
}

const TAIL_BYTES = 64
const ERROR_EVENTS = ['data: {"error"', 'data:{"error"', 'event: error', 'event:error']

export function entryOf(answer: StoredAnswer, context: RequestContext): Entry {
  return { ...answer, model: context.model ?? '', provider: context.provider ?? '' }
}

export function isComplete(answer: StoredAnswer): boolean {
  if (!answer.stream) return answer.body.length > 0
  const tail = answer.body.toString('latin1', Math.max(0, answer.body.length - TAIL_BYTES))
  return /(?:^|[\r\n])data: ?\[DONE\][\r\n]*$/.test(tail) && !ERROR_EVENTS.some((start) => answer.body.includes(start))
}

/** What `entryOf` keeps, and nothing else: others may write to the place where entries lie. */
const head = z.object({
  headers: z.union([z.tuple([]), z.tuple([z.literal('content-type'), z.string().refine(isFieldValue)])]),
  stream: z.boolean(),
  model: z.string(),
  provider: z.string(),
})

/** Length of the head (4 bytes), head as JSON, body. */
export function encodeEntry({ body, ...rest }: Entry): Buffer {
  const text = Buffer.from(JSON.stringify(rest))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([length, text, body])
}

/** Undefined for what is no entry. */
export function decodeEntry(bytes: Buffer): Entry | undefined {
  if (bytes.length < 4) return undefined
  const end = 4 + bytes.readUInt32BE(0)
  const read = head.safeParse(parse(bytes.toString('utf8', 4, end)))
  const entry = read.success ? { ...read.data, body: bytes.subarray(end) } : undefined
  return entry && isComplete(entry) ? entry : undefined
}

export function sizeOf(entry: Entry): number {
  return entry.body.length + entry.headers.reduce((sum, part) => sum + part.length, 512)
}
