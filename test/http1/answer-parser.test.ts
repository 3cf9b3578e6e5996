// How the bytes of answers over HTTP/1.1 are read: framing, what is refused, and the same wherever they are cut, as
// Node's own client reads them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cutAt, NodeReader, type ReadAnswer, readByKt } from '../support/http1-answers.ts'

const node = new NodeReader()
beforeAll(async () => {
  await node.start()
})
afterAll(() => node.close())

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`

/** Without what only the name of a class tells. */
function plain(answer: ReadAnswer): unknown {
  return answer.failed ? 'failed' : { ...answer, headers: { ...answer.headers }, trailers: { ...answer.trailers } }
}

describe('an answer is read', () => {
  it.each<[string, string, string, object?]>([
    ['by its length', `${OK}content-length: 5\r\n\r\nhello`, 'hello'],
    ['of no length', `${OK}content-length: 0\r\n\r\n`, ''],
    ['until the connection closes', `${OK}connection: close\r\n\r\nhello`, 'hello'],
    ['until the connection closes, without a word of it', `${OK}\r\nhello`, 'hello'],
    ['over HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhello', 'hello'],
    ['in chunks', `${CHUNKED}5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`, 'hello!'],
    ['in chunks of large and padded lengths', `${CHUNKED}00A\r\n0123456789\r\n0000\r\n\r\n`, '0123456789'],
    ['with extensions of chunks', `${CHUNKED}5;a=b;c="d e"\r\nhello\r\n0;last\r\n\r\n`, 'hello'],
    ['with trailers', `${CHUNKED}5\r\nhello\r\n0\r\nx-t: 1\r\nX-U:  2 \r\n\r\n`, 'hello', { 'x-t': '1', 'x-u': '2' }],
    ['in an encoding that is not chunked, until the close', `${OK}transfer-encoding: gzip\r\n\r\nhello`, 'hello'],
    ['in chunks of an encoding', `${OK}transfer-encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, 'hello'],
    ['after a 100 that nobody asked for', `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 2\r\n\r\nhi`, 'hi'],
    ['after 103 and 102', `HTTP/1.1 103 E\r\nlink: <x>\r\n\r\nHTTP/1.1 102 P\r\n\r\n${OK}\r\nhi`, 'hi'],
    ['without a reason', 'HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi', 'hi'],
    ['after empty lines', `\r\n\r\n${OK}content-length: 2\r\n\r\nhi`, 'hi'],
    ['with empty headers, tabs and bytes above ASCII', `${OK}x:\r\ny:\t\xe9\t\r\ncontent-length: 2\r\n\r\nhi`, 'hi'],
  ])('%s', async (_name, text, body, trailers = {}) => {
    const bytes = bytesOf(text)
    const whole = readByKt([bytes])
    expect(whole).toMatchObject({ failed: false, status: 200, body, more: false })
    expect(plain(whole)).toMatchObject({ trailers })
    expect(plain(whole)).toEqual(plain(await node.read(bytes)))
    for (let cut = 0; cut <= bytes.length; cut++) expect(readByKt(cutAt(bytes, [cut]))).toEqual(whole)
    expect(readByKt([...bytes].map((byte) => Buffer.of(byte)))).toEqual(whole)
  })

  it.each([204, 304])('without a body, as %i has none', (status) => {
    const bytes = bytesOf(`HTTP/1.1 ${status} X\r\ncontent-length: 5\r\n\r\nhello`)
    expect(readByKt([bytes])).toMatchObject({ failed: false, status, body: '', more: true })
  })

  it('with headers that repeat, and names that objects have', () => {
    const head = 'set-cookie: a\r\nSet-Cookie: b\r\n__proto__: c\r\nconstructor: d\r\n'
    const answer = readByKt([bytesOf(`${OK}${head}content-length: 0\r\n\r\n`)])
    expect(Object.entries(answer.failed ? {} : answer.headers)).toEqual([
      ['set-cookie', ['a', 'b']],
      ['__proto__', 'c'],
      ['constructor', 'd'],
      ['content-length', '0'],
    ])
  })

  it.each([
    ['nothing', '', false],
    ['empty lines', '\r\n\r\n', false],
    ['another answer', `${OK}content-length: 0\r\n\r\n`, true],
    ['anything else', '!', true],
  ])('and says whether more came behind it: %s', (_name, behind, more) => {
    for (const text of [
      `${OK}content-length: 2\r\n\r\nhi`,
      `${CHUNKED}2\r\nhi\r\n0\r\n\r\n`,
      `${CHUNKED}0\r\na: b\r\n\r\n`,
    ]) {
      expect(readByKt([bytesOf(text + behind)])).toMatchObject({ failed: false, more })
    }
  })
})

