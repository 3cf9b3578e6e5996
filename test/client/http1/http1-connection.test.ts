// A connection of HTTP/1.1 against servers that speak bytes: what it sends, how answers may be framed, when it is used
// again, in the clear and over TLS.
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectionSpec, ONE_AT_A_TIME } from '../../../src/client/connection.ts'
import { Inbox } from '../../../src/client/inbox.ts'
import type { RequestResult } from '../../../src/client/request-result.ts'
import { SlotPool } from '../../../src/load/slot-pool.ts'
import { selfSigned } from '../../../src/provider/certificate.ts'
import { now } from '../../../src/system/clock.ts'
import { promptWorkload } from '../../../src/workload/workload.ts'
import { listen, OK_BODY, planFor, run, type TestServer } from '../../support/engine.ts'

const closing: TestServer[] = []
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close()
})

const certificate = selfSigned('127.0.0.1')

async function serve(onConnection: (socket: Socket) => void, tls = false): Promise<string> {
  const server = await listen(tls ? createTlsServer(certificate, onConnection) : createServer(onConnection))
  closing.push(server)
  return tls ? server.origin.replace('http:', 'https:') : server.origin
}

/** Calls back for each whole request, with its number on the connection. */
const onRequests = (answer: (socket: Socket, request: string, index: number) => void) => (socket: Socket) => {
  let got = ''
  let index = 0
  socket.on('error', () => {})
  socket.setNoDelay(true)
  socket.on('data', (bytes) => {
    got += bytes.toString('latin1')
    for (;;) {
      const head = got.indexOf('\r\n\r\n')
      const end = head + 4 + Number(/content-length: (\d+)/.exec(got.slice(0, head))?.[1])
      if (head < 0 || got.length < end) return
      answer(socket, got.slice(0, end), index++)
      got = got.slice(end)
    }
  })
}

/** One slot, asked again and again. */
class Asker {
  readonly #pool: SlotPool
  readonly #slot: ReturnType<SlotPool['createSlot']>
  #ended: (result: RequestResult) => void = () => {}

  constructor(origin: string, headers: string[] = [], spec: ConnectionSpec = ONE_AT_A_TIME) {
    this.#pool = new SlotPool(origin, { path: '/v1/chat/completions', headers }, now, new Inbox(now), spec)
    this.#slot = this.#pool.createSlot({ token: () => {}, ended: (result) => this.#ended(result) })
  }

  get opened(): number {
    return this.#pool.opened
  }

  ask(body = '{}', stream = false): Promise<RequestResult> {
    const ended = new Promise<RequestResult>((resolve) => {
      this.#ended = resolve
    })
    this.#slot.start(body, stream, now())
    return ended
  }

