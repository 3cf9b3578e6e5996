/**
 * The failure that a server tells inside an answer that began well: `{error: …}`, an error that is the object itself (vLLM,
 * Responses, Databricks and many gateways send it so), a response that failed, a choice that ended in an error. Servers that
 * fill `error` with something empty in good answers (null, false, 0, '', {}, []) tell nothing by it.
 */

type Json = Record<string, unknown>

const WORDS = ['message', 'error_message', 'error_msg', 'msg', 'detail'] as const
const QUOTED_CHARS = 160
/** The codes by which a server says that all is well. */
const GOOD_CODE = /^(?:0|2\d\d|ok|success)$/i

/** What the server says of its failure; undefined when the object tells none. */
export function errorText(json: Json): string | undefined {
  const { error, choices, candidates } = json
  if (isSet(error)) return textOf(error) ?? wordsIn(json) ?? JSON.stringify(error)
  if (Array.isArray(choices) && choices.length > 0) return choiceError(choices)
  return Array.isArray(candidates) && candidates.length > 0 ? undefined : flatError(json)
}

/** The words of an object that is known to be an error, in whatever member it has them. */
export function wordsIn(json: Json): string | undefined {
  for (const key of WORDS) {
    const value = json[key]
    if (isSet(value)) return typeof value === 'string' ? value : JSON.stringify(value)
  }
  return undefined
}

/** On one line, and not longer than a report's reader wants it. */
export function quotable(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > QUOTED_CHARS ? `${line.slice(0, QUOTED_CHARS)}…` : line
}

/** An object without an answer in it that calls itself an error, or has a bad code. */
function flatError(json: Json): string | undefined {
  const { type, object, event, status } = json
  if (object === 'response' && status === 'failed') return 'the response failed'
  if (type === 'error' || object === 'error' || event === 'error' || isBadCode(json.error_code)) {
    return wordsIn(json) ?? JSON.stringify(json)
  }
  // A code, or a type that ends so, makes an error only of something that is said: code is also what a tool runs.
  return isBadCode(json.code) || isErrorType(type) ? wordsIn(json) : undefined
}

function choiceError(choices: unknown[]): string | undefined {
  for (const choice of choices) {
    if (!isObject(choice) || choice.finish_reason !== 'error') continue
    return textOf(choice.error) ?? "a choice ended with finish_reason 'error'"
  }
  return undefined
}

/** The text of an `error` member. */
function textOf(error: unknown): string | undefined {
  if (typeof error === 'string') return error === '' ? undefined : error
  return isObject(error) && isSet(error) ? (wordsIn(error) ?? JSON.stringify(error)) : undefined
}

function isErrorType(type: unknown): boolean {
  return typeof type === 'string' && (type.endsWith('error') || type.endsWith('Error'))
}

function isBadCode(code: unknown): boolean {
  return (typeof code === 'string' || typeof code === 'number') && code !== '' && !GOOD_CODE.test(String(code))
}

function isSet(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
