/**
 * One request that a user sends from a file (`--body`), as it stands but for the nonce at the end of its last message;
 * and how messages end with a nonce. Files of many requests are read in src/workload/datasets/.
 */
import { basename } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { parseWith, readText } from '../parse/file.ts'
import { type BodyChanges, marked } from '../wire/body-changes.ts'
import { type ApiEndpoint, ENDPOINTS, endpointOf } from '../wire/endpoints.ts'
import { asObject, type JsonObject } from '../wire/json.ts'
import { bodyTemplate, type RequestTemplate } from '../wire/template.ts'
import { type ContentPart, type Message, messagesSchema } from './datasets/dataset.ts'

const MAX_CHARS = 128 * 1024 * 1024

interface GivenBody {
  template: RequestTemplate
  model: string
  stream: boolean
}

/** The request in a JSON file; `model` and `stream`, where given, stand instead of its own. */
export function readBody(
  path: string,
  asked: {
    endpoint: ApiEndpoint
    model?: string | undefined
    stream?: boolean | undefined
    changes?: BodyChanges | undefined
  },
): GivenBody {
  const raw = parseJson(readUserText(path, 'request body'), path)
  parseWith(raw, bodySchema, path, 'request body')
  // As it was written, keys in their order: what zod returns puts those it knows first.
  const body = raw as z.infer<typeof bodySchema>
  assertBodyOf(asked.endpoint, body, path)
  if (typeof body.stream === 'boolean' && asked.stream !== undefined && body.stream !== asked.stream) {
    throw new UserError(
      `${path} says "stream": ${body.stream}, the command line ${asked.stream ? '--stream' : '--no-stream'}`,
      'Correct one of them.',
    )
  }
  const model = asked.model ?? body.model
  if (model === undefined)
    throw new UserError(`${path}: the body names no model`, 'Write one into it, or pass --model.')
  const stream = body.stream ?? asked.stream ?? false
  const named = { model, ...(stream && body.stream === undefined ? { stream: true } : {}) }
  const own = { ...body, ...(endpointOf(asked.endpoint).inPath ? {} : named) }
  const build = (hole: string): JsonObject => withNonce(own, hole, asked.endpoint, path)
  const template = bodyTemplate(build, JSON.stringify(own), asked.changes)
  return { template, model, stream }
}

/** For the report: the file's name says enough, its content is in the hash. */
export function fileName(path: string): string {
  return basename(path)
}

const bodySchema = z.looseObject({
  model: z.string().min(1, 'must not be empty').optional(),
  stream: z.boolean().optional(),
  messages: messagesSchema.optional(),
})

/** Any JSON, as it stands in the file: kt knows nothing of it, and marks nothing. */
export function readRaw(path: string): GivenBody {
  const text = readUserText(path, 'request body')
  parseJson(text, path)
  return { template: { before: text, between: '', after: '' }, model: RAW_MODEL, stream: false }
}

/** Stands in reports for what nobody reads. */
const RAW_MODEL = 'a raw body'

/** The member of an endpoint's request that holds the prompt. */
function promptMember(endpoint: ApiEndpoint): string {
  return endpointOf(endpoint).format?.requestMembers[0] ?? ''
}

/** Refuses the body of another endpoint, and of one that kt bench does not send to. */
function assertBodyOf(endpoint: ApiEndpoint, body: JsonObject, path: string): void {
  const member = promptMember(endpoint)
  if (body[member] !== undefined) return
  const others = ENDPOINTS.filter((other) => body[promptMember(other)] !== undefined)
  const [misplaced] = others
  if (!misplaced) {
    throw new UserError(
      `${path}: the body has no '${member}', and --endpoint is ${endpoint}`,
      `Pass another of ${ENDPOINTS.join(', ')}; raw sends any JSON as it is.`,
    )
  }
  throw new UserError(
    `${path}: the body holds '${promptMember(misplaced)}', and --endpoint is ${endpoint}`,
    `Pass --endpoint ${others.join(' or ')}, if it is a request of that one.`,
  )
}

function withNonce(
  body: JsonObject & { messages?: Message[] | undefined },
  nonce: string,
  endpoint: ApiEndpoint,
  path: string,
): JsonObject {
  const field = promptMember(endpoint)
  if (body.messages && field === 'messages') return { ...body, messages: endWithNonce(body.messages, nonce, path) }
  const prompt = body[field]
  if (typeof prompt === 'string') return { ...body, [field]: marked(prompt, nonce) }
  const last: unknown = Array.isArray(prompt) ? prompt.at(-1) : undefined
  const ended = typeof last === 'string' ? marked(last, nonce) : withNonceIn(asObject(last), nonce)
  if (Array.isArray(prompt) && ended !== undefined) return { ...body, [field]: [...prompt.slice(0, -1), ended] }
  throw new UserError(
    `${path}: '${field}' ends with no text`,
    `kt marks every request at the end of its last text: give '${field}' as a text, as several, or as messages; ` +
      'or send it as it is with --endpoint raw, to a whole address.',
  )
}

/** An item of Responses, or a content of Gemini: its text, or the last of its parts that is one. */
function withNonceIn(item: JsonObject | undefined, nonce: string): JsonObject | undefined {
  for (const member of ['content', 'parts']) {
    const held: unknown = item?.[member]
    if (typeof held === 'string') return { ...item, [member]: marked(held, nonce) }
    const parts: unknown[] = Array.isArray(held) ? held : []
    const at = parts.findLastIndex((part) => typeof asObject(part)?.text === 'string')
    const text = asObject(parts[at])
    if (text) return { ...item, [member]: parts.with(at, { ...text, text: marked(String(text.text), nonce) }) }
  }
  return undefined
}

/** The nonce ends the last text of the last message; a message of parts without text gets a part of its own. */
export function endWithNonce(messages: readonly Message[], nonce: string, place: string): Message[] {
  const last = messages.at(-1)
  const content = last?.content
  if (!last || content === null || content === undefined) {
    throw new UserError(
      `${place}: the last message has no content`,
      'kt marks every request at the end of its last text.',
    )
  }
  return [
    ...messages.slice(0, -1),
    { ...last, content: typeof content === 'string' ? marked(content, nonce) : markParts(content, nonce) },
  ]
}

function markParts(parts: readonly ContentPart[], nonce: string): ContentPart[] {
  const at = parts.findLastIndex(({ text }) => text !== undefined)
  if (at === -1) return nonce === '' ? [...parts] : [...parts, { type: 'text', text: nonce }]
  return parts.map((each, index) => (index === at ? { ...each, text: marked(each.text ?? '', nonce) } : each))
}

function readUserText(path: string, what: string): string {
  const text = readText(path, what).replace(/^\uFEFF/, '')
  if (text.trim() === '') throw new UserError(`${path}: the file is empty`, `Give a file of ${what}.`)
  if (text.length <= MAX_CHARS) return text
  throw new UserError(`${path}: larger than 128 MiB`, 'Requests are kept in memory: give a smaller file.')
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll(/\s+/g, ' ') : ''
    throw new UserError(`${place}: not JSON: ${why}`, 'Correct it and run again.')
  }
}
