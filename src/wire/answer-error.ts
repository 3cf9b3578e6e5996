/**
 * Finds the error inside an answer with a good status: `{error: …}`, an object that is itself the error (vLLM,
 * Responses, Databricks and many gateways), a response that failed, a choice that ended in an error. Some servers put
 * an empty `error` (null, false, 0, '', {}, []) into good answers: that is no error.
 */

import type { AnswerError } from './answer.ts'
import { asObject, asText, type JsonObject as Json, objectsIn, parseObject, writeJson } from './json.ts'

const MESSAGE_KEYS = ['message', 'error_message', 'error_msg', 'msg', 'detail'] as const
const QUOTED_CHARS = 160
/** Codes that mean success. */
const GOOD_CODE = /^(?:0|2\d\d|ok|success)$/i

/** The text of the error in an answer; undefined when there is no error. */
export function errorText(json: Json): string | undefined {
  const { error, choices, candidates } = json
  if (isSet(error)) return textOf(error) ?? errorMessage(json) ?? writeJson(error)
  if (Array.isArray(choices) && choices.length > 0) return choiceError(choices)
  return Array.isArray(candidates) && candidates.length > 0 ? undefined : flatError(json)
}

/** The same of a text that may also be a list, in which Gemini wraps its errors. */
export function errorTextIn(text: string): string | undefined {
  const json = parseObject(text)
  return json ? errorText(json) : listedErrorText(text)
}

/** The first error of a list; undefined for a text that is none. */
export function listedErrorText(text: string): string | undefined {
  if (!text.trimStart().startsWith('[')) return undefined
  const { list } = parseObject(`{"list":${text}}`) ?? {}
  return objectsIn(list).flatMap((one) => errorText(one) ?? [])[0]
}

/** The message of an object that is known to be an error, whatever its member is called. */
export function errorMessage(json: Json): string | undefined {
  for (const key of MESSAGE_KEYS) {
    const value = json[key]
    if (isSet(value)) return typeof value === 'string' ? value : writeJson(value)
  }
  return undefined
}

/**
 * The error in an answer that is known to be one of Anthropic or Gemini, for a translation. Either has a word for it:
 * one as its type, the other as its status.
 */
export function readAnswerError(answer: Json): AnswerError {
  const { type, status, message } = asObject(answer.error) ?? {}
  const code = asText(type) ?? asText(status) ?? 'api_error'
  const words = asText(message) ?? (asObject(answer.error) ? undefined : (errorText(answer) ?? errorMessage(answer)))
  return { message: words ?? 'the provider failed without a message', type: code, param: null, code }
}

/** The text on one line, cut to a length that fits a report. */
export function quotable(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > QUOTED_CHARS ? `${line.slice(0, QUOTED_CHARS)}…` : line
}

/**
 * The text of an object that is itself an error: it holds no answer, and it says that it is an error or has a bad code.
 */
function flatError(json: Json): string | undefined {
  const { type, object, event, status } = json
  if (object === 'response' && status === 'failed') return 'the response failed'
  if (type === 'error' || object === 'error' || event === 'error' || isBadCode(json.error_code)) {
    return errorMessage(json) ?? writeJson(json)
  }
  // A code, or a type that ends in `error`, counts only beside a message: `code` may also be the code that a tool runs.
  return isBadCode(json.code) || isErrorType(type) ? errorMessage(json) : undefined
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
  return isObject(error) && isSet(error) ? (errorMessage(error) ?? writeJson(error)) : undefined
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
