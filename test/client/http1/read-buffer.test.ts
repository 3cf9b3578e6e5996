// Answers come out complete, whatever their size and wherever they were cut, although later answers reuse their memory.
import { setImmediate as turn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { giveBack, isLent, keep, landing } from '../../../src/client/http1/read-buffer.ts'
import { Inbox } from '../../../src/client/inbox.ts'
import type { RequestResult } from '../../../src/client/request-result.ts'
import { SlotPool } from '../../../src/load/slot-pool.ts'
import { now } from '../../../src/system/clock.ts'
import { tcpServer } from '../../support/engine.ts'

interface Answer {
  kind: 'json' | 'gzip' | 'stream'
  /** The lengths of the body's text and of a header before it; pieces beyond 4 KiB are lent. */
  bytes: number
  headBytes: number
  letter: string
  /** Where the answer is cut, as shares of the whole. */
  cuts: number[]
}

const answer: fc.Arbitrary<Answer> = fc.record({
  kind: fc.constantFrom('json', 'gzip', 'stream'),
  bytes: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 3_000, max: 40_000 })),
  headBytes: fc.oneof(fc.constant(0), fc.integer({ min: 5_000, max: 9_000 })),
  letter: fc.constantFrom('a', 'b', 'c', 'd'),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
})

function buildBody({ kind, bytes, letter }: Answer): string {
  const filling = letter.repeat(bytes)
  if (kind !== 'stream') {
    const choices = [{ index: 0, message: { role: 'assistant', content: filling } }]
    return JSON.stringify({ object: 'chat.completion', choices, usage: { completion_tokens: bytes } })
  }
  const chunk = JSON.stringify({ choices: [{ index: 0, delta: { content: filling } }] })
  return `data: ${chunk}\n\ndata: {"choices":[],"usage":{"completion_tokens":${bytes}}}\n\ndata: [DONE]\n\n`
}

/** The bytes on the wire: a header of the given length, and trailers of the same length after a stream. */
function wireBytes(answer: Answer): Buffer {
  const { kind, headBytes, letter } = answer
  const body = kind === 'gzip' ? gzipSync(buildBody(answer)) : Buffer.from(buildBody(answer))
  const long = `x-long: ${letter.repeat(headBytes)}\r\n`
  if (kind !== 'stream') {
    const encoding = kind === 'gzip' ? 'content-encoding: gzip\r\n' : ''
    const length = `content-length: ${body.length}\r\n\r\n`
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${long}${encoding}${length}`
    return Buffer.concat([Buffer.from(head), body])
  }
  const chunked = `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`
  const head = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n${long}${chunked}`
  return Buffer.concat([Buffer.from(head), body, Buffer.from(`\r\n0\r\n${long.replace('long', 'after')}\r\n`)])
}

describe('answers on connections that share one read buffer', () => {
  const planned = new Map<string, Answer>()
  let server: Awaited<ReturnType<typeof tcpServer>>

  beforeAll(async () => {
    server = await tcpServer((socket) => {
      socket.setNoDelay(true)
      socket.on('data', async (request) => {
        const key = /"key":"(.*?)"/.exec(request.toString())?.[1] ?? ''
        const answer = planned.get(key)
        if (!answer) throw new Error(`nothing is planned for ${request}`)
        const whole = wireBytes(answer)
        let from = 0
        for (const share of [...answer.cuts, 1].toSorted((a, b) => a - b)) {
          const to = Math.round(share * whole.length)
          if (to === from) continue
          socket.write(whole.subarray(from, to))
          from = to
          await turn()
          await turn()
        }
      })
    })
  })
  afterAll(() => server.close())

  it('come out as they were sent', async () => {
    const inbox = new Inbox(now)
    const pool = new SlotPool(server.origin, { path: '/', headers: [] }, now, inbox)
    const slots = Array.from({ length: 3 }, () => {
      const listener = { token: () => {}, ended: (_: RequestResult) => {} }
      return { listener, slot: pool.createSlot(listener) }
    })
    /** Sends one request after another on the slot `place` and checks each result when its request has ended. */
    const converse = async (place: number, answers: Answer[]) => {
      const { listener, slot } = slots[place] ?? {}
      for (const [i, answer] of answers.entries()) {
        const key = `${place}.${i}`
        planned.set(key, answer)
        const chunks: Buffer[] = []
        const long = answer.letter.repeat(answer.headBytes)
        const seen = await new Promise<unknown>((resolve) => {
          if (listener) {
            listener.ended = ({ outcome, usage, headers, trailers }) => {
              setImmediate(resolve, {
                outcome,
                tokens: usage?.output,
                text: Buffer.concat(chunks).toString() === buildBody(answer),
                header: headers['x-long'] === long,
                trailer: trailers['x-after'] === (answer.kind === 'stream' ? long : undefined),
              })
            }
          }
          slot?.start(JSON.stringify({ key }), answer.kind === 'stream', now(), { push: (chunk) => chunks.push(chunk) })
        })
        // An answer that counts no output tells no usage.
        const tokens = answer.bytes || undefined
        expect(seen).toEqual({ outcome: 'OK', tokens, text: true, header: true, trailer: true })
      }
    }
    const conversation = fc.array(answer, { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.tuple(conversation, conversation, conversation), async (all) => {
        await Promise.all(all.map((answers, place) => converse(place, answers)))
      }),
      { numRuns: 150 },
    )
    await pool.close()
  })
})

it('a large buffer that was given back is used again, a small one is not lent', () => {
  landing.fill('a')
  const first = keep(5_000)
  expect(isLent(first)).toBe(true)
  landing.fill('b')
  const second = keep(5_000)
  expect(first.buffer).not.toBe(second.buffer)
  expect(`${first[0]} ${second[4_999]}`).toBe('97 98')
  const used = [first]
  giveBack(used)
  expect(used).toEqual([])
  const third = keep(9_000)
  expect(third.buffer).toBe(first.buffer)
  expect(third.length).toBe(9_000)
  expect(isLent(keep(4_095))).toBe(false)
})
