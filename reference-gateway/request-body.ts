/**
 * The request body: read whole up to a limit, and looked into for the model. The bytes themselves go upstream unchanged.
 */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { type GatewayError, invalidRequest } from './openai-error.ts'

export const MAX_BODY_BYTES = 10 * 1024 * 1024

export interface ReceivedBody {
  bytes: Buffer
  /** When the request had arrived in full: with its head where both came together, else with its last byte. */
  arrivedMs: number
}

const EMPTY = Buffer.alloc(0)
const TOO_LARGE = invalidRequest('body_too_large', 'the request body is larger than 10 MiB', 413)

/** Calls exactly one of the two, once. A client that goes away in between is seen at the response, not here. */
export function receiveBody(
  request: IncomingMessage,
  received: (body: ReceivedBody) => void,
  refused: (error: GatewayError) => void,
): void {
  const headMs = performance.now()
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
    refused(TOO_LARGE)
    return
  }
  // By the next tick the parser has gone through the segment that held the head.
  let cameWithHead = false
  process.nextTick(() => {
    cameWithHead = request.complete
  })
  const chunks: Buffer[] = []
  let size = 0
  const onData = (chunk: Buffer): void => {
    size += chunk.length
    if (size <= MAX_BODY_BYTES) {
      chunks.push(chunk)
      return
    }
    chunks.length = 0
    request.off('data', onData).off('end', onEnd)
    refused(TOO_LARGE)
  }
  const onEnd = (): void => {
    const bytes = chunks.length > 1 ? Buffer.concat(chunks, size) : (chunks[0] ?? EMPTY)
    received({ bytes, arrivedMs: cameWithHead ? headMs : performance.now() })
  }
  request.on('data', onData).on('end', onEnd)
}

/** The model that `body` asks for, if it names one. Forms (audio, files) are not looked into. */
export function modelOf(request: IncomingMessage, body: Buffer): { model?: string } | GatewayError {
  const { 'content-type': type = '', 'content-encoding': encoding } = request.headers
  if (body.length === 0 || type.startsWith('multipart/')) return {}
  if (encoding !== undefined && encoding !== 'identity') {
    return invalidRequest('unsupported_encoding', 'send the request body uncompressed', 415)
  }
  if (!isUtf8(body)) return invalidRequest('invalid_utf8', 'the request body is not UTF-8')
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString('utf8'))
  } catch {
    return invalidRequest('invalid_json', 'the request body is not valid JSON')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return invalidRequest('invalid_json', 'the request body is not a JSON object')
  }
  if (!('model' in parsed)) return {}
  return typeof parsed.model === 'string'
    ? { model: parsed.model }
    : invalidRequest('invalid_model', "'model' is not a string")
}
