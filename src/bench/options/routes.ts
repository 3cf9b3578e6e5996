/** The ways to the targets that are not reached by name and port, and which keys may take them. */
import { statSync } from 'node:fs'
import { environmentProxy } from '../../client/proxy.ts'
import type { Route } from '../../client/route.ts'
import { isLoopback, type Target } from '../../client/target.ts'
import { UserError } from '../../errors.ts'
import { authorityOf, type ProxyAddress } from '../../http1/tunnel.ts'
import { KEY_HEADERS } from '../../wire/endpoints.ts'
import type { NetworkFlagValues } from './network.ts'

interface Reached extends Pick<NetworkFlagValues, 'proxy' | 'unix-socket' | 'resolve'> {
  http2?: boolean
  at: Target | undefined
  baselineAt?: Target | undefined
}

/** How the targets are reached that are not reached by name and port. */
export function buildRoutes(options: Reached): Route[] {
  const { at, baselineAt, resolve } = options
  const targets = [...new Set([at, baselineAt].flatMap((target) => target?.origin ?? []))]
  for (const { host, port } of resolve) {
    if (targets.some((origin) => isAt(origin, host, port))) continue
    throw new UserError(
      `--resolve ${authorityOf({ host, port })}: no target of the run has this host and port`,
      'Write them as --url has them.',
    )
  }
  return targets.flatMap((origin) => routeOf(origin, options) ?? [])
}

function routeOf(
  origin: string,
  { 'unix-socket': socket, proxy, resolve, at, http2 = false }: Reached,
): Route | undefined {
  if (socket !== undefined && origin === at?.origin) {
    assertSocket(socket)
    return { origin, via: { kind: 'unix-socket', path: socket }, from: '--unix-socket' }
  }
  const resolved = resolve.find(({ host, port }) => isAt(origin, host, port))
  const given = proxy === 'none' ? undefined : proxy
  if (resolved && given) {
    throw new UserError(
      `--resolve gives an address for ${new URL(origin).host}, and --proxy asks for the host by its name`,
      'Leave one of them out.',
    )
  }
  if (resolved) return { origin, via: { kind: 'address', address: resolved.address }, from: '--resolve' }
  const named = proxy === undefined ? environmentProxy(origin) : undefined
  const found = given ?? (named?.proxy.ok ? named.proxy.value : undefined)
  if (!found) return undefined
  if (http2 && origin.startsWith('http:')) {
    throw new UserError(
      `HTTP/2 in the clear does not go through the proxy ${authorityOf(found)}`,
      'Give an https:// address, leave --http2 out, or connect directly: --proxy none.',
    )
  }
  return { origin, via: { kind: 'proxy', proxy: found }, from: given ? '--proxy' : (named?.from ?? '') }
}

function isAt(origin: string, host: string, port: number): boolean {
  const url = new URL(origin)
  const its = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  return url.hostname.replace(/^\[|\]$/g, '').toLowerCase() === host && its === port
}

function assertSocket(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isSocket()) return
  throw new UserError(
    `--unix-socket ${path}: ${found ? 'it is no socket' : 'no such file'}`,
    'Give the socket at which the target listens.',
  )
}

/** Lines for a person: who stands between kt and the targets, and which proxy of the environment does not. */
export function routeLines(origins: readonly string[], routes: readonly Route[]): string[] {
  return [...new Set(origins)].flatMap((origin) => {
    const { host } = new URL(origin)
    const route = routes.find((one) => one.origin === origin)
    if (!route) {
      const named = environmentProxy(origin)
      if (!named || named.proxy.ok) return []
      return [`The environment names a proxy for ${host} (${named.from}): ${named.proxy.why}. kt connects directly.`]
    }
    const { via, from } = route
    const without = from.startsWith('--') ? '' : ' --proxy none connects directly.'
    return [`${host} is reached ${wayWords(via)} (${from}).${without}`]
  })
}

export function wayWords(via: Route['via']): string {
  switch (via.kind) {
    case 'unix-socket':
      return `over the unix socket ${via.path}`
    case 'address':
      return `at ${via.address}`
    case 'proxy':
      return `through the proxy ${authorityOf(via.proxy)}`
    default:
      return via satisfies never
  }
}

/** Refuses to send a key where whoever is on the way could read it. */
export function assertKeyStaysSecret(
  headers: Readonly<Record<string, string>>,
  origin: string,
  routes: readonly Route[],
): void {
  const [name] = Object.keys(headers).filter((header) => KEY_HEADERS.includes(header.toLowerCase()))
  if (name === undefined || !isReadable(origin, routes)) return
  throw new UserError(
    `the API key (${name}) would go to ${new URL(origin).host} in the clear`,
    'Give an https:// address, unset a KT_API_KEY or OPENAI_API_KEY that is not meant, or pass --allow-insecure-key.',
  )
}

function isReadable(origin: string, routes: readonly Route[]): boolean {
  const { protocol, hostname } = new URL(origin)
  if (protocol !== 'http:') return false
  const via = routes.find((route) => route.origin === origin)?.via
  if (via?.kind === 'unix-socket') return false
  const onTheWay =
    via?.kind === 'address' ? [via.address] : [hostname, ...(via?.kind === 'proxy' ? [via.proxy.host] : [])]
  return !onTheWay.every(isLoopback)
}

/** What no text may show of them. */
export function proxySecrets(routes: readonly Route[]): string[] {
  return routes.flatMap(({ via }) => (via.kind === 'proxy' ? secretsOfProxy(via.proxy) : []))
}

function secretsOfProxy({ authorization }: ProxyAddress): string[] {
  if (authorization === undefined) return []
  const [, ...password] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':')
  return [authorization, password.join(':')]
}
