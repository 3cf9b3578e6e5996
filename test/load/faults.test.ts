// Servers that misbehave on purpose: each fault has its outcome class, at its deadline at the latest, and nothing
// hangs.
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/wire/outcome.ts'
import { promptWorkload } from '../../src/workload/workload.ts'
import { decoded, OK_BODY, planFor, run, type TestServer, tcpServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n'
const JSON_HEAD = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${OK_BODY.length}\r\n\r\n`
const token = (text: string): string => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`
const DONE = 'data: [DONE]\n\n'

/** Bytes one by one, so slowly that the whole would take minutes. */
const trickle = (text: string) => (socket: Socket) =>
  socket.once('data', () => {
    let at = 0
    const next = setInterval(() => socket.write(text.charAt(at++)), 25)
    socket.once('close', () => clearInterval(next))
  })

describe('one byte at a time', () => {
  const timeoutUs = 400_000
  it.each<[string, boolean, string, Outcome]>([
    ['of the head', false, JSON_HEAD.repeat(3), 'KT_TIMEOUT_TOTAL'],
    ['of the head of a stream', true, STREAM_HEAD, 'KT_TIMEOUT_FIRST_TOKEN'],
  ])('%s', async (_name, stream, text, outcome) => {
    server = await tcpServer(trickle(text))
    const deadlines = stream ? { firstTokenUs: 200_000 } : {}
    const { arm } = await run(planFor(server.origin, { requests: 2, timeoutUs, deadlines }, stream))
    expect(arm.outcomes).toEqual({ [outcome]: 2 })
    expect(decoded(arm.metrics.latency).minUs).toBeGreaterThanOrEqual(stream ? 200_000 : timeoutUs)
  })

  it.each<[string, boolean, string, string, Outcome]>([
    ['of a body', false, JSON_HEAD, OK_BODY, 'KT_TIMEOUT_TOTAL'],
    ['of an event', true, `${STREAM_HEAD}${token('a')}`, token('b').repeat(9), 'KT_TIMEOUT_IDLE'],
  ])('%s, after a whole head', async (_name, stream, head, text, outcome) => {
    server = await tcpServer((socket) => {
      socket.once('data', () => socket.write(head))
      trickle(text)(socket)
    })
    const deadlines = stream ? { idleUs: 200_000 } : {}
    const { arm } = await run(planFor(server.origin, { requests: 2, timeoutUs, deadlines }, stream))
    expect(arm.outcomes).toEqual({ [outcome]: 2 })
  })
})

describe('a reset', () => {
  it.each<[string, boolean, string, Outcome]>([
    ['instead of an answer', false, '', 'KT_RESET'],
    ['in the middle of a head', false, JSON_HEAD.slice(0, 40), 'KT_RESET'],
    ['in the middle of a body', false, JSON_HEAD + OK_BODY.slice(0, 9), 'KT_TRUNCATED'],
    ['in the middle of a stream', true, STREAM_HEAD + token('a'), 'KT_TRUNCATED'],
    ['in the middle of an event', true, STREAM_HEAD + token('a') + token('b').slice(0, 20), 'KT_TRUNCATED'],
  ])('%s', async (_name, stream, text, outcome) => {
    server = await tcpServer((socket) =>
      socket.once('data', () => socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 20))),
    )
    const { arm } = await run(planFor(server.origin, { requests: 2 }, stream))
    expect(arm.outcomes).toEqual({ [outcome]: 2 })
  })
})

describe('ten megabytes in one event', () => {
  const TEN_MB = 10_000_000
  const sent = async (...parts: string[]) => {
    server = await tcpServer((socket) =>
      socket.once('data', () => {
        for (const part of parts) socket.write(part)
        socket.end()
      }),
    )
    const { arm } = await run(planFor(server.origin, { requests: 2 }, true))
    return arm
  }

  it('is one token-bearing event, and the stream is whole', async () => {
    const arm = await sent(STREAM_HEAD, token('a'), token('x'.repeat(TEN_MB)), DONE)
    expect(arm.outcomes).toEqual({ OK: 2 })
    expect(arm.tokens.events).toBe(2 * 3)
    expect(arm.bodyBytes).toBeGreaterThan(2 * TEN_MB)
    expect(decoded(arm.metrics.interToken).count).toBe(2)
  })

  it('without an end it is no stream', async () => {
    const arm = await sent(STREAM_HEAD, `data: ${'x'.repeat(TEN_MB)}`)
    expect(arm.outcomes).toEqual({ KT_BAD_STREAM: 2 })
    expect(arm.details.KT_BAD_STREAM?.length).toBeLessThan(400)
  })

  it('an event of more than 64 MiB ends the stream, and is not kept', async () => {
    const arm = await sent(STREAM_HEAD, 'data: ', 'x'.repeat(70_000_000), DONE)
    expect(arm.outcomes).toEqual({ KT_BAD_STREAM: 2 })
    expect(arm.details.KT_BAD_STREAM).toContain('64 MiB')
  })
})

describe('an answer before the request is read', () => {
  const answering = (status: string, body: string) => (socket: Socket) => {
    socket.pause()
    const head = `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close`
    socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${body}`)
  }

  it('whole, from a server that never reads', async () => {
    server = await tcpServer(answering('200 OK', OK_BODY))
    const { arm } = await run(planFor(server.origin))
    expect(arm.outcomes).toEqual({ OK: 3 })
  })

  it('a refusal of a body that no buffer between holds', async () => {
    server = await tcpServer(answering('413 Content Too Large', '{"error":{"message":"too large"}}'))
    const prompt = 'x'.repeat(20_000_000)
    const workload = promptWorkload({ endpoint: 'chat', model: 'm', prompt, stream: false, seed: 1 })
    const { arm } = await run(planFor(server.origin, { workload }))
    expect(arm.outcomes).toEqual({ KT_HTTP_4XX: 3 })
    expect(arm.details.KT_HTTP_4XX).toBe('HTTP 413: too large')
  })
})
