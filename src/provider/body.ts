/** The body of a request, read whole. */
import type { Clock } from '../system/clock.ts'
import { MAX_BODY_BYTES } from './api.ts'

/** A request of HTTP/1.1 or HTTP/2. */
export interface Incoming {
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'end', listener: () => void): unknown
}

interface BodyReaders {
  whole: (body: Buffer, receivedUs: number) => void
  /** Called once; the rest is read and thrown away, so that a client that is still sending gets to see the answer. */
  tooLarge: () => void
}

/** Reads a request's body whole, up to a limit, and notes when its last byte arrived. */
export function readBody(request: Incoming, clock: Clock, readers: BodyReaders): void {
  let chunks: Buffer[] = []
  let bytes = 0
  let receivedUs = clock()
  request.on('data', (chunk: Buffer) => {
    receivedUs = clock()
    if (bytes > MAX_BODY_BYTES) return
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes <= MAX_BODY_BYTES) return
    chunks = []
    readers.tooLarge()
  })
  request.on('end', () => {
    if (bytes > MAX_BODY_BYTES) return
    const [first] = chunks
    readers.whole(chunks.length === 1 && first ? first : Buffer.concat(chunks), Math.round(receivedUs))
  })
}
