/**
 * Cache entries: which requests may be answered from the cache, under which key, and how a response is stored. The key
 * is a digest of the tenant, the gateway's routes and policies, the path, every header that goes upstream but a few
 * that change no response, and the body, byte for byte, as it goes upstream: by default the whole of it, which covers
 * everything that changes the response (tools, response_format, stop, seed, top_p, n, stream, and what providers add
 * next year). Where the config names members, those count, and the form of the answer that is asked for. Two spellings
 * of one request are two entries: that costs a hit, and never gives a wrong response. Only what reads as a complete
 * answer without an error is stored, and only where it holds output: a dead backend's empty answer must not live on
 * here.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { isEmptyAnswer } from '../../src/wire/answer-content.ts'
import { ChatChunk } from '../../src/wire/chat-chunk.ts'
import { bearsTokens, readStreamEvent } from '../../src/wire/formats.ts'
import { readJsonAnswer } from '../../src/wire/json-answer.ts'
import { SseReader } from '../../src/wire/sse.ts'
import type { CacheConfig } from '../config/config-file.ts'
import { WHOLE_BODY } from '../config/notices.ts'
import { CLIENT_KEY_HEADERS } from '../http/client-key.ts'
import { isFieldValue } from '../http/headers.ts'
import type { StoredResponse } from '../http/hooks.ts'
import type { RequestContext } from '../http/request-context.ts'
import { parse } from '../protocols/json.ts'
import { KeyMembers } from './key-members.ts'

/**
 * Headers that say nothing about who asks or for what: of the connection, of the client's program, of this one request.
 * The tenant stands for the keys. Any other header may name an account, and counts.
 */
const IGNORED_HEADERS: ReadonlySet<string> = new Set([
  ...['host', 'connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect', 'date'],
  ...['content-length', 'content-type', 'cache-control', 'pragma', 'user-agent', 'traceparent', 'tracestate'],
  ...['x-request-id', 'x-client-request-id', 'idempotency-key', ...CLIENT_KEY_HEADERS],
])
const OF_CLIENT_PROGRAM = /^x-stainless-/
/** Members that say in what form the answer comes. */
const FORM_MEMBERS = ['stream', 'stream_options']
/** Raised whenever the form of keys or entries changes: a cache outlives the process. */
const FORM = 4

export interface KeyRules {
  temperature: number
  /** The members of the body that count, beside the model; undefined: all of it. */
  members: readonly string[] | undefined
  /** Headers that count although they say nothing. */
  headers: ReadonlySet<string>
  /** A digest of whatever in the config decides who answers and what is filtered. */
  scope: string
}

export function keyRules(config: CacheConfig, scope: unknown): KeyRules {
  const parts = config.key_includes
  const isHeader = (part: string): boolean => part.startsWith('header:')
  return {
    temperature: config.cache_when.temperature,
    members: parts.includes(WHOLE_BODY) ? undefined : [...FORM_MEMBERS, ...parts.filter((part) => !isHeader(part))],
    headers: new Set(parts.filter(isHeader).map((part) => part.slice(7).toLowerCase())),
    scope: createHash('sha256').update(JSON.stringify(scope)).digest('base64url'),
  }
}

/** Whether the cache is meant for this request, and nothing in the request forbids it. */
export function isCacheable(context: RequestContext, rules: KeyRules): boolean {
  const { endpoint, headers } = context
  if (!context.isJson || context.method !== 'POST' || (endpoint !== 'chat' && endpoint !== 'completions')) return false
  // Without a temperature the provider's default applies, which is not 0.
  if (context.temperature !== rules.temperature) return false
  // The client wants the provider to keep the response: a response from the cache would not do that.
  if (context.store) return false
  return !/\bno-(?:store|cache)\b/i.test(headers['cache-control'] ?? '')
}

