/**
 * Writes OpenAI's Responses, whole (JSON) and streamed (named events with sequence numbers; there is no [DONE]).
 * Further members stand beside those of an event: the format has no extension point within a delta.
 */
import type { AnswerWriter, FinishReason, StreamWriter, TextAnswer } from './answer.ts'
import { writePadding } from './openai.ts'
import type { TokenUsage } from './usage.ts'

/** Why an answer is incomplete. */
const REASONS: Record<FinishReason, string | undefined> = {
  stop: undefined,
  tool_calls: undefined,
  length: 'max_output_tokens',
  content_filter: 'content_filter',
}

export const openaiResponsesWriter: AnswerWriter = {
  whole: (answer, text) => (members, textEnd) => `${writeFinished(answer, text + textEnd)}${members}}`,
  stream: writeStream,
}

function writeStream(answer: TextAnswer): StreamWriter {
  const { id, obfuscation } = answer
  const at = `"item_id":"msg_${id}","output_index":0,"content_index":0`
  const item = '"output_index":0,"item":'
  const before = `event: response.output_text.delta\ndata: {"type":"response.output_text.delta",${at},"delta":"`
  let sequence = 0
  let whole = ''
  const named = (type: string, content: string, members: string): string =>
    `event: ${type}\ndata: {"type":"${type}",${content},"sequence_number":${sequence++}${members}}\n\n`
  return {
    open: (members) => {
      const response = `"response":${writeResponse(answer, 'in_progress', '', 'null')}}`
      return (
        named('response.created', response, members) +
        named('response.in_progress', response, members) +
        named('response.output_item.added', item + writeItem(id, 'in_progress', ''), members) +
        named('response.content_part.added', `${at},"part":${writePart('')}`, members)
      )
    },
    event: (text, _tokens, members) => {
      whole += text
      const pad = obfuscation ? writePadding(text.length) : ''
      return `${before + text}","logprobs":[]${pad},"sequence_number":${sequence++}${members}}\n\n`
    },
    close: (members) => {
      const status = statusOf(answer)
      return (
        named('response.output_text.done', `${at},"text":"${whole}","logprobs":[]`, members) +
        named('response.content_part.done', `${at},"part":${writePart(whole)}`, members) +
        named('response.output_item.done', item + writeItem(id, status, writePart(whole)), members) +
        named(`response.${status}`, `"response":${writeFinished(answer, whole)}}`, members)
      )
    },
    fail: ({ message, type }, members) =>
      named('error', `"code":"${type}","message":${JSON.stringify(message)},"param":null`, members),
  }
}

function writePart(text: string): string {
  return `{"type":"output_text","annotations":[],"logprobs":[],"text":"${text}"}`
}

function writeItem(id: string, status: string, content: string): string {
  return `{"id":"msg_${id}","type":"message","status":"${status}","content":[${content}],"role":"assistant"}`
}

function statusOf({ finishReason }: TextAnswer): string {
  return REASONS[finishReason] === undefined ? 'completed' : 'incomplete'
}

/** The response object without its closing brace. */
function writeResponse(answer: TextAnswer, status: string, output: string, usage: string): string {
  const reason = status === 'incomplete' ? `{"reason":"${REASONS[answer.finishReason]}"}` : 'null'
  return (
    `{"id":"resp_${answer.id}","object":"response","created_at":${answer.created},"status":"${status}",` +
    `"background":false,"error":null,"incomplete_details":${reason},"instructions":null,` +
    `"max_output_tokens":${answer.limit},` +
    `"model":${JSON.stringify(answer.model)},"output":[${output}],"parallel_tool_calls":true,` +
    '"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":false,"temperature":1,' +
    '"text":{"format":{"type":"text"}},' +
    `"tool_choice":"auto","tools":[],"top_p":1,"truncation":"disabled","usage":${usage},"user":null,"metadata":{}`
  )
}

function writeFinished(answer: TextAnswer, text: string): string {
  const status = statusOf(answer)
  return writeResponse(answer, status, writeItem(answer.id, status, writePart(text)), writeUsage(answer.usage))
}

function writeUsage({ input, output, cached, reasoning }: TokenUsage): string {
  return (
    `{"input_tokens":${input},"input_tokens_details":{"cached_tokens":${cached}},"output_tokens":${output},` +
    `"output_tokens_details":{"reasoning_tokens":${reasoning}},"total_tokens":${input + output}}`
  )
}