  async outcomes(times: number, pauseMs = 0): Promise<string[]> {
    const outcomes: string[] = []
    for (let i = 0; i < times; i++) {
      outcomes.push((await this.ask()).outcome)
      if (pauseMs > 0) await sleep(pauseMs)
    }
    return outcomes
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const WHOLE = `${OK}content-length: ${OK_BODY.length}\r\n\r\n${OK_BODY}`
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const token = (text: string): string => `data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`
const EVENTS = [token('a'), token('b'), token('c'), 'data: [DONE]\n\n']

describe('what is sent', () => {
  const sent = async (headers: string[], body: string, spec = ONE_AT_A_TIME): Promise<string> => {
    let seen = ''
    const asker = new Asker(
      await serve(
        onRequests((socket, request) => {
          seen = request
          socket.write(WHOLE)
        }),
      ),
      headers,
      spec,
    )
    expect((await asker.ask(body)).outcome).toBe('OK')
    await asker.close()
    return seen.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')
  }
  const START = 'POST /v1/chat/completions HTTP/1.1\r\nhost: '

  it('a head, and a body in one piece', async () => {
    const connection = 'connection: keep-alive\r\n'
    expect(await sent(['X-Name', 'v', 'accept', '*/*'], '{"a":1}')).toBe(
      `${START}HOST\r\n${connection}X-Name: v\r\naccept: */*\r\ncontent-length: 7\r\n\r\n{"a":1}`,
    )
  })

  it('a body in UTF-8, a header in Latin-1', async () => {
    const body = '{"a":"caf\u00e9 \u2603 \ud83d\ude00"}'
    const seen = await sent(['x', 'caf\u00e9'], body)
    expect(seen).toContain('x: caf\u00e9\r\n')
    expect(Buffer.from(seen.slice(seen.indexOf('\r\n\r\n') + 4), 'latin1').toString()).toBe(body)
    expect(seen).toContain(`content-length: ${Buffer.byteLength(body)}\r\n`)
    expect(await sent(['x', 'caf\u00e9'], '{}')).toContain('x: caf\u00e9\r\n')
  })

  it('another host, and another connection', async () => {
    const seen = await sent(['Host', 'a.test', 'Connection', 'close'], '{}')
    expect(seen).toBe(`${START}a.test\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`)
    expect(await sent([], '{}', { ...ONE_AT_A_TIME, keepAlive: false })).toContain('\r\nconnection: close\r\n')
  })

  it('no header with a line end in it', () => {
    const asker = new Asker('http://127.0.0.1:9', ['x', 'y\r\nz: 1'])
    expect(() => asker.ask()).toThrow("the header 'x' cannot be sent")
  })
})

describe.each([false, true])('framing, over TLS %s', (tls) => {
  const body = (stream: boolean): string => (stream ? EVENTS.join('') : OK_BODY)
  const chunked = (stream: boolean, write = chunk): string =>
    (stream ? EVENTS : [OK_BODY.slice(0, 9), OK_BODY.slice(9)]).map(write).join('')
  const HEAD = 'HTTP/1.1 200 OK\r\n'

  it.each<[string, number, (stream: boolean, index: number) => [string, boolean]]>([
    ['by length', 1, (stream) => [`${HEAD}content-length: ${body(stream).length}\r\n\r\n${body(stream)}`, false]],
    ['in chunks', 1, (stream) => [`${HEAD}transfer-encoding: chunked\r\n\r\n${chunked(stream)}0\r\n\r\n`, false]],
    [
      'with trailers',
      1,
      (stream) => [`${HEAD}transfer-encoding: chunked\r\n\r\n${chunked(stream)}0\r\nx: 1\r\n\r\n`, false],
    ],
    [
      'with extensions',
      1,
      (stream) => {
        const extended = chunked(stream, (text) => chunk(text).replace('\r\n', ';a=b\r\n'))
        return [`${HEAD}transfer-encoding: chunked\r\n\r\n${extended}0\r\n\r\n`, false]
      },
    ],
    ['over HTTP/1.0', 4, (stream) => [`HTTP/1.0 200 OK\r\n\r\n${body(stream)}`, true]],
    [
      'over HTTP/1.0, kept alive',
      1,
      (stream) => {
        const head = `HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: ${body(stream).length}\r\n\r\n`
        return [head + body(stream), false]
      },
    ],
    ['until the close', 4, (stream) => [`${HEAD}connection: close\r\n\r\n${body(stream)}`, true]],
    [
      'after 100 and 103',
      1,
      (stream) => {
        const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'
        return [`${interim}${HEAD}content-length: ${body(stream).length}\r\n\r\n${body(stream)}`, false]
      },
    ],
    [
      'closed by every second answer',
      2,
      (stream, index) => {
        const close = index === 1 ? 'connection: close\r\n' : ''
        return [`${HEAD}${close}content-length: ${body(stream).length}\r\n\r\n${body(stream)}`, index === 1]
      },
    ],
  ])('%s', async (_name, connections, answer) => {
    for (const stream of [false, true]) {
      for (const cut of [false, true]) {
        const origin = await serve(
          onRequests(async (socket, _request, index) => {
            const [text, ends] = answer(stream, index)
            const pieces = cut ? [text.slice(0, 7), text.slice(7, 60), text.slice(60)] : [text]
            for (const piece of pieces) {
              socket.write(piece)
              if (cut) await sleep(2)
            }
            if (ends) socket.end()
          }),
          tls,
        )
        const asker = new Asker(origin, [], { ...ONE_AT_A_TIME, insecure: true })
        for (let i = 0; i < 4; i++) {
          const { outcome, detail, tokenEvents, bodyBytes } = await asker.ask('{}', stream)
          expect([outcome, detail, bodyBytes]).toEqual(['OK', '', body(stream).length])
          if (stream) expect(tokenEvents).toBe(3)
        }
        expect(asker.opened).toBe(connections)
        await asker.close()
      }
    }
  })
})

describe('a connection is used again', () => {
  it('although an empty line comes behind an answer', async () => {
    const asker = new Asker(await serve(onRequests((socket) => socket.write(`${WHOLE}\r\n`))))
    expect([await asker.outcomes(4), asker.opened]).toEqual([Array(4).fill('OK'), 1])
    await asker.close()
  })

  it.each<[string, string]>([
    ['another answer', WHOLE],
    ['garbage', 'garbage'],
  ])('but not when %s comes behind its answer, at once or later', async (_name, more) => {
    for (const later of [false, true]) {
      const asker = new Asker(
        await serve(
          onRequests((socket) => {
            socket.write(later ? WHOLE : WHOLE + more)
            if (later) setTimeout(() => socket.write(more), 10)
          }),
        ),
      )
      expect([await asker.outcomes(3, 25), asker.opened]).toEqual([Array(3).fill('OK'), 3])
      await asker.close()
    }
  })

  it('not for longer than its server says', async () => {
    const asker = new Asker(
      await serve(onRequests((socket) => socket.write(WHOLE.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=1\r\n\r\n')))),
    )
    expect([await asker.outcomes(3), asker.opened]).toEqual([['OK', 'OK', 'OK'], 1])
    await sleep(600)
    expect([await asker.outcomes(2), asker.opened]).toEqual([['OK', 'OK'], 2])
    await asker.close()
  })

  it('not when the answer came before the request was sent in full', async () => {
    const large = 'x'.repeat(20_000_000)
    const origin = await serve((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.pause()
        socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n')
      })
    })
    const asker = new Asker(origin)
    for (let i = 1; i <= 2; i++) {
      const { outcome, status } = await asker.ask(large)
      expect([outcome, status, asker.opened]).toEqual(['KT_HTTP_4XX', 413, i])
    }
    await asker.close()
  })

  it('when a slow server has taken a large request at last', async () => {
    const origin = await serve((socket) => {
      onRequests(() => socket.write(WHOLE))(socket)
      socket.pause()
      setTimeout(() => socket.resume(), 50)
    })
    const workload = promptWorkload({ endpoint: 'chat', model: 'm', prompt: 'x'.repeat(6e6), stream: false, seed: 1 })
    const { arm, engine } = await run(planFor(origin, { workload }))
    expect([arm.outcomes, engine.opened]).toEqual([{ OK: 3 }, [1]])
  })

  it('over TLS, and the session of an earlier one opens the next', async () => {
    const resumed: boolean[] = []
    const tls = createTlsServer(
      { ...certificate, maxVersion: 'TLSv1.2' },
      onRequests((socket, _request, index) => (index === 1 ? socket.end(WHOLE) : socket.write(WHOLE))),
    )
    tls.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()))
    const server = await listen(tls)
    closing.push(server)
    const spec = { ...ONE_AT_A_TIME, insecure: true }
    const asker = new Asker(server.origin.replace('http:', 'https:'), [], spec)
    expect([await asker.outcomes(6, 10), asker.opened]).toEqual([Array(6).fill('OK'), 3])
    expect(resumed).toEqual([false, true, true])
    await asker.close()
  })
})

describe('a connection that breaks anywhere', () => {
  const answers = [
    WHOLE,
    `${OK}transfer-encoding: chunked\r\n\r\n${chunk(OK_BODY.slice(0, 30))}${chunk(OK_BODY.slice(30))}0\r\nx: 1\r\n\r\n`,
  ]
  /** Where it ends, and how its bytes are cut before that, as shares of the whole. */
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const script = fc.record({ answer: fc.constantFrom(...answers), end: share, cuts: fc.array(share, { maxLength: 3 }) })

  it('fails the request that is on it, by where it broke, and no other one', async () => {
    const scripts = new Map<string, { answer: string; end: number; cuts: number[] }>()
    const origin = await serve(
      onRequests(async (socket, request) => {
        const { answer, end, cuts } = scripts.get(request.slice(request.indexOf('{'))) ?? {
          answer: WHOLE,
          end: 1,
          cuts: [],
        }
        const sent = answer.slice(0, Math.floor(end * answer.length))
        let from = 0
        for (const cut of [...cuts, 1].toSorted((a, b) => a - b)) {
          const to = Math.round(cut * sent.length)
          socket.write(sent.slice(from, to))
          from = to
          await turn()
        }
        if (sent.length < answer.length) socket.end()
      }),
    )
    const asker = new Asker(origin)
    let asked = 0
    await fc.assert(
      fc.asyncProperty(script, async (one) => {
        const body = `{"n":${asked++}}`
        scripts.set(body, one)
        const sent = Math.floor(one.end * one.answer.length)
        const head = one.answer.indexOf('\r\n\r\n') + 4
        const expected = sent === one.answer.length ? 'OK' : sent < head ? 'KT_RESET' : 'KT_TRUNCATED'
        expect((await asker.ask(body)).outcome).toBe(expected)
        expect((await asker.ask()).outcome).toBe('OK')
      }),
      { numRuns: 200, seed: 20_261_130 },
    )
    await asker.close()
  })
})

it('a request is timed at the socket: not before it is due, and after the connection is open', async () => {
  const asker = new Asker(await serve(onRequests((socket) => socket.write(WHOLE))))
  // The slot is the result, until it is asked again.
  const ask = async () => {
    const { connectUs, reused, sentUs, headersUs, firstByteUs, endUs } = await asker.ask()
    return { connectUs, reused, sentUs, headersUs, firstByteUs, endUs }
  }
  const [first, second] = [await ask(), await ask()]
  expect(first.connectUs).toBeGreaterThan(0)
  expect([first.reused, second.reused]).toEqual([false, true])
  for (const { sentUs, headersUs, firstByteUs, endUs } of [first, second]) {
    expect(sentUs).toBeLessThan(headersUs)
    // All of a small answer arrives in one moment, whenever it is read.
    expect([firstByteUs, endUs]).toEqual([headersUs, headersUs])
  }
  await asker.close()
})
