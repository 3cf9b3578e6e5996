/**
 * W3C trace context (https://www.w3.org/TR/trace-context/): the gateway's span stands between the client's and the
 * provider's. An invalid header starts a new trace; of a future version, the known fields are read.
 */
import { randomFillSync } from 'node:crypto'

export interface TraceContext {
  traceId: string
  /** The gateway's own span. */
  spanId: string
  parentId: string | undefined
  sampled: boolean
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** One call for a page of random bytes is cheap; a call for every id is expensive. */
const page = Buffer.alloc(4_096)
let used = page.length

function randomHex(bytes: number): string {
  if (used + bytes > page.length) {
    randomFillSync(page)
    used = 0
  }
  used += bytes
  const hex = page.toString('hex', used - bytes, used)
  // An id of zeros means that there is no id.
  return /[^0]/.test(hex) ? hex : randomHex(bytes)
}

export function parseTraceparent(traceparent: string | undefined): TraceContext {
  const [, version, traceId, parentId, flags, rest] = FORM.exec(traceparent?.trim() ?? '') ?? []
  const valid =
    version !== undefined &&
    version !== 'ff' &&
    !(version === '00' && rest !== undefined) &&
    isId(traceId) &&
    isId(parentId)
  return {
    traceId: valid ? (traceId ?? '') : randomHex(16),
    spanId: randomHex(8),
    parentId: valid ? parentId : undefined,
    sampled: valid ? (Number.parseInt(flags ?? '00', 16) & 1) === 1 : true,
  }
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

function isId(text: string | undefined): boolean {
  return text !== undefined && /[^0]/.test(text)
}
