/** Runs a stream through output policies without a network, and returns what a client would have assembled. */
import { RE2JS } from 're2js'
import { z } from 'zod'
import type { StreamFilter } from '../../../../reference-gateway/http/hooks.ts'
import type { RequestContext } from '../../../../reference-gateway/http/request-context.ts'
import { createPolicyHooks } from '../../../../reference-gateway/policies/hooks.ts'
import { policiesFile, streamingFile } from '../../../../reference-gateway/policies/kinds/config-file.ts'
import { contextOf } from '../../support/context.ts'

const file = z.strictObject({ policies: policiesFile, streaming: streamingFile })

export interface Filtering {
  filter: StreamFilter
  context: RequestContext
  /** What has left so far. */
  written: Buffer[]
  ended: boolean
  blocked: string | undefined
  stages: ReturnType<typeof createPolicyHooks>
}

export function startFilter(policies: unknown[], streaming: Record<string, unknown> = {}): Filtering {
  const config = file.parse({ policies, streaming })
  const stages = createPolicyHooks(config.policies, config.streaming, () => {})
  const context = contextOf({ method: 'POST', headers: {} }, '/chat/completions')
  const made = stages.output?.filter(context, { status: 200, isEventStream: true, contentType: 'text/event-stream' })
  if (made?.kind !== 'stream') throw new Error('no stream filter')
  const filtering: Omit<Filtering, 'filter'> = { context, written: [], ended: false, blocked: undefined, stages }
  const filter = made.start({
    run: (step) => step(),
    write: (chunk) => {
      // A copy of the bytes now: a later change of the buffer must not matter.
      filtering.written.push(Buffer.from(chunk))
      return true
    },
    resume: () => {},
    end: () => {
      filtering.ended = true
    },
    block: (lastEvent, code) => {
      filtering.written.push(lastEvent)
      filtering.blocked = code
    },
  })
  return Object.assign(filtering, { filter })
}

/** The whole stream, in the given pieces. */
export function runFilter(
  policies: unknown[],
  chunks: readonly Buffer[],
  streaming: Record<string, unknown> = {},
): Filtering & { text: string } {
  const filtering = startFilter(policies, streaming)
  for (const chunk of chunks) filtering.filter.write(chunk)
  filtering.filter.end()
  return Object.assign(filtering, { text: Buffer.concat(filtering.written).toString('utf8') })
}

export const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

export function token(content: string, choice = 0, extra: Record<string, unknown> = {}): string {
  return event({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    system_fingerprint: 'kt1.abcdefghijklmnop.1.1234',
    choices: [{ index: choice, delta: { content }, logprobs: null, finish_reason: null }],
    ...extra,
  })
}

export const DONE = 'data: [DONE]\n\n'

/** The data of the events of a stream, parsed; '[DONE]' as it is. */
export function eventsOf(stream: string): unknown[] {
  return stream
    .split('\n\n')
    .filter((one) => one !== '')
    .map((one) => one.slice('data: '.length))
    .map((data) => (data === '[DONE]' ? data : JSON.parse(data)))
}

/** The text of each choice and field, by 'choice/path'. */
export function assembled(stream: string): Record<string, string> {
  const texts: Record<string, string> = {}
  const add = (key: string, text: unknown): void => {
    if (typeof text === 'string') texts[key] = (texts[key] ?? '') + text
  }
  for (const one of eventsOf(stream)) {
    const { choices = [] } = one as {
      choices?: { index: number; text?: string; delta?: Record<string, unknown> & { tool_calls?: ToolCall[] } }[]
    }
    for (const { index, text, delta = {} } of choices) {
      add(`${index}/text`, text)
      add(`${index}/content`, delta.content)
      add(`${index}/reasoning`, delta.reasoning_content)
      for (const call of delta.tool_calls ?? []) add(`${index}/tool/${call.index}`, call.function?.arguments)
    }
  }
  return texts
}

interface ToolCall {
  index: number
  function?: { arguments?: string }
}

/** What each pattern alone finds on the whole text, by re2js, which knows nothing of streams. */
export function redactedWhole(text: string, patterns: readonly string[], replacement = '[REDACTED]'): string {
  const spans: [number, number][] = []
  for (const pattern of patterns) {
    const matcher = RE2JS.compile(pattern).matcher(text)
    while (matcher.find()) spans.push([matcher.start(), matcher.end()])
  }
  spans.sort((a, b) => a[0] - b[0])
  const merged: [number, number][] = []
  for (const [start, end] of spans) {
    const last = merged.at(-1)
    if (last && start < last[1]) last[1] = Math.max(last[1], end)
    else merged.push([start, end])
  }
  let result = ''
  let at = 0
  for (const [start, end] of merged) {
    result += text.slice(at, start) + replacement
    at = end
  }
  return result + text.slice(at)
}

export function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const cuts = [...new Set(at)].filter((one) => one > 0 && one < bytes.length).sort((a, b) => a - b)
  return [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i] ?? bytes.length))
}
