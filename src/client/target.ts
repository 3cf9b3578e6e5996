/**
 * Where requests go: the URL that the user gives, completed with the endpoint's path, and whether its host is public.
 */
import ipaddr from 'ipaddr.js'
import { UserError } from '../errors.ts'
import { type ApiEndpoint, ENDPOINTS, formatOfEndpoint } from '../wire/formats.ts'

export interface Target {
  origin: string
  path: string
  /** Without user, password and query, so that it can be printed and stored. */
  shownUrl: string
  /** Neither a loopback, private or link-local address, nor a name of the local network. */
  isPublic: boolean
}

/** `http://host:41002`, `…/v1` and `…/v1/chat/completions` all name the chat endpoint. */
export function resolveTarget(url: string, endpoint: ApiEndpoint): Target {
  const parsed = parseUrl(url)
  const path = parsed.pathname.replace(/\/+$/, '')
  const named = ENDPOINTS.filter((name) => path.endsWith(pathOf(name))).sort(
    (a, b) => pathOf(b).length - pathOf(a).length,
  )[0]
  if (named && named !== endpoint) {
    throw new UserError(
      `--url names the ${named} endpoint, but --endpoint is ${endpoint}`,
      `Pass --endpoint ${named}, or another --url.`,
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

function parseUrl(url: string): URL {
  const parsed = URL.parse(url)
  const next = 'Give a whole address such as http://127.0.0.1:41002/v1/chat/completions.'
  if (!parsed) throw new UserError(`--url '${withoutCredentials(url)}' is not a URL`, next)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new UserError(`--url must begin with http:// or https://, not ${parsed.protocol}`, next)
  }
  if (parsed.username || parsed.password) {
    throw new UserError('--url must not hold a user or password', 'Pass it as --header "Authorization: Basic …".')
  }
  return parsed
}

/** The part of an unparsable address that a message may repeat: no user, no password, no query. */
function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//***@').replace(/\?.*$/s, '?***')
}

function isPublicHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() === 'unicast'
  return host.includes('.') && !/\.(localhost|local|internal|lan|home\.arpa|test)\.?$/.test(host)
}
