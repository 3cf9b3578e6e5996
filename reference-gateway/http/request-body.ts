/**
 * The request body: received whole up to a limit, parsed once, and read as far as the gateway must understand it. The
 * bytes go upstream unchanged unless a policy changes them. Large bodies can be received into memory that threads
 * share, and parsed in a thread (see InputHook.read): a millisecond of parsing here delays every request.
 */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { success } from '../../src/errors.ts'
import { formatBytes } from '../../src/units.ts'
import { asObject, type JsonObject } from '../../src/wire/json.ts'
import { MAX_DEPTH } from '../../src/wire/json-walk.ts'
import { concatChunks } from './chunks.ts'
import { isForm } from './forms.ts'
import { type GatewayError, type GatewayResult, invalidRequest, refused } from './gateway-error.ts'
import { findJsonProblem, type JsonProblem } from './json-guard.ts'
import type { BodyFacts, GatewayEndpoint, RequestContext } from './request-context.ts'

/** A body above this size can be shared. Parsing a body of this size takes a fraction of a millisecond. */
const SHARED_FROM_BYTES = 64 * 1024
const MAX_MODEL_LENGTH = 256

/**
 * Calls exactly one of the two callbacks, once. A client that leaves meanwhile is noticed at the response, not here.
 * `shares`: a large body goes into shared memory. `proceed` is called where the client waits to be told to send it.
 */
export function receiveBody(
  request: IncomingMessage,
  { limitBytes, shares, proceed }: { limitBytes: number; shares: boolean; proceed: () => void },
  received: (bytes: Buffer, arrivedMs: number) => void,
  refused: (error: GatewayError) => void,
): void {
  const headMs = performance.now()
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > limitBytes) {
    refused(tooLarge(limitBytes))
    return
  }
  if (request.headers.expect?.toLowerCase() === '100-continue') proceed()
  // Each piece is copied into it as it arrives.
  const shared = shares && announced > SHARED_FROM_BYTES ? sharedBuffer(announced) : undefined
  // By the next tick the parser has read the segment that held the head.
  let cameWithHead = false
  process.nextTick(() => {
    cameWithHead = request.complete
  })
  const chunks: Buffer[] = []
  let size = 0
  const onData = (chunk: Buffer): void => {
    const at = size
    size += chunk.length
    if (shared) {
      shared.set(chunk, at)
      return
    }
    if (size <= limitBytes) {
      chunks.push(chunk)
      return
    }
    chunks.length = 0
    request.off('data', onData).off('end', onEnd)
    refused(tooLarge(limitBytes))
  }
  /** The request has arrived in full: with its head where both came together, else with its last byte. */
  const onEnd = (): void => {
    const bytes = shared ?? concatChunks(chunks)
    received(bytes, cameWithHead ? headMs : performance.now())
  }
  request.on('data', onData).on('end', onEnd)
}

function sharedBuffer(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes))
}

function tooLarge(limitBytes: number): GatewayError {
  return invalidRequest('body_too_large', `the request body is larger than ${formatBytes(limitBytes)}`, 413)
}

/** Fills in what the body says, or returns why it is refused. A form in a place for forms is not read. */
export function readBody(context: RequestContext): GatewayError | undefined {
  if (!isParsed(context)) return undefined
  const { 'content-encoding': encoding } = context.headers
  if (encoding !== undefined && encoding !== 'identity') {
    return invalidRequest('unsupported_encoding', 'send the request body uncompressed', 415)
  }
  const parsed = parseBody(context.body, context.endpoint)
  if (!parsed.ok) return parsed.error
  context.setBody(parsed.value)
  return undefined
}

/** Whether a thread can parse the body: it lies in shared memory and is JSON. */
export function isLarge(context: RequestContext): boolean {
  const { 'content-encoding': encoding = 'identity' } = context.headers
  return context.body.buffer instanceof SharedArrayBuffer && isParsed(context) && encoding === 'identity'
}

function isParsed(context: RequestContext): boolean {
  return context.body.length > 0 && !isForm(context)
}

export interface ParsedBody {
  json: JsonObject
  facts: BodyFacts
}

/** Parses a body, or says why it is refused. */
export function parseBody(body: Buffer, endpoint: GatewayEndpoint): GatewayResult<ParsedBody> {
  if (!isUtf8(body)) return refused(invalidRequest('invalid_utf8', 'the request body is not UTF-8'))
  const text = body.toString('utf8')
  const problem = findJsonProblem(text)
  if (problem) return refused(jsonError(problem))
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return refused(invalidRequest('invalid_json', 'the request body is not valid JSON'))
  }
  const json = asObject(parsed)
  if (!json) return refused(invalidRequest('invalid_json', 'the request body is not a JSON object'))
  return readFacts(json, endpoint)
}

/**
 * The members that the gateway's own decisions rest on must have the right type: a policy that cannot read them must
 * not let the request pass.
 */
function readFacts(json: JsonObject, endpoint: GatewayEndpoint): GatewayResult<ParsedBody> {
  const { model, stream, messages, temperature, store, previous_response_id, conversation } = json
  if (model !== undefined && typeof model !== 'string') {
    return refused(invalidRequest('invalid_model', "'model' is not a string"))
  }
  // The model's name becomes a part of paths and labels, which cannot hold half a character.
  if (model?.isWellFormed() === false) {
    return refused(invalidRequest('invalid_model', "'model' is not well-formed Unicode: it holds a lone surrogate"))
  }
  // Names are kept: as routes, in figures and events.
  if (model !== undefined && model.length > MAX_MODEL_LENGTH) {
    return refused(invalidRequest('invalid_model', `'model' is longer than ${MAX_MODEL_LENGTH} characters`))
  }
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    return refused(invalidRequest('invalid_type', "'stream' is not a boolean"))
  }
  if (endpoint === 'chat' && messages !== undefined && !isListOfObjects(messages)) {
    return refused(invalidRequest('invalid_type', "'messages' is not a list of objects"))
  }
  const namesStored = (previous_response_id ?? conversation ?? undefined) !== undefined
  return success({
    json,
    facts: { model, stream: stream === true, temperature, store: store === true, namesStored },
  })
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => asObject(one) !== undefined)
}

function jsonError(problem: JsonProblem): GatewayError {
  return problem.kind === 'deep'
    ? invalidRequest('too_deep', `the request body is nested deeper than ${MAX_DEPTH} levels`)
    : invalidRequest('duplicate_key', `the key ${JSON.stringify(problem.key.slice(0, 64))} occurs twice in one object`)
}
