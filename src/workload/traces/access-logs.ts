/**
 * Rows of access logs: LiteLLM's StandardLoggingPayload and spend logs, Envoy AI Gateway's JSON access log, and what
 * Kong's logging plugins write of the AI plugins. A line is written when its request has ended. Lines without tokens
 * are about other requests, and are passed over.
 */
import { firstMember, isObject, type JsonObject } from './members.ts'
import { type RowSink, tokensOf } from './row.ts'
import { lastedUs, msToUs, timeOf } from './times.ts'

type Read = (object: JsonObject, path: string, line: number, sink: RowSink) => void

/** `startTime` is seconds since 1970, or a stamp. A failed call has no completion. */
export const readLitellm: Read = (object, path, line, sink) => {
  const atUs = timeOf(object.startTime, 's', path, line, 'startTime')
  const endUs = lastedUs(atUs, object.endTime, 's')
  const firstUs = lastedUs(atUs, object.completionStartTime, 's')
  sink(
    line,
    atUs,
    tokensOf(object.prompt_tokens ?? 0, path, line, 'prompt_tokens'),
    object.status === 'failure' ? 0 : tokensOf(object.completion_tokens ?? 0, path, line, 'completion_tokens'),
    undefined,
    // Of a whole answer it writes the end there too.
    { endUs, firstUs: firstUs === endUs ? undefined : firstUs },
  )
}

/** Their names are the user's choice: those of the gateway's own default, of its documentation and of OpenAI. */
const ENVOY_INPUT = ['gen_ai.usage.input_tokens', 'llm_input_token', 'input_tokens', 'prompt_tokens']
const ENVOY_OUTPUT = ['gen_ai.usage.output_tokens', 'llm_output_token', 'output_tokens', 'completion_tokens']

/** Envoy writes '-', or null, for what it does not know. */
export const readEnvoy: Read = (object, path, line, sink) => {
  const input = firstMember(object, ENVOY_INPUT)
  const output = firstMember(object, ENVOY_OUTPUT)
  if (isUnknown(input?.value)) return
  sink(
    line,
    timeOf(object.start_time, 's', path, line, 'start_time'),
    tokensOf(input?.value, path, line, input?.name ?? ''),
    isUnknown(output?.value) ? 0 : tokensOf(output?.value, path, line, output?.name ?? ''),
    undefined,
    { endUs: msToUs(object.duration) },
  )
}

function isUnknown(value: unknown): boolean {
  return value === undefined || value === null || value === '-' || value === ''
}

/** `ai.proxy.usage`, by earlier versions `ai.ai-proxy.usage`; `started_at` is milliseconds since 1970. */
export const readKong: Read = (object, path, line, sink) => {
  const plugins = isObject(object.ai) ? Object.entries(object.ai) : []
  const found = plugins.flatMap(([name, plugin]) => {
    const usage = isObject(plugin) ? plugin.usage : undefined
    return isObject(usage) ? [{ name: `ai.${name}.usage`, usage }] : []
  })
  const [first] = found
  if (!first) return
  const { name, usage } = first
  sink(
    line,
    timeOf(object.started_at, 'ms', path, line, 'started_at'),
    tokensOf(usage.prompt_tokens ?? 0, path, line, `${name}.prompt_tokens`),
    tokensOf(usage.completion_tokens ?? 0, path, line, `${name}.completion_tokens`),
    undefined,
    { endUs: msToUs(isObject(object.latencies) ? object.latencies.proxy : undefined) },
  )
}
