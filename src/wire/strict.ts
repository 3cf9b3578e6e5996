/** Members of an answer that must have their type for it to be translated; they may be absent. */
import { asObject, type JsonObject } from './json.ts'

/** An answer does not have the form that its format prescribes. */
export class UnreadableAnswer extends Error {}

export function expectText(value: unknown, name: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw new UnreadableAnswer(`'${name}' is not a string`)
  return value
}

/** Why an answer ended. Without a reason it has not: what came of it is a part. */
export function expectReason(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '')
    throw new UnreadableAnswer(`it has no '${name}', and so is not complete`)
  return value
}

export function expectObject(value: unknown, name: string): JsonObject {
  if (value === undefined || value === null) return {}
  const object = asObject(value)
  if (!object) throw new UnreadableAnswer(`'${name}' is not an object`)
  return object
}

export function expectObjects(value: unknown, name: string): readonly JsonObject[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new UnreadableAnswer(`'${name}' is not a list`)
  return value.map((one) => expectObject(one, `${name}[]`))
}
