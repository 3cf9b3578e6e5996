/** A provider of another protocol that answers as the test says and remembers its requests, and OpenAI's client. */
import type { IncomingHttpHeaders } from 'node:http'
import OpenAI from 'openai'
import { gatewayBefore, upstream } from './harness.ts'
import { bodyOf, wait } from './upstream.ts'

interface Asked {
  url: string
  headers: IncomingHttpHeaders
  body: Record<string, unknown>
}

export interface Reply {
  status?: number
  /** Sent as JSON. */
  json?: unknown
  /** Sent unchanged, in place of `json`. */
  text?: string
  /** The data of events. */
  events?: readonly unknown[]
  /** The events are strings, and are sent unchanged. */
  raw?: boolean
  /** Bytes of each write; undefined for one write. */
  step?: number
  /** The pause after the first event. */
  pauseMs?: number
  /** The stream breaks off after this many bytes. */
  cutAt?: number
}

export async function translated(protocol: 'anthropic' | 'gemini', reply: Reply, apiKey?: string) {
  const asked: Asked[] = []
  const provider = await upstream(async (request, response) => {
    const body = request.method === 'POST' ? JSON.parse(await bodyOf(request)) : {}
    asked.push({ url: request.url ?? '', headers: request.headers, body })
    if (!reply.events) {
      response
        .writeHead(reply.status ?? 200, { 'content-type': 'application/json' })
        .end(reply.text ?? JSON.stringify(reply.json))
      return
    }
    const end = protocol === 'gemini' ? '\r\n\r\n' : '\n\n'
    const texts = reply.events.map((event) => `data: ${reply.raw ? event : JSON.stringify(event)}${end}`)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (reply.pauseMs !== undefined) {
      response.write(texts.shift() ?? '')
      await wait(reply.pauseMs)
    }
    const whole = Buffer.from(texts.join('')).subarray(0, reply.cutAt)
    const step = reply.step ?? whole.length
    for (let at = 0; at < whole.length; at += step) {
      response.write(whole.subarray(at, at + step))
      if ((at / step) % 8 === 0) await new Promise(setImmediate)
    }
    if (reply.cutAt === undefined) response.end()
    else response.destroy()
  })
  const base_url = protocol === 'gemini' ? provider.url.replace(/v1$/, 'v1beta') : provider.url
  const gateway = await gatewayBefore('', {
    providers: [{ name: protocol, base_url, protocol, ...(apiKey !== undefined && { api_key: apiKey }) }],
  })
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'client-key', maxRetries: 0 })
  return { client, asked, gateway }
}

/** Everything that `source` yields. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}
