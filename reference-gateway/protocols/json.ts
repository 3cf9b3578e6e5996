/** Reads JSON that a provider wrote: every function checks the type that it expects. */

import type { JsonObject } from '../../src/wire/json.ts'
import { UnreadableResponse } from '../http/gateway-error.ts'
import { nestsTooDeep } from '../http/json-guard.ts'

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A count of tokens; 0 for any other value. */
export function asCount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

/** Undefined for text that is not JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// --- Members of a response that must have their type; they may be absent.

export function expectText(value: unknown, name: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw new UnreadableResponse(`'${name}' is not a string`)
  return value
}

export function expectObject(value: unknown, name: string): JsonObject {
  if (value === undefined || value === null) return {}
  if (!isObject(value)) throw new UnreadableResponse(`'${name}' is not an object`)
  return value
}

export function expectObjects(value: unknown, name: string): readonly JsonObject[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new UnreadableResponse(`'${name}' is not a list`)
  return value.map((one) => expectObject(one, `${name}[]`))
}

/** The data of an event; empty where it is no JSON or no object. */
export function parseEvent(data: string): JsonObject {
  return asObject(parseShallow(data))
}

/** The body of a whole response. An error may have any body. */
export function parseResponseBody(status: number, body: Buffer): JsonObject {
  const given = parseShallow(body.toString('utf8'))
  // Gemini answers some errors with a list of one.
  const answer = Array.isArray(given) ? given[0] : given
  if (status < 400 && !isObject(answer)) throw new UnreadableResponse('it is not a JSON object')
  return asObject(answer)
}

function parseShallow(text: string): unknown {
  if (nestsTooDeep(text)) throw new UnreadableResponse('it is nested too deep')
  return parse(text)
}
