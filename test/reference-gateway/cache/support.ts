/** Requests as the cache sees them, and responses. */
import type { IncomingHttpHeaders } from 'node:http'
import { type CacheConfig, cacheFile } from '../../../reference-gateway/config/config-file.ts'
import type { CacheFill, CacheLookup, StoredResponse } from '../../../reference-gateway/http/hooks.ts'
import { readBody } from '../../../reference-gateway/http/request-body.ts'
import type { RequestContext } from '../../../reference-gateway/http/request-context.ts'
import { contextOf } from '../support/context.ts'

export const settings = (given: Record<string, unknown> = {}): CacheConfig =>
  cacheFile.parse({ enabled: true, ...given })

export interface Asked {
  tenant?: string
  path?: string
  method?: string
  headers?: IncomingHttpHeaders
}

export const BODY = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }], temperature: 0 }

export function asking(body: Record<string, unknown> = BODY, asked: Asked = {}): RequestContext {
  const { method = 'POST', headers = {}, path = '/chat/completions', tenant } = asked
  const context = contextOf({ method, headers }, path)
  context.body = Buffer.from(JSON.stringify(body))
  const refused = readBody(context)
  if (refused) throw new Error(refused.message)
  if (tenant !== undefined) context.tenant = tenant
  context.provider = 'openai'
  context.timings.arrived(performance.now())
  return context
}

function answer(body: string, stream = false): StoredResponse {
  const type = stream ? 'text/event-stream' : 'application/json'
  return { headers: ['content-type', type], body: Buffer.from(body), stream }
}

/** The fill of a miss; any other result fails the test. */
export function fillOf(found: CacheLookup): CacheFill {
  if (found.kind !== 'miss') throw new Error(`a ${found.kind}, not a miss`)
  return found.fill
}

/** A whole answer that says `content`. */
export function completion(content: string): string {
  return JSON.stringify({ object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content } }] })
}

/** Stores a complete 200: a stream as it is given, or a whole answer that says `text`. */
export function storeBody(context: RequestContext, found: CacheLookup, text: string, stream = false): void {
  context.status = 200
  fillOf(found).store(answer(stream ? text : completion(text), stream))
}

/** What a hit says: the stream, or the content of the whole answer. */
export function bodyOf(found: CacheLookup): string {
  if (found.kind !== 'hit') throw new Error(`a ${found.kind}, not a hit`)
  const body = found.answer.body.toString()
  return found.answer.stream ? body : JSON.parse(body).choices[0].message.content
}
