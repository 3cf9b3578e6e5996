/**
 * What a request's head must be before anything else is asked of it: one version of HTTP, one Host, one target, one
 * key, one coding of the body; and not sent by a page of another site, which would spend the gateway's keys.
 */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { CLIENT_KEY_HEADERS } from './client-key.ts'
import { type GatewayResult, invalidRequest, refused } from './gateway-error.ts'
import { rawValues } from './headers.ts'
import { isHttp2 } from './http2-request.ts'

export interface HeadRules {
  /** Any client may use the gateway, and it listens on loopback only: then no public name leads here by intent. */
  readonly onlyLocal: boolean
  /** What this gateway calls itself to those behind it. */
  readonly via: string
}

const HOST = /^(?:[\w.~!$&'()*+,;=%-]*|\[[\da-fA-F:.]+\])(?::\d{0,5})?$/
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i
const ONCE = ['host', ...CLIENT_KEY_HEADERS]

/** The path and query that are asked for. */
export function readHead(request: IncomingMessage, { onlyLocal, via }: HeadRules): GatewayResult<{ url: string }> {
  const { headers, rawHeaders, httpVersion, url = '' } = request
  if (httpVersion !== '1.1' && httpVersion !== '1.0' && !isHttp2(request)) {
    return refused(invalidRequest('unsupported_version', `HTTP/${httpVersion} is not spoken here`, 505))
  }
  const twice = ONCE.find((name) => rawValues(rawHeaders, name).length > 1)
  if (twice) return refused(invalidRequest('duplicate_header', `the request has more than one '${twice}'`))
  if (headers.via?.includes(via)) {
    return refused(
      invalidRequest('loop', 'the request has passed this gateway before: a base_url leads back here', 508),
    )
  }
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
    return refused(invalidRequest('unsupported_encoding', `the transfer coding '${coding}' is not known`, 501))
  }
  const [, authority, rest] = ABSOLUTE.exec(url) ?? []
  const host = headers.host ?? authority ?? ''
  if (!HOST.test(host)) return refused(invalidRequest('invalid_host', 'the Host header is none'))
  if (authority !== undefined && authority.toLowerCase() !== host.toLowerCase()) {
    return refused(invalidRequest('invalid_host', 'the target and the Host header name different hosts'))
  }
  if (isCrossSite(request, host)) {
    return refused(invalidRequest('cross_site', 'pages of another site may not send requests here', 403))
  }
  if (onlyLocal && isPublicName(host)) {
    return refused(invalidRequest('foreign_host', 'this gateway serves its own machine, under no public name', 403))
  }
  const target = rest ?? url
  if (target.includes('#')) return refused(invalidRequest('invalid_path', 'a path has no fragment'))
  return { ok: true, value: { url: target === '' ? '/' : target } }
}

/** Browsers say where a request comes from, and no page can keep them from it. */
function isCrossSite({ headers }: IncomingMessage, host: string): boolean {
  if (headers['sec-fetch-site'] === 'cross-site') return true
  const { origin } = headers
  return origin !== undefined && URL.parse(origin)?.host !== host.toLowerCase()
}

/** A page may lead a public name of its own to this machine. A name without a dot is of the local network. */
function isPublicName(host: string): boolean {
  const name = host.replace(/:\d*$/, '').replace(/^\[|\]$/g, '')
  return name.includes('.') && isIP(name) === 0 && !/\.(?:localhost|local|internal)\.?$/i.test(name)
}

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\./.test(address)
}
