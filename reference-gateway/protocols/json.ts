/** Parses JSON that a client or a provider wrote. */

import { parseExact } from '../../src/wire/exact-json.ts'
import { asObject, type JsonObject } from '../../src/wire/json.ts'
import { UnreadableAnswer } from '../../src/wire/strict.ts'
import { nestsTooDeep } from '../http/json-guard.ts'

/** Undefined for text that is not JSON. */
export function parse(text: string): unknown {
  try {
    return parseExact(text)
  } catch {
    return undefined
  }
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The body of a request that was read before, with its numbers as they are written. */
export function exactBody(body: Buffer): JsonObject {
  return asObject(parseExact(body.toString('utf8'))) ?? {}
}

/** The data of an event; empty where it is no JSON or no object. */
export function parseEvent(data: string): JsonObject {
  return asObject(parseShallow(data)) ?? {}
}

/** The body of a whole response. An error may have any body. */
export function parseResponseBody(status: number, body: Buffer): JsonObject {
  const given = parseShallow(body.toString('utf8'))
  // Gemini answers some errors with a list of one.
  const answer = asObject(Array.isArray(given) ? given[0] : given)
  if (status < 400 && !answer) throw new UnreadableAnswer('it is not a JSON object')
  return answer ?? {}
}

function parseShallow(text: string): unknown {
  if (nestsTooDeep(text)) throw new UnreadableAnswer('it is nested too deep')
  return parse(text)
}
