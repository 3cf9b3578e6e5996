// A provider whose answers are a function of the request, with reasoning, text and a tool call; and proxies before it
// that pass answers on in their own way.
import { request } from 'node:http'
import { hash32 } from '../../src/stats/random.ts'
import { httpServer, type TestServer } from './engine.ts'

/** What one answer says, by the part of the message. */
export interface Said {
  reasoning: string
  content: string
  tool: string
}

const USAGE = { prompt_tokens: 5, completion_tokens: 9 }

function whole({ reasoning, content, tool }: Said): string {
  const tool_calls = [{ index: 0, id: 'call', type: 'function', function: { name: 'f', arguments: tool } }]
  const called = tool === '' ? {} : { tool_calls }
  const message = { role: 'assistant', reasoning_content: reasoning, content, ...called }
  return JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage: USAGE })
}

function streamed({ reasoning, content, tool }: Said): string {
  const event = (delta: object, finish_reason: string | null = null): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`
  const call = (text: string) => ({ tool_calls: [{ index: 0, function: { arguments: text } }] })
  return [
    ...[...reasoning].map((char) => event({ reasoning_content: char })),
    ...(content.match(/\S+\s*/g) ?? []).map((word) => event({ content: word })),
    ...(tool.match(/.{1,3}/g) ?? []).map((part) => event(call(part))),
    event({}, 'stop'),
    `data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`,
  ].join('')
}

function write(said: Said, stream: boolean): string {
  return stream ? streamed(said) : whole(said)
}

interface Asked {
  stream: boolean
  /** The text of the last message, with its nonce. */
  text: string
  /** How many requests were asked before. */
  before: number
}

const HEADERS = { true: 'text/event-stream', false: 'application/json' } as const

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Answers each request with what `say` makes of it. */
export async function provider(
  say: (asked: Asked) => Said,
  headers: Record<string, string> = {},
): Promise<TestServer & { calls(): number }> {
  let before = 0
  const server = await httpServer(async (incoming, response) => {
    const { stream = false, messages } = JSON.parse(await readAll(incoming))
    const body = write(say({ stream, text: messages.at(-1).content, before: before++ }), stream)
    response.writeHead(200, { 'content-type': HEADERS[`${stream as boolean}`], ...headers }).end(body)
  })
  return { ...server, calls: () => before }
}

/** Passes requests on to `target`, and of an answer what `change` makes of it; a list is written piece by piece. */
export async function proxy(
  target: string,
  change: (body: string, number: number) => string | readonly string[],
): Promise<TestServer> {
  let number = 0
  return httpServer(async (incoming, response) => {
    const mine = number++
    const body = await readAll(incoming)
    const passed = request(target + incoming.url, { method: 'POST', headers: incoming.headers }, async (answer) => {
      const pieces = [change(await readAll(answer), mine)].flat()
      const { 'content-length': _, ...headers } = answer.headers
      response.writeHead(answer.statusCode ?? 500, headers)
      for (const piece of pieces) {
        response.write(piece)
        await new Promise((resolve) => setImmediate(resolve))
      }
      response.end()
    })
    passed.end(body)
  })
}

/** A number that follows from the request, its nonce included. */
export function numberOf(text: string): number {
  return hash32(text)
}
