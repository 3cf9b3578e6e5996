/**
 * A small gateway on real sockets that makes the mistakes it is told to make; with none it passes everything on as it
 * comes.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { SimulatedProvider } from '../../src/provider/server.ts'

export interface Mistakes {
  /** `connection: close` to clients. */
  closesClients?: boolean
  /** A connection to the provider for every request. */
  newUpstream?: boolean
  /** Nagle's algorithm on the connections to clients. */
  nagle?: boolean
  /** Waits this long before the first piece of a stream. */
  sleepsFirstMs?: number
  /** Waits this long before the end of every stream. */
  holdsEndMs?: number
  /** Sends a stream when all of it is there. */
  buffers?: boolean
  /** Rewrites a stream event by event, as they come; called anew for each stream. */
  rewrites?: () => (event: string, index: number) => string[]
  /** Asks the provider on when its client is gone. */
  ignoresLeaving?: boolean
  /** Searches prompts with a pattern that backtracks. */
  backtracks?: boolean
  /** Answers from a cache whose key is the body alone. */
  sharesCache?: boolean
  /** Says how long the upstream took, in seconds. */
  timesInSeconds?: boolean
}

/** Sends each event on when the next one is there. */
export const lookingAhead = () => {
  let held = ''
  return (event: string): string[] => {
    const out = [held]
    held = event
    return event.includes('[DONE]') ? [...out, event] : out
  }
}

export interface BadGateway {
  url: string
  close(): Promise<void>
}

export async function badGateway(provider: SimulatedProvider, mistakes: Mistakes): Promise<BadGateway> {
  const agent = mistakes.newUpstream ? new Agent({ keepAlive: false }) : new Agent({ keepAlive: true })
  const cache = new Map<string, Buffer>()
  const server = createServer({ noDelay: !mistakes.nagle }, (incoming, response) => {
    if (!incoming.url?.startsWith('/v1')) response.writeHead(404).end()
    else serve(incoming, response).catch(() => response.destroy())
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bytesOf(incoming)
    if (mistakes.closesClients) response.setHeader('connection', 'close')
    if (mistakes.backtracks) /(a+)+$/.test(JSON.parse(body.toString()).messages[0].content)
    const stored = mistakes.sharesCache ? cache.get(body.toString()) : undefined
    if (stored) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(stored)
      return
    }
    const startedMs = performance.now()
    const up = request(provider.url + incoming.url, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    })
    up.on('error', () => response.destroy())
    if (!mistakes.ignoresLeaving) response.on('close', () => up.destroy())
    const answer = await new Promise<IncomingMessage>((resolve) => up.on('response', resolve).end(body))
    const type = String(answer.headers['content-type'])
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(3)
    response.writeHead(answer.statusCode ?? 502, {
      'content-type': type,
      ...(mistakes.timesInSeconds ? { 'server-timing': `upstream;dur=${seconds}` } : {}),
    })
    if (type.startsWith('text/event-stream')) await stream(answer, response)
    else {
      const whole = await bytesOf(answer)
      if (mistakes.sharesCache) cache.set(body.toString(), whole)
      response.end(whole)
    }
  }

  async function stream(answer: IncomingMessage, response: ServerResponse): Promise<void> {
    const { sleepsFirstMs, holdsEndMs, buffers, rewrites } = mistakes
    if (buffers) response.write(await bytesOf(answer))
    else if (rewrites) {
      const rewrite = rewrites()
      let rest = ''
      let index = 0
      for await (const chunk of answer) {
        const events = (rest + String(chunk)).split(/(?<=\n\n)/)
        rest = events.at(-1)?.endsWith('\n\n') ? '' : (events.pop() ?? '')
        for (const event of events) for (const left of rewrite(event, index++)) response.write(left)
      }
    } else {
      if (sleepsFirstMs) {
        await new Promise<void>((resolve) => answer.once('readable', resolve))
        await pause(sleepsFirstMs)
      }
      for await (const chunk of answer) response.write(chunk)
    }
    if (holdsEndMs) await pause(holdsEndMs)
    response.end()
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
      agent.destroy()
    },
  }
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
