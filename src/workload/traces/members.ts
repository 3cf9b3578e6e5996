/** Members of JSON objects that nobody has checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The member of that name, or of that path ('usage.prompt_tokens'). */
export function memberAt(object: JsonObject, path: string): unknown {
  if (path in object) return object[path]
  const [first = '', ...rest] = path.split('.')
  const inner = object[first]
  return rest.length > 0 && isObject(inner) ? memberAt(inner, rest.join('.')) : undefined
}

/** The first of these members that is there, with its name. */
export function firstMember(
  object: JsonObject,
  names: readonly string[],
): { name: string; value: unknown } | undefined {
  const name = names.find((each) => memberAt(object, each) !== undefined)
  return name === undefined ? undefined : { name, value: memberAt(object, name) }
}
