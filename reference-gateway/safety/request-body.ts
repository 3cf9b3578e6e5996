/**
 * The request body: read whole up to a limit, parsed once, and looked at as far as the gateway itself must understand it.
 * The bytes go upstream unchanged unless a policy changes them.
 */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { formatBytes } from '../../src/units.ts'
import { type GatewayError, invalidRequest } from '../openai-error.ts'
import type { JsonObject, RequestContext } from '../pipeline/context.ts'
import { guardJson, MAX_DEPTH } from './json-guard.ts'

const EMPTY = Buffer.alloc(0)

/** Calls exactly one of the two, once. A client that goes away in between is seen at the response, not here. */
export function receiveBody(
  request: IncomingMessage,
  limitBytes: number,
  received: (bytes: Buffer, arrivedMs: number) => void,
  refused: (error: GatewayError) => void,
): void {
  const headMs = performance.now()
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) {
    refused(tooLarge(limitBytes))
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
    if (size <= limitBytes) {
      chunks.push(chunk)
      return
    }
    chunks.length = 0
    request.off('data', onData).off('end', onEnd)
    refused(tooLarge(limitBytes))
  }
  /** The request has arrived in full: with its head where both came together, else with its last byte. */
  const onEnd = (): void => {
    const bytes = chunks.length > 1 ? Buffer.concat(chunks, size) : (chunks[0] ?? EMPTY)
    received(bytes, cameWithHead ? headMs : performance.now())
  }
  request.on('data', onData).on('end', onEnd)
}

function tooLarge(limitBytes: number): GatewayError {
  return invalidRequest('body_too_large', `the request body is larger than ${formatBytes(limitBytes)}`, 413)
}

/** Fills in what the body says, or returns why it is refused. Forms (audio, files) are not looked into. */
export function readBody(context: RequestContext): GatewayError | undefined {
  const { 'content-type': type = '', 'content-encoding': encoding } = context.headers
  const { body } = context
  if (body.length === 0 || type.startsWith('multipart/')) return undefined
  if (encoding !== undefined && encoding !== 'identity') {
    return invalidRequest('unsupported_encoding', 'send the request body uncompressed', 415)
  }
  if (!isUtf8(body)) return invalidRequest('invalid_utf8', 'the request body is not UTF-8')
  const text = body.toString('utf8')
  const finding = guardJson(text)
  if (finding) return refusalOf(finding)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return invalidRequest('invalid_json', 'the request body is not valid JSON')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return invalidRequest('invalid_json', 'the request body is not a JSON object')
  }
  return takeOver(context, parsed as JsonObject)
}

/** What the gateway's own decisions rest on must have the right type: policies that see nothing must not let it pass. */
export function takeOver(context: RequestContext, json: JsonObject): GatewayError | undefined {
  const { model, stream, messages } = json
  if (model !== undefined && typeof model !== 'string') {
    return invalidRequest('invalid_model', "'model' is not a string")
  }
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    return invalidRequest('invalid_type', "'stream' is not a boolean")
  }
  if (context.endpoint === 'chat' && messages !== undefined && !isListOfObjects(messages)) {
    return invalidRequest('invalid_type', "'messages' is not a list of objects")
  }
  context.json = json
  context.model = model
  context.stream = stream === true
  return undefined
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null && !Array.isArray(one))
}

function refusalOf(finding: NonNullable<ReturnType<typeof guardJson>>): GatewayError {
  return finding.kind === 'deep'
    ? invalidRequest('too_deep', `the request body is nested deeper than ${MAX_DEPTH} levels`)
    : invalidRequest('duplicate_key', `the key ${JSON.stringify(finding.key.slice(0, 64))} occurs twice in one object`)
}
