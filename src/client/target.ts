/**
 * Where requests go: the URL that the user gives, completed with the endpoint's path, and whether its host is public.
 */
import ipaddr from 'ipaddr.js'
import { failure, type Result, success, UserError } from '../errors.ts'
import { isAddress, withoutCredentials, withScheme } from '../parse/addresses.ts'
import { parsedBy } from '../parse/quantity.ts'
import { type ApiEndpoint, ENDPOINTS, formatOfEndpoint } from '../wire/formats.ts'

export interface Target {
  origin: string
  path: string
  /** Without user, password and query, so that it can be printed and stored. */
  shownUrl: string
  /** Neither a loopback, private or link-local address, nor a name of the local network. */
  isPublic: boolean
}

const NEXT = 'Give a whole address such as http://127.0.0.1:41002/v1/chat/completions.'

function parseAddress(text: string): Result<URL> {
  const url = URL.parse(isAddress(text) ? withScheme(text) : text)
  if (!url) return failure(`'${withoutCredentials(text)}' is not a URL`, NEXT)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return failure(`must begin with http:// or https://, not ${url.protocol}`, NEXT)
  }
  return url.username || url.password
    ? failure('must not hold a user or password', 'Pass it as --header "Authorization: Basic …".')
    : success(url)
}

/** An address that requests may be sent to, as flags give it. */
export const address = parsedBy(parseAddress, 'an address such as http://127.0.0.1:41002')

/**
 * `http://host:41002`, `…/v1` and `…/v1/chat/completions` all name the chat endpoint. `flag` is the one that gave
 * it.
 */
export function resolveTarget(url: URL | string, endpoint: ApiEndpoint, flag = '--url'): Target {
  const parsed = new URL(url)
  const path = parsed.pathname.replace(/\/+$/, '')
  const named = ENDPOINTS.filter((name) => path.endsWith(pathOf(name))).sort(
    (a, b) => pathOf(b).length - pathOf(a).length,
  )[0]
  if (named && named !== endpoint) {
    throw new UserError(
      `${flag} names the ${named} endpoint, but --endpoint is ${endpoint}`,
      `Pass --endpoint ${named}, or another ${flag}.`,
    )
  }
  const isBase = path === '' || /\/v\d+(beta)?$/.test(path)
  const full = named || !isBase ? path : `${path || '/v1'}${pathOf(endpoint)}`
  return {
    origin: parsed.origin,
    path: full + parsed.search,
    shownUrl: parsed.origin + full,
    isPublic: isPublicHost(parsed.hostname),
  }
}

function pathOf(endpoint: ApiEndpoint): string {
  return formatOfEndpoint(endpoint).path
}

function isPublicHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() === 'unicast'
  return host.includes('.') && !/\.(localhost|local|internal|lan|home\.arpa|test)\.?$/.test(host)
}

/** A host of this machine, as URLs spell it. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() === 'loopback'
  return /(^|\.)localhost\.?$/.test(host)
}
