/**
 * kt sends straight to its targets. Where the environment names a proxy for one, it says so rather than pass it over.
 */
import { getProxyForUrl } from 'proxy-from-env'
import { isLoopback } from './target.ts'

/** One line for each target that other programs would reach through a proxy; none for loopback and NO_PROXY. */
export function noteIgnoredProxies(origins: readonly string[], note: (line: string) => void): void {
  for (const origin of new Set(origins)) {
    const { protocol, hostname, host } = new URL(origin)
    if (isLoopback(hostname) || getProxyForUrl(origin) === '') continue
    const variable = `${protocol.slice(0, -1).toUpperCase()}_PROXY or ALL_PROXY`
    note(`The environment names a proxy for ${host} (${variable}). kt uses none and connects directly.`)
  }
}
