/**
 * The request body, parsed once and read as far as the gateway must understand it. The bytes go upstream unchanged
 * unless a policy changes them. A large body is parsed in a thread (see body-parser.ts).
 */
import { isUtf8 } from 'node:buffer'
import { success } from '../../src/errors.ts'
import { asObject, type JsonObject } from '../../src/wire/json.ts'
import { MAX_DEPTH } from '../../src/wire/json-walk.ts'
import { isForm } from './forms.ts'
import { type GatewayError, type GatewayResult, invalidRequest, refused } from './gateway-error.ts'
import { findJsonProblem, type JsonProblem } from './json-guard.ts'
import type { BodyFacts, GatewayEndpoint, RequestContext } from './request-context.ts'

const MAX_MODEL_LENGTH = 256

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
