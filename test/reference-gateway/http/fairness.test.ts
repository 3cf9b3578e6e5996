// Nobody is held up by another: tenants take turns and share slots, slow senders hold nothing, memory has a bound.
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { Slots } from '../../../reference-gateway/http/slots.ts'
import { TurnQueue } from '../../../reference-gateway/http/turn-queue.ts'
import { until } from '../../support/waits.ts'
import { type Answer, atEnd, errorOf, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson } from '../support/upstream.ts'

const KEYS = ['a', 'b', 'c'].map((tenant) => ({ key: tenant, tenant }))

const as = (tenant: string, gateway: RunningGateway, body: object = { model: 'm' }): Promise<Answer> =>
  post(gateway, body, { headers: { authorization: `Bearer ${tenant}` } })

/** Sends the beginning of a body and no more. */
async function sendHalf(gateway: RunningGateway, headers = '', length = 100): Promise<{ answer: string }> {
  const socket = connect(gateway.port, '127.0.0.1').setEncoding('latin1')
  atEnd(async () => void socket.destroy())
  const seen = { answer: '' }
  socket
    .on('error', () => {})
    .on('data', (part: string) => {
      seen.answer += part
    })
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n${headers}content-length: ${length}\r\n\r\n{"model":`)
  return seen
}

test('a queue serves tenants in turn, and what a tenant sent in its order', () => {
  const queue = new TurnQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.push(item.charAt(0), item)
  queue.delete('a', 'a2')
  expect(queue.size).toBe(5)
  expect(queue.shift((item) => item.startsWith('c'))).toBe('c1')
  const rest: (string | undefined)[] = []
  while (queue.size > 0) rest.push(queue.shift())
  expect(rest).toEqual(['a1', 'b1', 'c2', 'a3'])
  expect([queue.shift(), queue.peek()]).toEqual([undefined, undefined])
})

test('slots: a tenant alone never gets the last ones, and two that want all come to equal shares', () => {
  const slots = new Slots()
  const held: Record<string, number> = { a: 0, b: 0 }
  const fill = (tenant: string): void => {
    for (; slots.admits(tenant, 170, true); held[tenant] = (held[tenant] ?? 0) + 1) slots.take(tenant)
  }
  fill('a')
  expect(held.a).toBe(152)
  fill('b')
  expect(held.b).toBe(16)
  // As requests of the one end, the other catches up.
  for (let i = 0; i < 200; i++) {
    slots.release('a')
    held.a = (held.a ?? 0) - 1
    fill('b')
    fill('a')
  }
  expect(held).toEqual({ a: 80, b: 81 })
  expect(slots.admits('c', 170, true)).toBe(true)
  const small = new Slots()
  small.take('a')
  expect([small.admits('a', 2, true), small.admits('a', 1, true), small.admits('a', 1, false)]).toEqual([
    true,
    false,
    false,
  ])
})

test('a tenant that holds all it can get leaves room for another', async () => {
  let held = 0
  const provider = await upstream((request, response) => {
    if (request.headers['x-answer']) answerJson(response, {})
    else held++
  })
  const gateway = await gatewayBefore(provider.url, { auth: { keys: KEYS }, limits: { max_in_flight: 50 } })
  const ends = Array.from({ length: 60 }, () => as('a', gateway).catch(() => undefined))
  await until(() => held === 45)
  const refused = await as('a', gateway)
  expect([refused.status, errorOf(refused).code]).toEqual([503, 'overloaded'])
  const other = await post(gateway, { model: 'm' }, { headers: { authorization: 'Bearer b', 'x-answer': '1' } })
  expect(other.status).toBe(200)
  expect(held).toBe(45)
  await gateway.close()
  await Promise.all(ends)
})

test('a tenant with many requests in line holds nobody up who has one, whatever provider they are for', async () => {
  const order: string[] = []
  const waiting: (() => void)[] = []
  const [one, two] = await Promise.all(
    ['one', 'two'].map((name) =>
      upstream((request, response) => {
        order.push(`${request.headers['x-who']} ${name}`)
        waiting.push(() => answerJson(response, {}))
      }),
    ),
  )
  const gateway = await gatewayBefore('', {
    auth: { keys: KEYS },
    connection_pool: { max_total: 1 },
    providers: [
      { name: 'one', base_url: one?.url, models: ['one'] },
      { name: 'two', base_url: two?.url, models: ['two'] },
    ],
  })
  const send = (tenant: string, model: string): Promise<Answer> =>
    post(gateway, { model }, { headers: { authorization: `Bearer ${tenant}`, 'x-who': tenant } })
  const all: Promise<Answer>[] = []
  const sendIn = async (tenant: string, model: string, count: number): Promise<void> => {
    const before = gateway.poolStats().waiting + order.length
    for (let i = 0; i < count; i++) all.push(send(tenant, model))
    await until(() => gateway.poolStats().waiting + order.length === before + count)
  }
  await sendIn('a', 'one', 40)
  await sendIn('b', 'one', 1)
  await sendIn('c', 'two', 1)
  for (let i = 0; i < all.length; i++) {
    await until(() => waiting.length > 0)
    waiting.shift()?.()
  }
  expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([200]))
  expect(order.slice(0, 5)).toEqual(['a one', 'a one', 'b one', 'c two', 'a one'])
})

test('slow senders hold no slot, give way to others, and are stopped after a while', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const gateway = await gatewayBefore(provider.url, {
    limits: { max_in_flight: 5, sender_timeout: '60s', request_timeout: '60s' },
  })
  const slow = [await sendHalf(gateway)]
  for (let i = 0; i < 4; i++) slow.push(await sendHalf(gateway))
  expect((await post(gateway, { model: 'm' })).status).toBe(200)
  expect(slow.map(({ answer }) => answer)).toEqual(['', '', '', '', ''])
  slow.push(await sendHalf(gateway))
  await until(() => slow.some(({ answer }) => answer !== ''))
  expect(slow.map(({ answer }) => answer.slice(9, 12))).toEqual(['503', '', '', '', '', ''])

  const strict = await gatewayBefore(provider.url, { limits: { sender_timeout: '100ms' } })
  const stopped = await sendHalf(strict)
  await until(() => stopped.answer !== '')
  expect(stopped.answer).toMatch(/^HTTP\/1.1 408 .*"code":"request_timeout"/s)
  const dripping = await gatewayBefore(provider.url, { limits: { sender_timeout: '10s', request_timeout: '300ms' } })
  const dripped = await sendHalf(dripping)
  await until(() => dripped.answer !== '')
  expect(dripped.answer).toMatch(/^HTTP\/1.1 408 /)
})

test('limits.max_buffered: bodies and whole answers beyond it are refused, and what has ended makes room', async () => {
  const waiting: (() => void)[] = []
  const provider = await upstream((request, response) => {
    const answer = (): void => {
      if (request.headers['x-large']) response.setHeader('content-type', 'text/plain')
      response.end('x'.repeat(request.headers['x-large'] ? 60_000 : 10))
    }
    if (request.headers['x-wait']) waiting.push(answer)
    else answer()
  })
  const gateway = await gatewayBefore(provider.url, {
    limits: { max_body: '60KB', max_buffered: '100KB' },
    streaming: { passthrough_chunked: false },
  })
  const send = (bytes: number, headers: Record<string, string> = {}): Promise<Answer> =>
    post(gateway, { model: 'm', prompt: 'x'.repeat(bytes) }, { headers })
  const first = send(55_000, { 'x-wait': '1' })
  await until(() => waiting.length === 1)
  const second = await send(55_000)
  expect([second.status, errorOf(second).code]).toEqual([503, 'overloaded'])
  const third = await send(10, { 'x-large': '1' })
  expect([third.status, errorOf(third).code]).toEqual([503, 'overloaded'])
  expect((await send(10)).status).toBe(200)
  waiting.shift()?.()
  expect((await first).status).toBe(200)
  expect((await send(55_000)).status).toBe(200)
  expect((await send(10, { 'x-large': '1' })).status).toBe(200)
})
