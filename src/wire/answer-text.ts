/**
 * The text that a request or an answer holds, to be counted in tokens after a run: of answers visible text, reasoning
 * text and tool-call arguments, whole and streamed, in every wire format. Not for the hot path.
 */
import { eachAnswerText, eachEventText, REQUEST_MEMBERS } from './formats.ts'
import { parseObject } from './json.ts'
import { SseReader } from './sse.ts'
import { stringsUnder } from './strings.ts'

/** The text of a body as it came (decoded). A stream that is cut off gives what its whole events hold. */
export function extractAnswerText(body: string, streamed: boolean): string {
  let all = ''
  const add = (_kind: unknown, text: string): void => {
    all += text
  }
  if (!streamed) {
    eachAnswerText(parseObject(body) ?? {}, add)
    return all
  }
  const reader = new SseReader((data) => eachEventText(parseObject(data) ?? {}, add))
  reader.push(Buffer.from(body))
  return all
}

/** The text that a request asks with: messages, a prompt, an input. Token ids have none. */
export function extractRequestText(body: string): string {
  return stringsUnder(parseObject(body) ?? {}, REQUEST_MEMBERS)
    .map(({ text }) => text)
    .join('\n')
}
