/**
 * Asks a server for a small page, by Node's own client and over a connection of its own. What every run asks for is
 * asked this way: undici would cost its start more than all of kt's own files of sending.
 */
import type { IncomingMessage } from 'node:http'
import { get as getHttps } from 'node:https'
import { get as getHttp } from './node-http.ts'

/** The answer, of which only the head is read. */
export function get(url: string, signal?: AbortSignal): Promise<IncomingMessage> {
  const ask = url.startsWith('https:') ? getHttps : getHttp
  return new Promise((resolve, reject) => {
    ask(url, { agent: false, ...(signal && { signal }) }, resolve).on('error', reject)
  })
}
