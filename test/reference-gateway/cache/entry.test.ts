// What a shared store returns: an entry as it was stored, or nothing, since other programs may write there.
import { expect, test } from 'vitest'
import { type CacheEntry, decodeEntry, encodeEntry } from '../../../reference-gateway/cache/entry.ts'

const ENTRY: CacheEntry = {
  headers: ['content-type', 'application/json'],
  stream: false,
  model: 'gpt-4o',
  provider: 'openai',
  storedMs: 1_700_000_000_000,
  body: Buffer.from('{"id":1}'),
}
const STREAM: CacheEntry = {
  ...ENTRY,
  headers: ['content-type', 'text/event-stream'],
  stream: true,
  body: Buffer.from('data: {"n":1}\n\ndata: [DONE]\n\n'),
}

/** An encoded entry with any head. */
function encoded(head: unknown, body = '{}'): Buffer {
  const text = Buffer.from(typeof head === 'string' ? head : JSON.stringify(head))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([length, text, Buffer.from(body)])
}

test.each([ENTRY, STREAM, { ...ENTRY, headers: [] }])('an encoded entry decodes to itself: %j', (entry) => {
  expect(decodeEntry(encodeEntry(entry))).toEqual(entry)
})

const { body: _, ...HEAD } = ENTRY
const withHeaders = (...headers: unknown[]): Buffer => encoded({ ...HEAD, headers })

test.each<[string, Buffer]>([
  ['random bytes', Buffer.from('garbage')],
  ['nothing', Buffer.alloc(0)],
  ['a part of a length', Buffer.from([0, 0])],
  ['a length beyond the end', Buffer.from([255, 255, 255, 255, 1])],
  ['a head that is no JSON', encoded('{]x')],
  ['a head that is a list', encoded([])],
  ['a head that is null', encoded(null)],
  ['no model', encoded({ ...HEAD, model: undefined })],
  ['a stream that is a word', encoded({ ...HEAD, stream: 'yes' })],
  ['headers that are an object', encoded({ ...HEAD, headers: { 'content-type': 'a' } })],
  ['a value with a line break', withHeaders('content-type', 'a\r\nset-cookie: b')],
  ['a value of no byte', withHeaders('content-type', 'ā')],
  ['a name with a space', withHeaders('x a', 'b')],
  ['a name without a value', withHeaders('content-type')],
  ['a value that is a number', withHeaders('content-type', 1)],
  ['a length that lies', withHeaders('content-length', '99')],
  ['a cookie', withHeaders('set-cookie', 'a=b')],
  ['framing', withHeaders('transfer-encoding', 'chunked')],
  ['one header too many', withHeaders('content-type', 'a', 'x-a', 'b')],
  ['an empty body', encoded(HEAD, '')],
  ['a stream that does not end', encoded({ ...HEAD, stream: true }, 'data: {"n":1}\n\n')],
])('not an entry: %s', (_name, bytes) => {
  expect(decodeEntry(bytes)).toBeUndefined()
})
