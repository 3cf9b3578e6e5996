/** Reads a whole JSON answer: whether it is an answer of a known endpoint, its usage and its stamp. */
import { errorText, quotable } from './answer-error.ts'
import { AnswerScan } from './answer-scan.ts'
import { parseStamp, readStamp, type Stamp } from './stamp.ts'
import { parseObject, readUsage, type TokenUsage } from './stream-event.ts'

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
  const known = [json.choices, json.data, json.content, json.candidates, json.output].some(Array.isArray)
  if (!known) return undefined
  const fingerprint = json.system_fingerprint
  return { usage: readUsage(json), stamp: typeof fingerprint === 'string' ? parseStamp(fingerprint) : undefined }
}

/**
 * The reason in an error answer, on one line: the provider's own message where there is one, else the body's beginning.
 */
export function readErrorAnswer(body: string): string {
  const json = parseObject(body)
  return quotable((json && errorText(json)) ?? body)
}
