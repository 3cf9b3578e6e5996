/** What a whole JSON answer says: whether it is one of the endpoint's, its usage and its stamp. */

import type { AnswerContent } from './answer-content.ts'
import { errorText, errorTextIn, quotable } from './answer-error.ts'
import { AnswerScan } from './answer-scan.ts'
import { contentOfAnswer, formatOfAnswer } from './formats.ts'
import { parseObject } from './json.ts'
import { parseStamp, readStamp, type Stamp, stampInText } from './stamp.ts'
import { hiddenTokensOf, type TokenUsage, usageOfAnswer } from './usage.ts'

interface JsonAnswer {
  usage: TokenUsage | undefined
  /** Output tokens of reasoning whose text is not in the answer. */
  hiddenTokens: number
  stamp: Stamp | undefined
  content: AnswerContent
}

const scan = new AnswerScan()
/** The scan takes only answers that hold output. */
const SHOWN: AnswerContent = { shown: true, hidden: false, unknown: [] }

/** Undefined when the body is not JSON, or not an answer of a completion or embedding endpoint. */
export function readJsonAnswer(body: Buffer): JsonAnswer | undefined {
  // Whether reasoning was hidden, only its text can tell.
  if (!scan.read(body) || (scan.usage && scan.usage.reasoning > 0)) return parseJsonAnswer(body.toString('utf8'))
  const { fingerprintStart, fingerprintEnd } = scan
  const usage = usageOfAnswer(scan.usage, scan.hasOutput)
  return {
    usage,
    hiddenTokens: 0,
    content: SHOWN,
    stamp: stampOf(body, fingerprintStart, fingerprintEnd),
  }
}

/** A vector has no text that could hold one. */
function stampOf(body: Buffer, start: number, end: number): Stamp | undefined {
  if (start >= 0) return readStamp(body, start, end, '')
  return scan.hasOutput ? stampInText(body, 0, body.length, '') : undefined
}

/** The same by a full parse. */
export function parseJsonAnswer(body: string): JsonAnswer | undefined {
  const json = parseObject(body)
  if (!json || errorText(json) !== undefined) return undefined
  const format = formatOfAnswer(json)
  if (!format) return undefined
  const fingerprint = json.system_fingerprint
  const content = contentOfAnswer(json, format)
  const usage = usageOfAnswer(format.usageOf(json), content.shown && format.answerMembers.length > 0)
  let reasons = false
  format.eachAnswerText(json, (kind, text) => {
    if (kind === 'reasoning' && text !== '') reasons = true
  })
  return {
    usage,
    hiddenTokens: hiddenTokensOf(usage, reasons),
    stamp:
      typeof fingerprint === 'string' ? parseStamp(fingerprint) : stampInText(Buffer.from(body), 0, body.length, ''),
    content,
  }
}

/**
 * The reason in an error answer, on one line: the provider's own message where there is one, else the body's beginning.
 */
export function readErrorAnswer(body: string): string {
  return quotable(errorTextIn(body) ?? body)
}

/** A body that is not what was asked for, by what it is: the other kind of answer, an error, or neither. */
export function describeOtherAnswer(body: Buffer, streamAsked: boolean, contentType: string): string {
  const quoted = readErrorAnswer(body.toString('utf8'))
  if (streamAsked) return readJsonAnswer(body) ? `a whole answer, though a stream was asked for: ${quoted}` : quoted
  const isStream = contentType.startsWith('text/event-stream')
  return isStream ? `a stream, though a whole answer was asked for: ${quoted}` : quoted
}
