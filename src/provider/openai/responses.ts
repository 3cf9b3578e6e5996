/**
 * OpenAI's Responses API, whole (JSON) and streamed (SSE with named events and sequence numbers; it has no [DONE]). The stamp
 * is a member of each event, beside the official ones: the format has no extension point within a delta.
 */
import type { Ask, Setting, Streamed, Whole } from '../ask.ts'
import { textOf } from '../prompt.ts'
import { paddingFor } from './chat.ts'

export interface ResponsesAsk extends Ask {
  /** The request's max_output_tokens. */
  limit: number | null
  includeObfuscation: boolean
}

export function wholeResponse(ask: ResponsesAsk, setting: Setting): Whole {
  const text = textOf(ask.tokens)
  return (stamp, textEnd) => `${finished(ask, setting, text + textEnd)}${stamp}}`
}

export function streamedResponse(ask: ResponsesAsk, setting: Setting): Streamed {
  const place = `"item_id":"msg_${setting.id}","output_index":0`
  const at = `${place},"content_index":0`
  const item = `"output_index":0,"item":`
  const emptyItem = `{"id":"msg_${setting.id}","type":"message","status":"in_progress","content":[],"role":"assistant"}`
  const before = `event: response.output_text.delta\ndata: {"type":"response.output_text.delta",${at},"delta":"`
  const pads = setting.shape.obfuscation && ask.includeObfuscation
  let sequence = 0
  let whole = ''
  const named = (type: string, members: string, stamp: string): string =>
    `event: ${type}\ndata: {"type":"${type}",${members},"sequence_number":${sequence++}${stamp}}\n\n`
  return {
    open: (stamp) => {
      const response = `"response":${inProgress(ask, setting)}}`
      return (
        named('response.created', response, stamp) +
        named('response.in_progress', response, stamp) +
        named('response.output_item.added', item + emptyItem, stamp) +
        named('response.content_part.added', `${at},"part":${partOf('')}`, stamp)
      )
    },
    event: (text, _tokens, stamp) => {
      whole += text
      const pad = pads ? `,"obfuscation":"${paddingFor(text.length)}"` : ''
      return `${before + text}","logprobs":[]${pad},"sequence_number":${sequence++}${stamp}}\n\n`
    },
    close: (stamp) => {
      const end = ask.finishReason === 'stop' ? 'response.completed' : 'response.incomplete'
      return (
        named('response.output_text.done', `${at},"text":"${whole}","logprobs":[]`, stamp) +
        named('response.content_part.done', `${at},"part":${partOf(whole)}`, stamp) +
        named('response.output_item.done', item + itemOf(ask, setting, whole), stamp) +
        named(end, `"response":${finished(ask, setting, whole)}}`, stamp)
      )
    },
    fail: ({ message, type }, stamp) =>
      named('error', `"code":"${type}","message":${JSON.stringify(message)},"param":null`, stamp),
  }
}

function partOf(text: string): string {
  return `{"type":"output_text","annotations":[],"logprobs":[],"text":"${text}"}`
}

function itemOf(ask: ResponsesAsk, { id }: Setting, text: string): string {
  return `{"id":"msg_${id}","type":"message","status":"${statusOf(ask)}","content":[${partOf(text)}],"role":"assistant"}`
}

function statusOf({ finishReason }: Ask): string {
  return finishReason === 'stop' ? 'completed' : 'incomplete'
}

/** The response object without its closing brace. */
function responseOf(ask: ResponsesAsk, setting: Setting, status: string, output: string, usage: string): string {
  const incomplete = status === 'incomplete' ? '{"reason":"max_output_tokens"}' : 'null'
  return (
    `{"id":"resp_${setting.id}","object":"response","created_at":${setting.created},"status":"${status}","background":false,` +
    `"error":null,"incomplete_details":${incomplete},"instructions":null,"max_output_tokens":${ask.limit},` +
    `"model":${JSON.stringify(ask.model)},"output":[${output}],"parallel_tool_calls":true,"previous_response_id":null,` +
    `"reasoning":{"effort":null,"summary":null},"store":false,"temperature":1,"text":{"format":{"type":"text"}},` +
    `"tool_choice":"auto","tools":[],"top_p":1,"truncation":"disabled","usage":${usage},"user":null,"metadata":{}`
  )
}

function inProgress(ask: ResponsesAsk, setting: Setting): string {
  return responseOf(ask, setting, 'in_progress', '', 'null')
}

function finished(ask: ResponsesAsk, setting: Setting, text: string): string {
  const { promptTokens } = ask
  const { reasoningTokens } = setting
  const output = ask.tokens + reasoningTokens
  const usage =
    `{"input_tokens":${promptTokens},"input_tokens_details":{"cached_tokens":0},"output_tokens":${output},` +
    `"output_tokens_details":{"reasoning_tokens":${reasoningTokens}},"total_tokens":${promptTokens + output}}`
  return responseOf(ask, setting, statusOf(ask), itemOf(ask, setting, text), usage)
}
