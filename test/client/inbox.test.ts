// Bytes get their time when they arrive and are read in order: slow reading of one answer is no latency of the next.
import type { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { Inbox } from '../../src/client/inbox.ts'
import { Engine } from '../../src/load/engine.ts'
import { now } from '../../src/system/clock.ts'
import { decoded, httpServer, OK_BODY, planFor, run, tcpServer } from '../support/engine.ts'

/** An inbox on a clock that only the test moves. */
function inboxAt(start = 0) {
  const time = { us: start }
  return { time, inbox: new Inbox(() => time.us) }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('reads in the order of arrival, a slice of time in each turn of the loop', async () => {
  const { time, inbox } = inboxAt()
  const read: number[] = []
  const ats: number[] = []
  for (let i = 0; i < 5; i++) {
    const reader = {
      read: (bytes: Buffer, atUs: number): void => {
        read.push(bytes[0] ?? -1)
        ats.push(atUs)
        time.us += 120
      },
    }
    inbox.add(reader, Buffer.of(i))
    time.us += 5
  }
  expect(read, 'nothing is read in the moment of its arrival').toEqual([])
  await turn()
  expect(read).toEqual([0, 1])
  inbox.add({ read: () => read.push(5) }, Buffer.of(5))
  await turn()
  await turn()
  expect(read).toEqual([0, 1, 2, 3, 4, 5])
  expect(ats, 'each with the time of its arrival').toEqual([0, 5, 10, 15, 20])
})

it('more bytes than may wait are read at once', async () => {
  const { time, inbox } = inboxAt()
  let read = 0
  const reader = {
    read: (): void => {
      read++
      time.us += 1_000
    },
  }
  for (let i = 0; i < 200; i++) inbox.add(reader, Buffer.alloc(65_536))
  await turn()
  expect(read).toBeGreaterThan(200 - 8 * 16 - 1)
  expect(read).toBeLessThan(200)
  while (read < 200) await turn()
})

it('when a connection ends, everything that waits for it is read at once, and only once', async () => {
  const { inbox } = inboxAt()
  const read: string[] = []
  const [a, b] = ['a', 'b'].map((name) => ({ read: (bytes: Buffer) => read.push(name + bytes[0]) }))
  if (!a || !b) throw new Error('two readers')
  for (const [reader, value] of [
    [a, 1],
    [b, 2],
    [a, 3],
  ] as const)
    inbox.add(reader, Buffer.of(value))
  inbox.readAll(a)
  expect(read).toEqual(['a1', 'a3'])
  await turn()
  expect(read).toEqual(['a1', 'a3', 'b2'])
})

const TOGETHER = 20
const SLOW_MS = 3

it('answers that arrive together are seen together, however long the work on each takes', async () => {
  const waiting: (() => void)[] = []
  const server = await httpServer((request, response) => {
    request.resume()
    request.on('end', () => {
      waiting.push(() => response.end(OK_BODY))
      if (waiting.length === TOGETHER) for (const answer of waiting.splice(0)) answer()
    })
  })
  const plan = planFor(server.origin, { requests: TOGETHER, load: { mode: 'closed', concurrency: TOGETHER } })
  const ends: number[] = []
  const engine = new Engine(plan, now, undefined, {
    ended: (_request, { endUs }) => {
      ends.push(endUs)
      for (const untilUs = now() + SLOW_MS * 1_000; now() < untilUs; );
    },
  })
  await engine.run()
  await server.close()
  expect(ends).toHaveLength(TOGETHER)
  // Read in the moment of its arrival, the last one would be seen when the work on all others was done.
  expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan((TOGETHER * SLOW_MS * 1_000) / 2)
})

const WHOLE = `HTTP/1.1 200 OK\r\ncontent-length: ${OK_BODY.length}\r\n\r\n${OK_BODY}`

it.each<[string, (socket: Socket) => void]>([
  ['ends', (socket) => socket.end(WHOLE)],
  ['is reset', (socket) => socket.write(WHOLE, () => socket.resetAndDestroy())],
])('an answer counts although its connection %s right behind it', async (_name, answer) => {
  const server = await tcpServer((socket) => {
    socket.once('data', () => answer(socket))
  })
  const { arm } = await run(planFor(server.origin, { requests: 5 }))
  await server.close()
  expect(arm.outcomes).toEqual({ OK: 5 })
  expect(decoded(arm.metrics.service).count).toBe(5)
})
