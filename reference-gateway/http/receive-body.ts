/**
 * Receives a request's body whole, up to a limit, in pieces that are counted as they come. A large body can be received
 * into memory that threads share: a millisecond of parsing on the event loop delays every request.
 */
import type { IncomingMessage } from 'node:http'
import { formatBytes } from '../../src/units.ts'
import { concatChunks } from './chunks.ts'
import { type GatewayError, invalidRequest, OVERLOADED } from './gateway-error.ts'
import type { Upload } from './uploads.ts'

export interface BodyReceiver {
  /** Of the largest body that is taken. */
  readonly limitBytes: number
  /** A body above this size goes into shared memory. */
  readonly sharedAboveBytes: number
  /** The client waits to be told to send it. */
  proceed(): void
  /** Asks before bytes are kept. False: there is no room for them. */
  keep(bytes: number): boolean
  /** The body does not come together with its head; `stop` ends the wait for it. */
  isComing(stop: (error: GatewayError) => void): Upload
  /** The request has arrived in full: with its head where both came together, else with its last byte. */
  received(bytes: Buffer, arrivedMs: number): void
  refused(error: GatewayError): void
}

/**
 * Calls exactly one of `received` and `refused`, once. A client that leaves meanwhile is noticed at the response, not
 * here.
 */
export function receiveBody(request: IncomingMessage, to: BodyReceiver): void {
  const { limitBytes, sharedAboveBytes } = to
  const headMs = performance.now()
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > limitBytes) {
    to.refused(tooLarge(limitBytes))
    return
  }
  if (request.headers.expect?.toLowerCase() === '100-continue') to.proceed()
  // Each piece is copied into it as it arrives.
  const shared = announced > sharedAboveBytes ? sharedBuffer(announced) : undefined
  const mostBytes = shared ? announced : limitBytes
  const chunks: Buffer[] = []
  let size = 0
  let upload: Upload | undefined
  let over = false
  const refuse = (error: GatewayError): void => {
    if (over) return
    over = true
    chunks.length = 0
    request.off('data', onData).off('end', onEnd)
    upload?.end()
    to.refused(error)
  }
  // What came together with the head is read before the event loop turns.
  let cameWithHead = true
  const turn = setImmediate(() => {
    cameWithHead = false
    if (over) return
    upload = to.isComing(refuse)
    request.once('close', () => upload?.end())
  })
  const onData = (chunk: Buffer): void => {
    const at = size
    size += chunk.length
    if (size > mostBytes) refuse(tooLarge(limitBytes))
    else if (!to.keep(chunk.length)) refuse(OVERLOADED)
    else if (shared) shared.set(chunk, at)
    else chunks.push(chunk)
    upload?.progress()
  }
  const onEnd = (): void => {
    if (over) return
    over = true
    clearImmediate(turn)
    upload?.end()
    const bytes = shared ?? (size > sharedAboveBytes ? sharedCopy(chunks, size) : concatChunks(chunks))
    to.received(bytes, cameWithHead ? headMs : performance.now())
  }
  request.on('data', onData).on('end', onEnd)
}

function sharedBuffer(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes))
}

function sharedCopy(chunks: readonly Buffer[], size: number): Buffer {
  const all = sharedBuffer(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

function tooLarge(limitBytes: number): GatewayError {
  return invalidRequest('body_too_large', `the request body is larger than ${formatBytes(limitBytes)}`, 413)
}
