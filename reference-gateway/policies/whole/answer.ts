/**
 * Reads an answer that is whole, to be judged: every string of JSON, or all of a text. What cannot be read is refused.
 */
import { success } from '../../../src/errors.ts'
import { type JoinedText, textsIn, withTexts } from '../../../src/wire/strings.ts'
import { type GatewayResult, refused, unreadable } from '../../http/gateway-error.ts'
import { isTypeList } from '../../http/headers.ts'
import type { ResponseHead } from '../../http/hooks.ts'
import type { RequestContext } from '../../http/request-context.ts'
import { isJson } from '../../protocols/json.ts'

/** How an answer is read, or that it holds no text. */
type AnswerKind = 'events' | 'json' | 'text' | 'nothing' | 'unreadable'

const JSON_TYPE = /^(?:text|application)\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i
/** Their JSON is a list of events under another name, whose texts may go on from one to the next. */
const JSON_LINES = /^application\/stream\+json/i
const TEXT_TYPE = /^text\//i
const NO_TEXT = /^(?:audio|image|video)\//i

export function answerKind({ method, route, stream }: RequestContext, head: ResponseHead): AnswerKind {
  const { status, isEventStream, contentType, contentLength } = head
  if (method === 'HEAD' || status === 204 || status === 304 || contentLength === 0) return 'nothing'
  if (isTypeList(contentType)) return 'unreadable'
  if (isEventStream) return 'events'
  if (JSON_TYPE.test(contentType) && !JSON_LINES.test(contentType)) return 'json'
  // A client that asked for a stream would read events, whatever the provider calls them.
  if (TEXT_TYPE.test(contentType)) return stream && status < 300 ? 'unreadable' : 'text'
  return NO_TEXT.test(contentType) && route.media ? 'nothing' : 'unreadable'
}

export const UNREADABLE_TYPE = unreadable('the provider’s answer has a content type that output policies cannot read')
const NOT_JSON = unreadable('the provider’s answer is not the JSON that its content type names')

/** What an answer says, and the same answer with other texts in their places. */
export interface AnswerTexts {
  readonly all: readonly JoinedText[]
  written(texts: readonly JoinedText[]): string
}

export function readAnswer(body: Buffer, kind: 'json' | 'text'): GatewayResult<AnswerTexts> {
  const source = body.toString('utf8')
  if (source.trim() === '') return success({ all: [], written: () => source })
  if (isJson(source)) {
    const found = textsIn(source, true)
    return success({ all: found.places, written: (texts) => withTexts(source, found, texts) })
  }
  if (kind === 'json') return refused(NOT_JSON)
  return success({ all: [{ text: source, ends: [source.length] }], written: ([all]) => all?.text ?? '' })
}
