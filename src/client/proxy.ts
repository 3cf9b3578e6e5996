/**
 * The HTTP proxy through which a target is reached, which the user names or the environment does. Loopback is reached
 * through none of the environment's.
 */
import { getProxyForUrl } from 'proxy-from-env'
import { failure, type Result, success } from '../errors.ts'
import type { ProxyAddress } from '../http1/tunnel.ts'
import { withoutCredentials } from '../parse/addresses.ts'
import { isLoopback } from './target.ts'

const HTTP_PROXY_PORT = 80

/** 'http://user:password@host:3128', or 'host:3128'. */
export function parseProxy(text: string): Result<ProxyAddress> {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  const next = "Give an HTTP proxy such as http://127.0.0.1:3128, or 'none'."
  if (!url?.hostname) return failure(`'${withoutCredentials(text)}' is not the address of a proxy`, next)
  if (url.protocol !== 'http:') return failure(`kt goes through HTTP proxies only, not ${url.protocol}//`, next)
  const { username, password, hostname, port } = url
  const given = username !== '' || password !== ''
  const pair = [username, password].map(decoded).join(':')
  return success({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || HTTP_PROXY_PORT,
    ...(given ? { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } : {}),
  })
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** What the environment names for a target: a proxy that kt can use or not, and the variable. */
export function environmentProxy(origin: string): { from: string; proxy: Result<ProxyAddress> } | undefined {
  const { protocol, hostname } = new URL(origin)
  if (isLoopback(hostname) || getProxyForUrl(origin) === '') return undefined
  const names = [`${protocol.slice(0, -1)}_proxy`, 'all_proxy'].flatMap((name) => [name, name.toUpperCase()])
  const from = names.find((name) => process.env[name])
  const named = from === undefined ? undefined : process.env[from]
  return { from: from ?? 'the environment', proxy: parseProxy(named ?? getProxyForUrl(origin)) }
}