/** Returns 43 characters. */
export function cacheKey(context: RequestContext, rules: KeyRules): string {
  const said = Object.entries(context.headers).filter(
    ([name]) => rules.headers.has(name) || !(IGNORED_HEADERS.has(name) || OF_CLIENT_PROGRAM.test(name)),
  )
  // In whatever order they came.
  said.sort(([a], [b]) => (a < b ? -1 : 1))
  const about = JSON.stringify([FORM, rules.scope, context.tenant, context.path, context.model ?? null, said])
  // JSON holds no raw line feed, so that no two pairs of head and body give the same bytes.
  const digest = createHash('sha256').update(`${about}\n`)
  const counted = (rules.members && members.of(context.body, rules.members)) ?? [context.body]
  for (const part of counted) digest.update(part)
  return digest.digest('base64url')
}

const members = new KeyMembers()

/** A stored response: what the client got, after output policies, and what the event of a later hit needs. */
export interface CacheEntry extends StoredResponse {
  model: string
  provider: string
  /** When it was stored, in milliseconds of the epoch. */
  storedMs: number
}

/** Room for the event that ends a stream. */
const TAIL_BYTES = 64

export function buildEntry(answer: StoredResponse, context: RequestContext): CacheEntry {
  const storedMs = Math.round(performance.timeOrigin + performance.now())
  return { ...answer, model: context.model ?? '', provider: context.provider ?? '', storedMs }
}

/** Whether the response is an answer of a known format that holds output, with its end and without an error. */
export function isComplete({ stream, body }: StoredResponse): boolean {
  if (!stream) {
    const answer = readJsonAnswer(body)
    return answer !== undefined && !isEmptyAnswer(answer.content, answer.usage)
  }
  let isGood = true
  let holdsOutput = false
  let hasEnded = false
  const onEvent = (data: string, name: string): void => {
    const event = readStreamEvent(data, name)
    if (!event && data === '') return
    hasEnded = event?.ended === true
    if (!event || event.error !== undefined) isGood = false
    else holdsOutput ||= bearsTokens(event) || event.hidden === true
  }
  const onBytes = (bytes: Buffer, start: number, end: number): boolean => {
    // What it accepts is neither an error nor an end.
    if (!chunk.read(bytes, start, end)) return false
    hasEnded = false
    holdsOutput ||= chunk.visibleChars + chunk.reasoningChars > 0
    return true
  }
  readAll(new SseReader(onEvent, onBytes), body)
  return isGood && hasEnded && holdsOutput
}

const chunk = new ChatChunk()

/** Whether the last event ends the stream. */
function endsAtItsEnd(body: Buffer): boolean {
  let hasEnded = false
  const reader = new SseReader((data, name) => {
    hasEnded = readStreamEvent(data, name)?.ended === true
  })
  readAll(reader, body.subarray(Math.max(0, body.length - TAIL_BYTES)))
  return hasEnded
}

function readAll(reader: SseReader, bytes: Buffer): void {
  reader.push(bytes)
  reader.end()
}

export function entryBytes(entry: CacheEntry): number {
  return entry.body.length + entry.headers.reduce((sum, part) => sum + part.length, 512)
}

/** The head's length (4 bytes), the head as JSON, the body. */
export function encodeEntry({ body, ...rest }: CacheEntry): Buffer {
  const text = Buffer.from(JSON.stringify(rest))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([length, text, body])
}

/** What `buildEntry` stores and nothing else, since other programs may write to the same Redis. */
const head = z.object({
  headers: z.union([z.tuple([]), z.tuple([z.literal('content-type'), z.string().refine(isFieldValue)])]),
  stream: z.boolean(),
  model: z.string(),
  provider: z.string(),
  storedMs: z.number(),
})

/**
 * Returns undefined for bytes that are no entry. What an entry says was read before it was stored, and is not again.
 */
export function decodeEntry(bytes: Buffer): CacheEntry | undefined {
  if (bytes.length < 4) return undefined
  const end = 4 + bytes.readUInt32BE(0)
  const read = head.safeParse(parse(bytes.toString('utf8', 4, end)))
  const entry = read.success ? { ...read.data, body: bytes.subarray(end) } : undefined
  if (!entry || entry.body.length === 0) return undefined
  return !entry.stream || endsAtItsEnd(entry.body) ? entry : undefined
}
