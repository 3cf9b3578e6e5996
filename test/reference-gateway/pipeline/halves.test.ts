// Half an answer never looks like a whole one, whatever its framing: its own end must be there.
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { atEnd, errorOf, gatewayBefore, post } from '../support/harness.ts'

/** A provider that writes these bytes after a head without a length, and closes. */
async function before(type: string, body: string) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n\r\n${body}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(async () => void server.close())
  const address = server.address()
  return gatewayBefore(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/v1`)
}

const chat = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`
const response = (type: string) => `data: ${JSON.stringify({ type, delta: 'a' })}\n\n`

test('JSON that ends with its connection must be JSON', async () => {
  const half = await post(await before('application/json', '{"id":"x","choi'), {})
  expect([half.status, errorOf(half).code]).toEqual([502, 'upstream_failed'])
  const whole = await post(await before('application/json', '{"id":"x"}'), {})
  expect([whole.status, whole.body.toString()]).toEqual([200, '{"id":"x"}'])
})

test.each([
  ['a chat without its end', chat('hal'), true],
  ['a long one', chat('x'.repeat(1_000)).repeat(100), true],
  ['one with [DONE]', `${chat('whole')}data: [DONE]\n\n`, false],
  ['one with a finish reason alone', chat('whole') + chat('', 'stop'), false],
  ['one that ends in an error', `${chat('hal')}data: {"error":{"message":"no"}}\n\n`, false],
  ['a response without its end', response('response.output_text.delta'), true],
  ['a whole response', response('response.output_text.delta') + response('response.completed'), false],
  ['a message without its stop', 'data: {"type":"content_block_delta","delta":{"text":"a"}}\n\n', true],
  ['events of no known format', 'data: 1\n\ndata: {"a":1}\n\n', false],
])('a stream: %s', async (_, body, broken) => {
  const answer = await post(await before('text/event-stream', body), { stream: true })
  expect(answer.broken).toBe(broken)
  expect(answer.body.toString()).toBe(body)
})
