/**
 * OpenAI's Responses API, whole (JSON) and streamed (SSE with named events and sequence numbers; it has no [DONE]). The
 * stamp is a member of each event, beside the official ones: the format has no extension point within a delta.
 */
import type { AnswerBody, ParsedRequest, ReplyContext, StreamEvents } from '../api.ts'
import { answerText } from '../text.ts'
import { paddingFor } from './chat.ts'

interface ResponsesRequest extends ParsedRequest {
  /** The request's max_output_tokens. */
  limit: number | null
  includeObfuscation: boolean
}

export function wholeResponse(request: ResponsesRequest, context: ReplyContext): AnswerBody {
  const text = answerText(request.tokens)
  return (stamp, textEnd) => `${finished(request, context, text + textEnd)}${stamp}}`
}

export function streamedResponse(request: ResponsesRequest, context: ReplyContext): StreamEvents {
  const place = `"item_id":"msg_${context.id}","output_index":0`
  const at = `${place},"content_index":0`
  const item = `"output_index":0,"item":`
  const emptyItem = `{"id":"msg_${context.id}","type":"message","status":"in_progress","content":[],"role":"assistant"}`
  const before = `event: response.output_text.delta\ndata: {"type":"response.output_text.delta",${at},"delta":"`
  const pads = context.shape.obfuscation && request.includeObfuscation
  let sequence = 0
  let whole = ''
  const named = (type: string, members: string, stamp: string): string =>
    `event: ${type}\ndata: {"type":"${type}",${members},"sequence_number":${sequence++}${stamp}}\n\n`
  return {
    open: (stamp) => {
      const response = `"response":${inProgress(request, context)}}`
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
      const end = request.finishReason === 'stop' ? 'response.completed' : 'response.incomplete'
      return (
        named('response.output_text.done', `${at},"text":"${whole}","logprobs":[]`, stamp) +
        named('response.content_part.done', `${at},"part":${partOf(whole)}`, stamp) +
        named('response.output_item.done', item + itemOf(request, context, whole), stamp) +
        named(end, `"response":${finished(request, context, whole)}}`, stamp)
      )
    },
    fail: ({ message, type }, stamp) =>
      named('error', `"code":"${type}","message":${JSON.stringify(message)},"param":null`, stamp),
  }
}

function partOf(text: string): string {
  return `{"type":"output_text","annotations":[],"logprobs":[],"text":"${text}"}`
}

function itemOf(request: ResponsesRequest, { id }: ReplyContext, text: string): string {
  const status = statusOf(request)
  return `{"id":"msg_${id}","type":"message","status":"${status}","content":[${partOf(text)}],"role":"assistant"}`
}

function statusOf({ finishReason }: ParsedRequest): string {
  return finishReason === 'stop' ? 'completed' : 'incomplete'
}

/** The response object without its closing brace. */
function responseOf(
  request: ResponsesRequest,
  context: ReplyContext,
  status: string,
  output: string,
  usage: string,
): string {
  const incomplete = status === 'incomplete' ? '{"reason":"max_output_tokens"}' : 'null'
  return (
    `{"id":"resp_${context.id}","object":"response","created_at":${context.created},"status":"${status}",` +
    `"background":false,"error":null,"incomplete_details":${incomplete},"instructions":null,` +
    `"max_output_tokens":${request.limit},` +
    `"model":${JSON.stringify(request.model)},"output":[${output}],"parallel_tool_calls":true,` +
    '"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":false,"temperature":1,' +
    '"text":{"format":{"type":"text"}},' +
    `"tool_choice":"auto","tools":[],"top_p":1,"truncation":"disabled","usage":${usage},"user":null,"metadata":{}`
  )
}

function inProgress(request: ResponsesRequest, context: ReplyContext): string {
  return responseOf(request, context, 'in_progress', '', 'null')
}

function finished(request: ResponsesRequest, context: ReplyContext, text: string): string {
  const { promptTokens } = request
  const { reasoningTokens } = context
  const output = request.tokens + reasoningTokens
  const usage =
    `{"input_tokens":${promptTokens},"input_tokens_details":{"cached_tokens":0},"output_tokens":${output},` +
    `"output_tokens_details":{"reasoning_tokens":${reasoningTokens}},"total_tokens":${promptTokens + output}}`
  return responseOf(request, context, statusOf(request), itemOf(request, context, text), usage)
}
