/**
 * Which headers pass the gateway. Hop-by-hop headers (RFC 9110, 7.6.1) and headers that a Connection header names stay
 * on their own connection. Everything else passes as it came, in order, with its case and its duplicates.
 */
import { ACCOUNT_HEADERS } from './client-key.ts'

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Headers that the upstream connection sets itself: host and length of the body that is sent; 100-continue was
 * answered.
 */
const SAID_ANEW = new Set(['host', 'content-length', 'expect', 'http2-settings'])

/**
 * What a proxy or a browser said to the gateway, and no provider: cookies, addresses, other paths and methods. Some
 * servers would go by them.
 */
const FOR_GATEWAY = new RegExp(
  `^(?:${[
    ...['cookie', 'forwarded', 'origin', 'referer', 'x-forwarded-.+', 'x-real-ip', 'sec-fetch-.+'],
    ...['x-original-(?:url|uri|host)', 'x-rewrite-url', 'x-http-method(?:-override)?', 'x-method-override'],
  ].join('|')})$`,
)

/** What belongs to the provider's account or to its own gateway, and to no client. */
const FOR_ACCOUNT = new Set(['set-cookie', ...ACCOUNT_HEADERS, 'x-kt-cache', 'x-kt-overhead-ms'])

/** Headers that never pass as a trailer (RFC 9110, 6.5.1): framing, routing, authentication. */
const NOT_A_TRAILER = new Set([
  'content-length',
  'content-encoding',
  'content-type',
  'host',
  'authorization',
  'set-cookie',
])

/**
 * The client's headers as they go upstream. `own` (name, value, ...) replaces the client's headers of the same names.
 * Headers in `dropped` (names in lower case) do not pass.
 */
export function requestHeaders(
  raw: readonly string[],
  own: readonly string[],
  dropped: ReadonlySet<string> | undefined,
): string[] {
  const named = namedByConnection(raw)
  const kept: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const key = name.toLowerCase()
    if (HOP_BY_HOP.has(key) || SAID_ANEW.has(key) || named?.has(key) || FOR_GATEWAY.test(key)) continue
    if (dropped?.has(key)) continue
    kept.push(name, raw[i + 1] ?? '')
  }
  kept.push(...own)
  return kept
}

/** The head of an upstream response. */
export interface UpstreamHead {
  status: number
  /** The headers that pass, without the upstream's server-timing, which is sent together with the gateway's own. */
  headers: string[]
  contentLength: number | undefined
  contentType: string
  isEventStream: boolean
  /** Nothing says how long the body is, so that a part of it looks like all of it. */
  isOpenEnded: boolean
  /** The body is compressed, so that the gateway cannot read it. */
  isEncoded: boolean
  /** The upstream forbids to keep the response, or says that it depends on more than the request. */
  isPrivate: boolean
  /** The upstream closes this connection after the response. */
  closes: boolean
  retryAfter: string | undefined
  /** The provider has given the request a name. */
  isNamed: boolean
  serverTiming: string
  /** The trailers that the upstream announced. */
  trailer: string
}

/** Whether `value` may be a field value (RFC 9110, 5.5), by Node's own definition. */
export function isFieldValue(value: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(value)
}

/** Name, value, name, value: as they came. */
export type RawHeaders = readonly string[]

export function readHead(status: number, raw: RawHeaders): UpstreamHead {
  const named = namedByConnection(raw)
  const head: UpstreamHead = {
    status,
    headers: [],
    contentLength: undefined,
    contentType: '',
    isEventStream: false,
    isOpenEnded: true,
    isEncoded: false,
    isPrivate: false,
    closes: named?.has('close') ?? false,
    retryAfter: undefined,
    isNamed: false,
    serverTiming: '',
    trailer: '',
  }
  let cacheControl = ''
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    const key = name.toLowerCase()
    // RFC 9110, 8.6: a server sends none with a 204.
    if (status === 204 && key === 'content-length') continue
    if (key === 'transfer-encoding' || key === 'content-length') head.isOpenEnded = false
    if (key === 'server-timing') head.serverTiming = joinLists(head.serverTiming, value)
    else if (key === 'trailer') head.trailer = joinLists(head.trailer, value)
    else if (!HOP_BY_HOP.has(key) && !named?.has(key) && !FOR_ACCOUNT.has(key)) {
      head.headers.push(name, value)
      if (key === 'content-length') head.contentLength = Number(value)
      else if (key === 'content-type') {
        head.contentType = joinLists(head.contentType, value)
        head.isEventStream = value.toLowerCase().startsWith('text/event-stream')
      } else if (key === 'cache-control') cacheControl = joinLists(cacheControl, value)
      else if (key === 'vary') head.isPrivate ||= value.includes('*')
      else if (key === 'retry-after') head.retryAfter = value
      else if (key === 'x-request-id') head.isNamed = true
      else if (key === 'content-encoding') head.isEncoded = value.toLowerCase() !== 'identity'
    }
  }
  if (cacheControl !== '') head.isPrivate ||= (head.isEventStream ? NOT_KEPT_AS_STREAM : NOT_KEPT).test(cacheControl)
  return head
}

const NOT_KEPT = /\b(?:no-store|no-cache|private)\b/i
/**
 * Providers send every event stream with `no-cache`, so that no proxy holds it back. They say nothing by it to a cache
 * that its owner has switched on for them.
 */
const NOT_KEPT_AS_STREAM = /\b(?:no-store|private)\b/i

/** For a body whose length is no longer the announced one. */
export function removeContentLength(head: UpstreamHead): void {
  const at = head.headers.findIndex((part, index) => index % 2 === 0 && part.toLowerCase() === 'content-length')
  if (at >= 0) head.headers.splice(at, 2)
  head.contentLength = undefined
}

/** The upstream's trailers that may pass, and its server-timing. */
export function responseTrailers(rawTrailers: RawHeaders): { trailers: [string, string][]; serverTiming: string } {
  const trailers: [string, string][] = []
  let serverTiming = ''
  for (let i = 0; i + 1 < rawTrailers.length; i += 2) {
    const name = rawTrailers[i] ?? ''
    const value = rawTrailers[i + 1] ?? ''
    const key = name.toLowerCase()
    if (key === 'server-timing') serverTiming = joinLists(serverTiming, value)
    else if (!HOP_BY_HOP.has(key) && !NOT_A_TRAILER.has(key)) trailers.push([name, value])
  }
  return { trailers, serverTiming }
}

/** Joins two lists of a comma-separated header. */
export function joinLists(first: string, second: string): string {
  return first && second ? `${first}, ${second}` : first || second
}

const QUOTED = /"(?:[^"\\]|\\.)*"/g

/** Whether a content type is several. */
export function isTypeList(contentType: string): boolean {
  return contentType.replace(QUOTED, '').includes(',')
}

/** Every value of the header `name`, which is in lower case: node:http keeps only one of most. */
export function rawValues(raw: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.length === name.length && raw[i]?.toLowerCase() === name) values.push(raw[i + 1] ?? '')
  }
  return values
}

function namedByConnection(raw: readonly string[]): Set<string> | undefined {
  const values = rawValues(raw, 'connection')
  if (values.length === 0) return undefined
  return new Set(values.flatMap((value) => value.split(',')).map((token) => token.trim().toLowerCase()))
}