describe('an answer is refused', () => {
  it.each([
    ['of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['that is an alert of TLS', '\x15\x03\x01\x00\x02\x02\x46'],
    ['of another version', 'HTTP/3.0 200 OK\r\ncontent-length: 0\r\n\r\n'],
    ['without a status', 'HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n'],
    ['with a status of four digits', 'HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n'],
    ['with bare line feeds', 'HTTP/1.1 200 OK\ncontent-length: 2\n\nhi'],
    ['with a bare line feed in its headers', `${OK}x: y\ncontent-length: 2\r\n\r\nhi`],
    ['with a bare carriage return', `${OK}x: y\rz\r\ncontent-length: 2\r\n\r\nhi`],
    ['with a folded header', `${OK}x: y\r\n z\r\ncontent-length: 2\r\n\r\nhi`],
    ['with a header without a colon', `${OK}xy\r\ncontent-length: 2\r\n\r\nhi`],
    ['with a header without a name', `${OK}: y\r\ncontent-length: 2\r\n\r\nhi`],
    ['with a blank before a colon', `${OK}content-length : 2\r\n\r\nhi`],
    ['with a control character', `${OK}x: a\x01b\r\ncontent-length: 2\r\n\r\nhi`],
    ['with two lengths', `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\nhi!`],
    ['with a list of lengths', `${OK}content-length: 2, 2\r\n\r\nhi`],
    ['with a negative length', `${OK}content-length: -2\r\n\r\nhi`],
    ['with a length in hexadecimal', `${OK}content-length: 0x2\r\n\r\nhi`],
    ['with a length beyond all numbers', `${OK}content-length: 99999999999999999999\r\n\r\nhi`],
    ['with a length and chunks', `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`],
    ['with a chunk whose length is no number', `${CHUNKED}xyz\r\nhi\r\n0\r\n\r\n`],
    ['with a chunk without a length', `${CHUNKED}\r\nhi\r\n0\r\n\r\n`],
    ['with a chunk that is too long', `${CHUNKED}2\r\nhi!\r\n0\r\n\r\n`],
    ['with a chunk beyond all numbers', `${CHUNKED}fffffffffffffffffff\r\nhi`],
    ['with a chunk whose line ends early', `${CHUNKED}2\nhi\r\n0\r\n\r\n`],
    ['with a trailer that is none', `${CHUNKED}0\r\nx y\r\n\r\n`],
    ['that changes the protocol', 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
  ])('%s', async (_name, text) => {
    const bytes = bytesOf(text)
    expect(readByKt([bytes])).toMatchObject({ failed: true, error: { code: 'KT_BAD_ANSWER' } })
    expect(await node.read(bytes)).toMatchObject({ failed: true })
    // Wherever it is cut.
    for (let cut = 0; cut <= bytes.length; cut++) expect(readByKt(cutAt(bytes, [cut]))).toMatchObject({ failed: true })
  })

  it.each([
    ['what is no HTTP', 'SSH-2.0'],
    ['what is none after its first letters', 'HTTP/2 200'],
    ['a line of a head', `${OK}x y\r\nz: `],
    ['a bare line feed', 'HTTP/1.1 200 OK\nx'],
  ])('before its end has come: %s', (_name, text) => {
    for (const pieces of [[bytesOf(text)], [...bytesOf(text)].map((byte) => Buffer.of(byte))]) {
      expect(readByKt(pieces)).toMatchObject({ failed: true, error: { code: 'KT_BAD_ANSWER' } })
    }
  })

  it.each([
    ['a head', `${OK}x: `, 'x'],
    ['a head in many lines', OK, 'x: y\r\n'],
    ['trailers', `${CHUNKED}0\r\nx: `, 'x'],
  ])('whose %s never ends', (_name, before, more) => {
    const pieces = [before, ...Array<string>(20_000).fill(more)].map(bytesOf)
    expect(readByKt(pieces)).toMatchObject({ failed: true, error: { code: 'KT_HEAD_TOO_LARGE' } })
  })

  it('whose line before a chunk never ends', () => {
    const pieces = [`${CHUNKED}5;`, ...Array<string>(20_000).fill('x')].map(bytesOf)
    expect(readByKt(pieces)).toMatchObject({ failed: true, error: { code: 'KT_BAD_ANSWER' } })
  })

  it.each([
    ['nothing', ''],
    ['a head', `${OK}content-length: 2\r\n`],
    ['a body', `${OK}content-length: 3\r\n\r\nhi`],
    ['a chunk', `${CHUNKED}5\r\nhi`],
    ['chunks', `${CHUNKED}2\r\nhi\r\n`],
    ['trailers', `${CHUNKED}2\r\nhi\r\n0\r\n`],
    ['an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('that ends within or after %s', async (_name, text) => {
    expect(readByKt([bytesOf(text)])).toMatchObject({ failed: true, error: { code: 'KT_CLOSED' } })
    expect(await node.read(bytesOf(text))).toMatchObject({ failed: true })
  })
})
