/** What a whole JSON answer says: whether it is one of the endpoint's, its usage and its stamp. */

import { errorText, quotable } from './answer-error.ts'
import { AnswerScan } from './answer-scan.ts'
import { formatOfAnswer } from './formats.ts'
import { parseObject } from './json.ts'
import { parseStamp, readStamp, type Stamp } from './stamp.ts'
import { hiddenTokensOf, type TokenUsage, usageOfAnswer } from './usage.ts'

interface JsonAnswer {
  usage: TokenUsage | undefined
  /** Output tokens of reasoning whose text is not in the answer. */
  hiddenTokens: number
  stamp: Stamp | undefined
}

const scan = new AnswerScan()

/** Undefined when the body is not JSON, or not an answer of a completion or embedding endpoint. */
export function readJsonAnswer(body: Buffer): JsonAnswer | undefined {
  // Whether reasoning was hidden, only its text can tell.
  if (!scan.read(body) || (scan.usage && scan.usage.reasoning > 0)) return parseJsonAnswer(body.toString('utf8'))
  const { fingerprintStart, fingerprintEnd } = scan
  const usage = usageOfAnswer(scan.usage, scan.hasOutput)
  return {
    usage,
    hiddenTokens: 0,
    stamp: fingerprintStart < 0 ? undefined : readStamp(body, fingerprintStart, fingerprintEnd, ''),
  }
}

/** The same by a full parse. */
export function parseJsonAnswer(body: string): JsonAnswer | undefined {
  const json = parseObject(body)
  if (!json || errorText(json) !== undefined) return undefined
  const format = formatOfAnswer(json)
  if (!format) return undefined
  const fingerprint = json.system_fingerprint
  const usage = usageOfAnswer(format.usageOf(json), format.answerMembers.length > 0)
  let reasons = false
  format.eachAnswerText(json, (kind, text) => {
    if (kind === 'reasoning' && text !== '') reasons = true
  })
  return {
    usage,
    hiddenTokens: hiddenTokensOf(usage, reasons),
    stamp: typeof fingerprint === 'string' ? parseStamp(fingerprint) : undefined,
  }
}

/**
 * The reason in an error answer, on one line: the provider's own message where there is one, else the body's beginning.
 */
export function readErrorAnswer(body: string): string {
  const json = parseObject(body)
  return quotable((json && errorText(json)) ?? body)
}
