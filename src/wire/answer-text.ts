/**
 * The text that a request or an answer holds, read after a run, to be counted in tokens or compared: of answers visible
 * text, reasoning text and tool-call arguments, whole and streamed, in every wire format. Not for the hot path.
 */
import type { TextKind } from './format.ts'
import { eachAnswerText, eachChoice, eachEventText, REQUEST_MEMBERS } from './formats.ts'
import { type JsonObject, parseObject, writeJson } from './json.ts'
import { SseReader } from './sse.ts'
import { textsIn } from './strings.ts'

/** The text of a body as it came (decoded). A stream that is cut off gives what its whole events hold. */
export function extractAnswerText(body: string, streamed: boolean): string {
  let all = ''
  const visit = streamed ? eachEventText : eachAnswerText
  eachAnswerObject(body, streamed, (json) => {
    visit(json, (_kind, text) => {
      all += text
    })
  })
  return all
}

/** A text of an answer that goes on from event to event: that of one kind in one choice. */
export interface AnswerText {
  choice: number
  kind: TextKind
  text: string
}

/** The texts of a body, each in one piece however its events were cut, in the order of choices and kinds. */
export function readAnswerTexts(body: string, streamed: boolean): AnswerText[] {
  const texts = new Map<string, AnswerText>()
  const visit = streamed ? eachEventText : eachAnswerText
  eachAnswerObject(body, streamed, (json) => {
    eachChoice(json, (choice, part) => {
      visit(part, (kind, text) => {
        const place = `${choice} ${kind}`
        const known = texts.get(place)
        if (known) known.text += text
        else texts.set(place, { choice, kind, text })
      })
    })
  })
  return [...texts.values()].sort((a, b) => a.choice - b.choice || a.kind.localeCompare(b.kind))
}

/** The object of a whole answer, or those of the events of a stream. */
export function eachAnswerObject(body: string, streamed: boolean, visit: (json: JsonObject) => void): void {
  const read = (text: string): void => {
    const json = parseObject(text)
    if (json) visit(json)
  }
  if (!streamed) {
    read(body)
    return
  }
  const reader = new SseReader(read)
  reader.push(Buffer.from(body))
  reader.end()
}

/** The text that a request asks with: messages, a prompt, an input. Token ids have none. */
export function extractRequestText(body: string): string {
  const json = parseObject(body) ?? {}
  const asked = Object.fromEntries(REQUEST_MEMBERS.filter((key) => key in json).map((key) => [key, json[key]]))
  return textsIn(writeJson(asked))
    .places.map(({ text }) => text)
    .join('\n')
}
