/** What a whole JSON answer says: whether it is one of the endpoint's, its usage and its stamp. */

import { errorText, quotable } from './answer-error.ts'
import { AnswerScan } from './answer-scan.ts'
import { formatOfAnswer } from './formats.ts'
import { parseObject } from './json.ts'
import { parseStamp, readStamp, type Stamp } from './stamp.ts'
import type { TokenUsage } from './usage.ts'

interface JsonAnswer {
  usage: TokenUsage | undefined
  stamp: Stamp | undefined
}

const scan = new AnswerScan()

/** Undefined when the body is not JSON, or not an answer of a completion or embedding endpoint. */
export function readJsonAnswer(body: Buffer): JsonAnswer | undefined {
  if (!scan.read(body)) return parseJsonAnswer(body.toString('utf8'))
  const { usage, fingerprintStart, fingerprintEnd } = scan
  return { usage, stamp: fingerprintStart < 0 ? undefined : readStamp(body, fingerprintStart, fingerprintEnd, '') }
}

/** The same by a full parse. */
export function parseJsonAnswer(body: string): JsonAnswer | undefined {
  const json = parseObject(body)
  if (!json || errorText(json) !== undefined) return undefined
  const format = formatOfAnswer(json)
  if (!format) return undefined
  const fingerprint = json.system_fingerprint
  return { usage: format.usageOf(json), stamp: typeof fingerprint === 'string' ? parseStamp(fingerprint) : undefined }
}

/**
 * The reason in an error answer, on one line: the provider's own message where there is one, else the body's beginning.
 */
export function readErrorAnswer(body: string): string {
  const json = parseObject(body)
  return quotable((json && errorText(json)) ?? body)
}
