/** Judges an answer that is whole: every string of JSON, or all of a text. What cannot be read is refused. */

import { textsIn, withTexts } from '../../../src/wire/strings.ts'
import type { GatewayError } from '../../http/gateway-error.ts'
import { isTypeList } from '../../http/headers.ts'
import type { Maybe, ResponseHead } from '../../http/hooks.ts'
import type { RequestContext } from '../../http/request-context.ts'
import type { JudgedTexts, Judgement } from './judge.ts'

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

export const UNREADABLE_TYPE: GatewayError = {
  status: 502,
  code: 'upstream_unreadable',
  message: 'the provider’s answer has a content type that output policies cannot read',
}

const NOT_JSON: GatewayError = {
  status: 502,
  code: 'upstream_unreadable',
  message: 'the provider’s answer is not the JSON that its content type names',
}

type BodyJudgement =
  | Exclude<Judgement, { kind: 'changed' }>
  | { kind: 'unreadable'; error: GatewayError }
  | { kind: 'rewritten'; body: Buffer }

export function judgeBody(
  body: Buffer,
  kind: 'json' | 'text',
  judge: (texts: JudgedTexts) => Maybe<Judgement>,
): Maybe<BodyJudgement> {
  const source = body.toString('utf8')
  if (source.trim() === '') return { kind: 'pass' }
  const isValid = isJson(source)
  if (kind === 'json' && !isValid) return { kind: 'unreadable', error: NOT_JSON }
  const texts = isValid ? textsIn(source, true) : undefined
  const all = texts?.places ?? [{ text: source, ends: [source.length] }]
  if (all.length === 0) return { kind: 'pass' }
  const rewrite = (judgement: Judgement): BodyJudgement => {
    if (judgement.kind !== 'changed') return judgement
    const changed = texts ? withTexts(source, texts, judgement.texts) : (judgement.texts[0]?.text ?? '')
    return { kind: 'rewritten', body: Buffer.from(changed) }
  }
  const judged = judge({ all })
  return judged instanceof Promise ? judged.then(rewrite) : rewrite(judged)
}

function isJson(source: string): boolean {
  try {
    JSON.parse(source)
    return true
  } catch {
    return false
  }
}
