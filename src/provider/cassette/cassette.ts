/**
 * A cassette: recorded answers of a provider with the times of their pieces, as JSON lines. The first line is its head,
 * each further line one whole answer, so that a file that was cut is good up to its last whole line. Times are
 * milliseconds since the request left for the upstream on an open connection.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { UserError } from '../../errors.ts'
import { explainZodError } from '../../parse/explain.ts'
import { systemReason } from '../../parse/system-reason.ts'
import { asObject, type JsonObject, parseObject } from '../../wire/json.ts'

export const CASSETTE = 'kt.cassette/1'

const ms = z.number().min(0)

const headSchema = z.looseObject({
  schema: z.literal(CASSETTE).describe('name and version of this format'),
  kt: z.string().describe('version of the kt that recorded'),
  startedAt: z.string().describe('when the recording began'),
  upstream: z.string().describe('what was recorded: scheme, host and path'),
})

export type CassetteHead = z.infer<typeof headSchema>

const chunkSchema = z.object({
  ms: ms.describe('when the piece came'),
  text: z.string().optional().describe('its text'),
  base64: z.string().optional().describe('its bytes, where they are not UTF-8'),
})

export type RecordedChunk = z.infer<typeof chunkSchema>

/** How an answer ended: by its own end, broken off, or with a reset before it began. */
const ENDS = ['whole', 'cut', 'reset'] as const

const answerSchema = z
  .object({
    at: z.string().describe('when the request was sent'),
    request: z
      .object({
        method: z.string().describe('its method'),
        path: z.string().describe('without its query; ids of projects and accounts in it are left out'),
        query: z.string().optional().describe('what of the query chooses an answer: alt, api-version, beta'),
        kind: z.string().describe('the protocol, such as openai-chat; else method and path'),
        model: z.string().nullable().describe('the model that it named'),
        stream: z.boolean().describe('it asked for a stream'),
        bytes: z.int().min(0).describe('size of its body'),
        digest: z.string().describe('SHA-256 of its canonical JSON: sorted keys, without the nonce of kt'),
        body: z.string().optional().describe('its body, with --keep-prompts'),
      })
      .describe('what was asked'),
    connectMs: ms.describe('waited for a connection, in no other time'),
    status: z.int().min(100).max(999).nullable().describe('null where the connection was reset before an answer'),
    headMs: ms.nullable().describe('when the head came'),
    headers: z.array(z.tuple([z.string(), z.string()])).describe('headers of the answer that are kept'),
    leftOut: z.array(z.string()).describe('names of the headers that are not'),
    chunks: z.array(chunkSchema).describe('the pieces of the body, as they came'),
    end: z.enum(ENDS).describe('by its own end, broken off, or reset before it began'),
    endMs: ms.describe('when it ended'),
  })
  .describe('an answer')

export type RecordedAnswer = z.infer<typeof answerSchema>

/** A line of a cassette, for the JSON Schema. */
export const cassetteLine = z
  .union([headSchema, answerSchema])
  .describe('a line of kt provider record --output: its head, or a recorded answer')

export interface Cassette {
  path: string
  head: CassetteHead
  /** With the lines that they stand on. */
  answers: { line: number; answer: RecordedAnswer }[]
  /** Said of a file that is cut off: where. */
  notes: string[]
  /** Bytes up to the end of the last whole line. */
  wholeBytes: number
}

const NEWLINE = 0x0a
const AGAIN = "Record it again with 'kt provider record --output'."

/** Reads a whole cassette; `needsAnswers` refuses one that holds none. */
export function readCassette(path: string, needsAnswers = true): Cassette {
  const bytes = readBytes(path)
  const answers: Cassette['answers'] = []
  let head: CassetteHead | undefined
  let line = 0
  let wholeBytes = 0
  // Line by line: a whole recording may be longer than a string can be.
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, wholeBytes)) {
    const text = bytes.toString('utf8', wholeBytes, end)
    line++
    if (!head) head = readHead(path, text)
    else if (text !== '') answers.push({ line, answer: answerOf(path, text, line) })
    wholeBytes = end + 1
  }
  head ??= readHead(path, bytes.toString('utf8', 0, MOST_HEAD_BYTES))
  const isCut = wholeBytes < bytes.length
  if (needsAnswers && answers.length === 0) {
    const why = isCut ? 'the cassette is cut off before its first whole answer' : 'the cassette holds no answer'
    throw fault(path, isCut ? line + 1 : line, why, AGAIN)
  }
  const whole = answers.length === 1 ? '1 answer is whole' : `${answers.length} answers are whole`
  const notes = isCut ? [`${path}, line ${line + 1}: the cassette is cut off here; ${whole} before it`] : []
  return { path, head, answers, notes, wholeBytes }
}

/** Of a file that has no line. */
const MOST_HEAD_BYTES = 4_096

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new UserError(
      `cannot read the cassette ${path}: ${systemReason(error)}`,
      'Check the path and its permissions.',
    )
  }
}

function readHead(path: string, line: string): CassetteHead {
  const json = parseObject(line)
  const schema = json?.schema
  if (typeof schema === 'string' && schema.startsWith('kt.cassette/') && schema !== CASSETTE) {
    const next = 'Record it again, or read it with the kt that wrote it.'
    throw fault(path, 1, `the cassette is of version ${schema}, and this kt reads ${CASSETTE}`, next)
  }
  const head = headSchema.safeParse(json)
  if (head.success) return head.data
  throw fault(path, 1, `not a cassette: it does not begin with a line {"schema":"${CASSETTE}", ...}`, AGAIN)
}

function answerOf(path: string, text: string, line: number): RecordedAnswer {
  const json = parseObject(text)
  if (!json) throw fault(path, line, 'not JSON: the line is damaged', 'Delete the line, or record again.')
  const untimed = timeMissing(json)
  if (untimed !== undefined) throw fault(path, line, `the answer has no times (${untimed} is missing)`, AGAIN)
  const answer = answerSchema.safeParse(json)
  if (answer.success) return answer.data
  const why = explainZodError(answer.error, answerSchema)[0] ?? 'it has other members'
  throw fault(path, line, `not a recorded answer: ${why}`, 'Delete the line, or record again.')
}

/** The first of an answer's times that it does not have. */
function timeMissing({ headMs, endMs, chunks }: JsonObject): string | undefined {
  if (headMs === undefined) return 'headMs'
  if (endMs === undefined) return 'endMs'
  const place = Array.isArray(chunks) ? chunks.findIndex((chunk) => asObject(chunk)?.ms === undefined) : -1
  return place === -1 ? undefined : `chunks[${place}].ms`
}

function fault(path: string, line: number, why: string, next: string): UserError {
  return new UserError(`${path}, line ${line}: ${why}`, next)
}

export function bytesOf({ text, base64 }: RecordedChunk): Buffer {
  return base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64')
}

/** A header of a recorded answer by its name in lower case. */
export function headerOf({ headers }: RecordedAnswer, name: string): string | undefined {
  return headers.find(([known]) => known === name)?.[1]
}
