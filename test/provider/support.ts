/** A simulated provider on a free port for one test, closed after it, and plain HTTP to talk to it. */
import { onTestFinished } from 'vitest'
import { StreamTimings } from '../../src/client/stream-timings.ts'
import type { LatencyModel } from '../../src/provider/latency.ts'
import { type ProviderOptions, type SimulatedProvider, startProvider } from '../../src/provider/server.ts'
import type { TruthRecord } from '../../src/provider/truth.ts'
import { buildNonce, nonceWord } from '../../src/wire/nonce.ts'
import { SseReader } from '../../src/wire/sse.ts'
import type { Stamp } from '../../src/wire/stamp.ts'

export function fixedLatency(ttftMs: number, gapMs: number): LatencyModel {
  return { ttft: { kind: 'fixed', us: ttftMs * 1_000 }, tokenGap: { kind: 'fixed', us: gapMs * 1_000 }, seed: 1 }
}

/** Without options: no delays, 5 tokens. */
export async function provider(options: Partial<ProviderOptions> = {}): Promise<SimulatedProvider> {
  const started = await startProvider({
    host: '127.0.0.1',
    port: 0,
    latency: fixedLatency(0, 0),
    tokens: 5,
    ...options,
  })
  onTestFinished(() => started.close(0))
  return started
}

export function nonce(index: number, arm = 'testarms'): string {
  return buildNonce(arm, 7, index)
}

export function chatBody(text: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { model: 'gpt-4o', messages: [{ role: 'user', content: text }], ...more }
}

export function chatWith(nonceText: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return chatBody(`Say something plain. ${nonceWord(nonceText)}`, more)
}

export function post(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string> | undefined) },
  })
}

export function postChat(target: SimulatedProvider, body: unknown, init: RequestInit = {}): Promise<Response> {
  return post(`${target.url}/v1/chat/completions`, body, init)
}

/** The payloads of an SSE body, '[DONE]' included. */
export function payloadsOf(sse: string): string[] {
  return sse.split('\n\n').flatMap((event) => (event.startsWith('data: ') ? [event.slice(6)] : []))
}

export async function truthOf(target: SimulatedProvider): Promise<TruthRecord[]> {
  const text = await (await fetch(`${target.url}/__kt/truth`)).text()
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as TruthRecord)
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

/** The events of an SSE body, with their names where they have one, whatever the line ends. */
export function eventsOf(sse: string): { name: string | undefined; json: Record<string, unknown> }[] {
  return sse.split(/\r?\n\r?\n/).flatMap((event) => {
    const data = /^data: (\{.*)$/m.exec(event)?.[1]
    const name = /^event: (.*)$/m.exec(event)?.[1]
    return data ? [{ name, json: JSON.parse(data) as Record<string, unknown> }] : []
  })
}

/** What kt's own client makes of an SSE body. */
export function watched(sse: string): StreamTimings & { stamps: (Stamp | undefined)[] } {
  const stamps: (Stamp | undefined)[] = []
  const watch = new StreamTimings((_atUs, _gapUs, stamp) => stamps.push(stamp))
  const reader = new SseReader((data, name) => watch.event(data, 0, name))
  reader.push(Buffer.from(sse))
  reader.end()
  return Object.assign(watch, { stamps })
}

export const ANTHROPIC = { 'anthropic-version': '2023-06-01', 'x-api-key': 'any' }

export function messagesWith(nonceText: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...chatWith(nonceText), max_tokens: 5, ...more }
}

export function contentsWith(nonceText: string, maxOutputTokens?: number): Record<string, unknown> {
  const contents = [{ role: 'user', parts: [{ text: `Say something plain. ${nonceWord(nonceText)}` }] }]
  return maxOutputTokens === undefined ? { contents } : { contents, generationConfig: { maxOutputTokens } }
}

/** Every place in `value` with the type of what is there: 'usage.output_tokens: number'. */
export function placesOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [`${path}: array`, ...value.flatMap((item) => placesOf(item, `${path}[]`))]
  if (typeof value !== 'object' || value === null) return [`${path}: ${value === null ? 'null' : typeof value}`]
  return Object.entries(value).flatMap(([key, inner]) => placesOf(inner, path ? `${path}.${key}` : key))
}
