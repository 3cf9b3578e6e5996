/**
 * What a cassette never holds: keys, cookies and ids of organisations. Headers are kept by a list of what is harmless,
 * since nobody knows all names of what is not. The values of a request's secrets are also looked for in what the
 * provider answers, which may repeat them.
 */
import type { IncomingHttpHeaders } from 'node:http'

const KEPT = new Set([
  ...['content-type', 'content-encoding', 'cache-control', 'retry-after', 'retry-after-ms', 'x-should-retry', 'via'],
  ...['x-request-id', 'request-id', 'apim-request-id', 'openai-processing-ms', 'openai-version', 'openai-model'],
  ...['x-envoy-upstream-service-time', 'x-kong-upstream-latency', 'x-kong-proxy-latency', 'x-ms-region', 'server'],
])
const KEPT_FAMILIES = ['x-ratelimit-', 'anthropic-ratelimit-']

export interface KeptHeaders {
  headers: [string, string][]
  leftOut: string[]
}

/** Parts an answer's headers. What frames the body on one connection says nothing about another. */
export function keepHeaders(given: IncomingHttpHeaders): KeptHeaders {
  const kept: KeptHeaders = { headers: [], leftOut: [] }
  for (const [name, value] of Object.entries(given)) {
    if (FRAMING.has(name) || value === undefined) continue
    if (!KEPT.has(name) && !KEPT_FAMILIES.some((family) => name.startsWith(family))) kept.leftOut.push(name)
    else for (const one of [value].flat()) kept.headers.push([name, one])
  }
  return kept
}

/** Headers of one connection, which no proxy hands on (RFC 9110, 7.6.1), and those that follow from the body. */
export const FRAMING: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'proxy-connection', 'expect'],
  ...['content-length', 'date', 'host', 'http2-settings'],
])

const SECRET_HEADERS = /^(?:cookie|proxy-authorization|authorization)$|key|token|secret|organi[sz]ation|project|account/
const SECRET_PARAMETERS = /key|token|secret|sig/i
/** A shorter one may be any word. */
const SHORTEST = 6

/** The secrets that a request carries, as they may be repeated. */
export function secretsOf(headers: IncomingHttpHeaders, url: string): string[] {
  const fromHeaders = Object.entries(headers).flatMap(([name, value]) =>
    SECRET_HEADERS.test(name) ? [value ?? []].flat().flatMap((one) => [one, one.replace(/^\w+ /, '')]) : [],
  )
  const fromQuery = [...new URLSearchParams(url.split('?', 2)[1] ?? '')].flatMap(([name, value]) =>
    SECRET_PARAMETERS.test(name) ? [value] : [],
  )
  const secrets = new Set([...fromHeaders, ...fromQuery].filter(({ length }) => length >= SHORTEST))
  return [...secrets].sort((a, b) => b.length - a.length)
}

const STAR = 0x2a

/** Puts stars in place of every secret in `bytes`; how many were found. Of the same length, so that no piece moves. */
export function starSecrets(bytes: Buffer, secrets: readonly string[]): number {
  let found = 0
  for (const secret of secrets) {
    const sought = Buffer.from(secret)
    for (let at = bytes.indexOf(sought); at !== -1; at = bytes.indexOf(sought, at + sought.length)) {
      bytes.fill(STAR, at, at + sought.length)
      found++
    }
  }
  return found
}

export function starText(text: string, secrets: readonly string[]): string {
  let starred = text
  for (const secret of secrets) starred = starred.replaceAll(secret, '*'.repeat(secret.length))
  return starred
}
