/**
 * Finds the member of a chat completion request that no translation carries: it would vanish without a word. Members at
 * their neutral values say nothing and pass.
 */
import { asObject, type JsonObject, objectsIn } from '../../src/wire/json.ts'

type Neutral = Readonly<Record<string, readonly unknown[]>>

/** Members that change a response and that no other protocol has, with their neutral values. */
export const NEUTRAL: Neutral = {
  logprobs: [false],
  top_logprobs: [0],
  store: [false],
  service_tier: ['auto', 'default'],
  verbosity: ['medium'],
}

/** What every translation carries. */
const CHAT = [
  ...['model', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'max_tokens', 'max_completion_tokens'],
  ...['stop', 'stream', 'stream_options', 'response_format', 'temperature', 'top_p'],
]
/** A client sends back what an answer held. Reasoning without its signature is for the reader alone. */
const MESSAGE = ['role', 'content', 'tool_calls', 'tool_call_id', 'reasoning_details', 'reasoning_content', 'reasoning']
const PART = ['type', 'text', 'image_url']
const IMAGE = ['url']
const CALL = ['id', 'type', 'index', 'function', 'extra_content']
const FUNCTION = ['name', 'arguments', 'description', 'parameters']
const FORMAT = ['type', 'json_schema']
const SCHEMA = ['name', 'schema', 'strict', 'description']

/** `carried` and `neutral` hold what the protocol says of the request's own members. */
export function findUnknown(json: JsonObject, carried: readonly string[], neutral: Neutral): string | undefined {
  const look = (value: unknown, at: string, known: readonly string[], passing: Neutral = {}): string | undefined => {
    for (const [key, member] of Object.entries(asObject(value) ?? {})) {
      if (known.includes(key) || isNothing(member) || isNeutral(key, member, passing)) continue
      return at === '' ? key : `${at}.${key}`
    }
    return undefined
  }
  const inAll = (value: unknown, at: string, inner: (one: JsonObject, at: string) => string | undefined) => {
    for (const [i, one] of objectsIn(value).entries()) {
      const found = inner(one, `${at}[${i}]`)
      if (found !== undefined) return found
    }
    return undefined
  }
  const strict = { strict: [false] }
  const inFunction = (one: JsonObject, at: string) => look(one.function, `${at}.function`, FUNCTION, strict)
  const inPart = (part: JsonObject, at: string) =>
    look(part, at, PART) ?? look(part.image_url, `${at}.image_url`, IMAGE, { detail: ['auto'] })
  const inCall = (call: JsonObject, at: string) => look(call, at, CALL) ?? inFunction(call, at)
  const inMessage = (message: JsonObject, at: string) =>
    look(message, at, MESSAGE) ??
    inAll(message.content, `${at}.content`, inPart) ??
    inAll(message.tool_calls, `${at}.tool_calls`, inCall)
  const format = asObject(json.response_format)
  return (
    look(json, '', [...CHAT, ...carried], neutral) ??
    inAll(json.messages, 'messages', inMessage) ??
    inAll(json.tools, 'tools', (tool, at) => look(tool, at, ['type', 'function']) ?? inFunction(tool, at)) ??
    look(json.stream_options, 'stream_options', ['include_usage'], { include_obfuscation: [false] }) ??
    look(format, 'response_format', FORMAT) ??
    look(format?.json_schema, 'response_format.json_schema', SCHEMA)
  )
}

/** A key may be the name of something that every object has, such as `constructor`. */
function isNeutral(key: string, member: unknown, passing: Neutral): boolean {
  return Object.hasOwn(passing, key) && passing[key]?.includes(member) === true
}

function isNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return value === null || value === undefined || Object.keys(asObject(value) ?? { value }).length === 0
}
