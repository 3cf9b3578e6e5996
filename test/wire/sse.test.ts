import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SseReader } from '../../src/wire/sse.ts'

type Seen = [data: string, event: string][]

function read(chunks: Buffer[]): Seen {
  const seen: Seen = []
  const reader = new SseReader((data, event) => seen.push([data, event]))
  for (const chunk of chunks) reader.push(chunk)
  reader.end()
  return seen
}

const whole = (text: string): Seen => read([Buffer.from(text)])

/** The specification's algorithm on the whole text, with the reader's two deviations, written for clarity alone. */
function reference(text: string): Seen {
  const seen: Seen = []
  let data: string[] = []
  let event = ''
  let comments: string[] = []
  const dispatch = (): void => {
    if (data.length > 0) seen.push([data.join('\n'), event])
    else if (event === 'error') seen.push([comments.join('\n'), event])
    data = []
    event = ''
  }
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (line === '') dispatch()
    else if (line.startsWith(':')) comments.push(line.slice(1).replace(/^ /, ''))
    else {
      const colon = line.indexOf(':')
      const name = colon === -1 ? line : line.slice(0, colon)
      const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (name === 'data') data.push(value)
      if (name === 'event') {
        event = value
        comments = []
      }
    }
  }
  dispatch()
  return seen
}

describe('server-sent events', () => {
  it.each([
    [
      'LF',
      'data: a\n\ndata: b\n\n',
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    [
      'CRLF',
      'data: a\r\n\r\ndata: b\r\n\r\n',
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    [
      'CR',
      'data: a\r\rdata: b\r\r',
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    ['no space after the colon', 'data:{"x":1}\n\n', [['{"x":1}', '']]],
    ['only one space is taken away', 'data:  a\n\n', [[' a', '']]],
    ['several data lines', 'data: a\ndata: b\ndata\n\n', [['a\nb\n', '']]],
    ['comments', ': keep-alive\n\n: x\ndata: a\n\n', [['a', '']]],
    ['event, id and retry', 'event: ping\nid: 7\nretry: 10\ndata: a\n\n', [['a', 'ping']]],
    [
      'the event name ends with its event',
      'event: x\ndata: a\n\ndata: b\n\n',
      [
        ['a', 'x'],
        ['b', ''],
      ],
    ],
    ['a byte order mark', '\uFEFFdata: a\n\n', [['a', '']]],
    [
      'no final blank line',
      'data: a\n\ndata: [DONE]',
      [
        ['a', ''],
        ['[DONE]', ''],
      ],
    ],
    ['a final line end without a blank line', 'data: [DONE]\r\n', [['[DONE]', '']]],
    ['an event without data', 'event: x\n\n', []],
    [
      'an error without data: what its comments say, if any',
      ': hi\nevent: error\n\nevent:error\n: worker\n:lost\nid: 1\n\n: bye\n\n',
      [
        ['', 'error'],
        ['worker\nlost', 'error'],
      ],
    ],
    ['an error with data and comments', 'event: error\n: c\ndata: x\n: c\n\n', [['x', 'error']]],
    [
      'an event whose data is empty, and one of a line end (the example of the specification)',
      'data\n\ndata\ndata\n\ndata: x\n\n',
      [
        ['', ''],
        ['\n', ''],
        ['x', ''],
      ],
    ],
    ['unknown fields', 'database: a\ndat: b\ndata: c\n\n', [['c', '']]],
    ['nothing', '', []],
  ])('%s', (_name, text, expected) => {
    expect(whole(text)).toEqual(expected)
  })

  it('is the same at every split of the bytes, in two and in single bytes', () => {
    const text =
      '\uFEFF: hi\r\ndata: grüße 🌦\r\ndata:{"a":"\u2028"}\r\n\r\nevent: e\rdata: x\r\rdata: y\n\ndata: [DONE]'
    const bytes = Buffer.from(text)
    const expected = reference(text)
    expect(expected.length).toBe(4)
    for (let at = 0; at <= bytes.length; at++)
      expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected)
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(expected)
  })

  it('offers the bytes of an event of one line to be taken, but never those of an error', () => {
    const offered: string[] = []
    const seen: Seen = []
    const reader = new SseReader(
      (data, event) => seen.push([data, event]),
      (bytes, start, end) => offered.push(bytes.toString('utf8', start, end)) > 0,
    )
    reader.push(
      Buffer.from('data: a\n\nevent: error\ndata: b\n\nevent: x\ndata: c\n\ndata: d\nevent: error\n\ndata: e\n\n'),
    )
    expect(offered).toEqual(['a', 'c', 'e'])
    expect(seen).toEqual([
      ['b', 'error'],
      ['d', 'error'],
    ])
  })

  it('reads a body as if it were its first, wherever the one before was aborted', () => {
    const before = Buffer.from(
      '\uFEFFevent: e\ndata: one\ndata: two\r\n\r\nid: 3\ndata: three\n\nevent: error\n: c\ndata: four\ndata: fi',
    )
    const body = Buffer.from('\uFEFFdata: a\n\ndata: b\ndata: c\n\ndata: d')
    for (let length = 0; length <= before.length; length++) {
      const seen: Seen = []
      const reader = new SseReader((data, event) => seen.push([data, event]))
      reader.push(before.subarray(0, length))
      reader.begin()
      seen.length = 0
      reader.push(body)
      reader.end()
      expect(seen, `after ${length} bytes`).toEqual(whole(body.toString()))
    }
  })

  it('agrees with the specification for any text and any splits', () => {
    const line = fc.oneof(
      fc.constantFrom(
        'data: x',
        'data:y',
        'data',
        'event: e',
        'event: error',
        ': c',
        'id: 1',
        '',
        '',
        'data: é🙂',
        'data::',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
    )
    const body = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 12 })
    fc.assert(
      fc.property(body, fc.array(fc.nat(200), { maxLength: 6 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((pair) => pair.join('')).join(''))
        const places = [...new Set(cuts.filter((cut) => cut < bytes.length))].sort((a, b) => a - b)
        const edges = [0, ...places, bytes.length]
        const chunks = edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge))
        expect(read(chunks)).toEqual(reference(bytes.toString('utf8')))
      }),
      { numRuns: 500 },
    )
  })
})
