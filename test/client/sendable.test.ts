// What would fail every request is refused before the first one.
import { expect, test } from 'vitest'
import { assertSendable } from '../../src/client/sendable.ts'

test.each([
  ['x-name', '\u2603', false, 'invalid x-name header'],
  ['x-name', 'a\u0001b', false, 'invalid x-name header'],
  ['transfer-encoding', 'chunked', false, 'invalid transfer-encoding header'],
  ['keep-alive', 'timeout=5', false, 'invalid keep-alive header'],
  ['upgrade', 'h2c', false, 'invalid upgrade header'],
  ['expect', '100-continue', false, 'expect header not supported'],
  ['content-length', '5', false, 'it counts them itself'],
  ['te', 'gzip', true, 'HTTP/2 has no such header'],
  ['proxy-connection', 'x', true, 'HTTP/2 has no such header'],
])('%s: %j, HTTP/2 %s', (name, value, http2, why) => {
  const headers = { accept: 'application/json', [name]: value }
  expect(() => assertSendable(headers, http2)).toThrow(`kt cannot send the header '${name}': `)
  expect(() => assertSendable(headers, http2)).toThrow(why)
})

test.each([false, true])('what can be sent is not refused, HTTP/2 %s', (http2) => {
  const headers = { host: 'a.test', authorization: 'Bearer k', 'x-name': 'caf\u00e9', connection: 'close' }
  expect(() => assertSendable(headers, http2)).not.toThrow()
})

test('a header of HTTP/1.1 is no fault over HTTP/1.1', () => {
  expect(() => assertSendable({ te: 'trailers' }, false)).not.toThrow()
})
