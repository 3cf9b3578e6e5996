// The short cut and the full parse must agree on every chunk that the short cut accepts.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StreamTimings } from '../../src/client/stream-timings.ts'
import { ChatChunk } from '../../src/wire/chat-chunk.ts'
import { readStreamEvent } from '../../src/wire/formats.ts'
import { formatStamp, parseStamp, readStamp } from '../../src/wire/stamp.ts'
import { streamNames, streamPayloads } from '../support/streams.ts'

/**
 * Reads the chunks `before`, then `text` amid other bytes. True when the short cut takes it; then both must read the
 * same.
 */
function agree(text: string | Buffer, before: string[] = []): boolean {
  const chunk = new ChatChunk()
  for (const earlier of before) chunk.read(Buffer.from(earlier), 0, Buffer.byteLength(earlier))
  const payload = Buffer.isBuffer(text) ? text : Buffer.from(text)
  const bytes = Buffer.concat([Buffer.from('x{"'), payload, Buffer.from('"}]}')])
  if (!chunk.read(bytes, 3, 3 + payload.length)) return false
  const full = readStreamEvent(payload.toString('utf8'))
  const fingerprint =
    chunk.fingerprintStart < 0 ? undefined : bytes.toString('utf8', chunk.fingerprintStart, chunk.fingerprintEnd)
  const short = {
    visibleChars: chunk.visibleChars,
    reasoningChars: chunk.reasoningChars,
    toolChars: 0,
    ended: false,
    finished: chunk.finished,
    ...(fingerprint === undefined ? {} : { fingerprint }),
  }
  expect(short, payload.toString('utf8')).toEqual(full)
  return true
}

const scalar = fc.oneof(fc.string({ unit: 'binary' }), fc.constant(null), fc.boolean(), fc.double({ noNaN: true }))
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.constant(null))
const optional = { requiredKeys: [] }
const delta = fc.record(
  { role: scalar, content: text, refusal: text, reasoning_content: text, reasoning: text, thoughts: text, name: text },
  optional,
)
const sentinel = fc.constantFrom<unknown[]>(null, false, 0, '', {}, [])
const reason = fc.oneof(text, fc.constantFrom(null, '', 'stop', 'error'))
const choice = fc.record({ index: fc.nat(), delta, logprobs: scalar, finish_reason: reason, error: scalar }, optional)
const common = fc.record(
  {
    id: text,
    object: fc.constantFrom('chat.completion.chunk', 'error'),
    type: fc.constantFrom('error', 'x'),
    code: scalar,
    message: text,
    created: fc.nat(),
    model: text,
    system_fingerprint: text,
    choices: fc.array(choice, { maxLength: 2 }),
    usage: fc.oneof(fc.constant(null), fc.record({ completion_tokens: fc.nat() })),
    error: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, sentinel, text),
    other: fc.jsonValue(),
  },
  optional,
)

describe('the short cut through a chat chunk', () => {
  it('takes the chunks that providers send', () => {
    for (const accepted of [
      '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":' +
        '[{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}],"usage":null}',
      '{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}',
      '{"choices": [ {"index": 0, "delta": {"content": "a\\n\\"b\\" \\u00e9 é 😀"}, "finish_reason": "stop"} ] }',
      '{"choices":[{"delta":{"content":"a"},"finish_reason":""}],"system_fingerprint":"fp_1"}',
      '{"choices":[{"delta":{"reasoning_content":"hm","content":null}}],"system_fingerprint":null}',
    ]) {
      expect(agree(accepted), accepted).toBe(true)
    }
  })

  it('leaves everything else to the full parse', () => {
    for (const left of [
      '[DONE]',
      '',
      'hello',
      '{}',
      '{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{"}}]}}]}',
      '{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}',
      '{"choices":[{"text":"a"}]}',
      '{"choices":[],"usage":{"completion_tokens":3}}',
      '{"choices":[],"error":"no"}',
      '{"choices":[{"delta":{"content":"a"}}],"error":false}',
      '{"choices":[],"object":"error","message":"no"}',
      '{"choices":[],"system_fingerprint":"fp_1"}',
      '{"choices":[{"delta":{"content":"a"},"finish_reason":"error"}]}',
      '{"choices":[{"finish_reason":"\\u0065rror","delta":{"content":"a"}}]}',
      '{"choices":[{"finish_reason":"error","delta":{"content":"a"},"finish_reason":null}]}',
      '{"choices":[{"delta":{"content":"","thoughts":"a"}}]}',
      '{"error":{"message":"no"}}',
      '{"type":"content_block_delta","delta":{"text":"a"}}',
      '{"choices":[{"delta":{"content":"a","content":"bc"}}]}',
      '{"choices":[],"choices":[{"delta":{"content":"a"}}]}',
      '{"choices":[{"delta":{"cont\\u0065nt":"a"}}]}',
      '{"choices":[{"delta":{"content":"a"}}]',
      '{"choices":[{"delta":{"content":"a"}}]}}',
      '{"choices":[{"delta":{"content":"a"}}],}',
      '{"choices":[{"delta":{"content":"a\\x"}}]}',
      '{"choices":[{"delta":{"content":"a"},"index":01}]}',
    ]) {
      expect(agree(left), left).toBe(false)
    }
    expect(agree(Buffer.from('{"choices":[{"delta":{"content":"\xff\xfe"}}]}', 'latin1'))).toBe(false)
  })

  it('agrees with the full parse on every chunk it takes', () => {
    let taken = 0
    fc.assert(
      fc.property(common, common, fc.constantFrom(undefined, 1), (json, other, space) => {
        const [text, earlier] = [json, other].map((value) => JSON.stringify(value, null, space))
        if (agree(text ?? '')) taken++
        agree(text ?? '', [earlier ?? ''])
        // A stream: the same fields again, then with others around the choices.
        agree(text ?? '', [text ?? ''])
        agree(JSON.stringify({ ...json, ...other }), [text ?? '', earlier ?? ''])
        agree(JSON.stringify({ ...other, choices: json.choices }), [text ?? ''])
      }),
      { numRuns: 4_000 },
    )
    expect(taken).toBeGreaterThan(100)
  })

  it('agrees with the full parse all along a stream whose chunks differ in some of their strings', () => {
    const string = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '"}', '\\'),
    )
    const shape = fc.record({
      refusal: fc.constantFrom('null', '""', '"no"', undefined),
      reasoning: fc.constantFrom('null', '""', '"hm"', undefined),
      end: fc.constantFrom('}}]', '},"finish_reason":null}]', '},"index":0}]'),
      late: fc.boolean(),
    })
    const said = fc.record({ text: string, fingerprint: string, id: fc.constantFrom('c', 'd'), padding: string })
    const chunkOf = ({ refusal, reasoning, end, late }: Shape, { text, fingerprint, id, padding }: Said): string => {
      const counted = [
        ['refusal', refusal],
        ['reasoning', reasoning],
      ].filter(([, value]) => value !== undefined)
      const delta = [...counted.map(([key, value]) => `"${key}":${value}`), `"content":${JSON.stringify(text)}`]
      const choices = `"choices":[{"delta":{${delta.join()}${end}`
      const mark = `"system_fingerprint":${JSON.stringify(fingerprint)}`
      const fields = late ? `${choices},${mark}` : `${mark},${choices}`
      return `{"id":"${id}",${fields},"obfuscation":${JSON.stringify(padding)}}`
    }
    type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never
    type Said = typeof said extends fc.Arbitrary<infer T> ? T : never
    fc.assert(
      // Mostly of one shape, with another between.
      fc.property(shape, shape, fc.array(fc.tuple(said, fc.nat(4)), { minLength: 2 }), (one, other, saids) => {
        const chunks = saids.map(([said, which]) => chunkOf(which === 0 ? other : one, said))
        for (const [i, chunk] of chunks.entries()) agree(chunk, chunks.slice(Math.max(0, i - 4), i))
      }),
      { numRuns: 1_000 },
    )
  })

  it('sees a choice that ended in an error, whatever ended before it', () => {
    const chunkOf = (reason: string): string =>
      `{"choices":[{"index":0,"finish_reason":${reason},"delta":{"content":"a"}}],"model":"m"}`
    const reasons = ['null', '""', '"stop"', '"length"', '"error"']
    const ends = fc.array(fc.constantFrom(...reasons), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(ends, (said) => {
        const chunks = said.map(chunkOf)
        for (const [i, chunk] of chunks.entries()) expect(agree(chunk, chunks.slice(0, i))).toBe(said[i] !== '"error"')
      }),
    )
  })

  it('is not deceived by a beginning or an end that it knows', () => {
    const first = '{"created":17,"choices":[{"delta":{"content":"a"}}],"system_fingerprint":null}'
    for (const later of [
      '{"created":178,"choices":[{"delta":{"content":"b"}}]}',
      '{"created":17,"system_fingerprint":"fp","choices":[{"delta":{"content":"b"}}],"system_fingerprint":null}',
      '{"created":17,"choices":[{"delta":{"refusal":"no","content":"b"}}]}',
      '{"created":17,"error":"no","choices":[{"delta":{"content":"a"}}]}',
      `${first}}`,
      `${first.slice(0, -1)}, "error":"no"}`,
    ]) {
      agree(later, [first])
      agree(later, [first.replace(',"system_fingerprint":null', '')])
    }
  })

  it('agrees with the full parse on damaged chunks too', () => {
    const whole = Buffer.from(
      '{"id":"c","created":17,"system_fingerprint":"fp",' +
        '"choices":[{"index":0,"delta":{"content":"aé\\n"}}],"usage":null}',
    )
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.constantFrom('set', 'cut', 'add'), (at, byte, how) => {
        const damaged =
          how === 'cut'
            ? Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)])
            : Buffer.concat([whole.subarray(0, at), Buffer.from([byte]), whole.subarray(how === 'set' ? at + 1 : at)])
        agree(damaged)
        agree(damaged, [whole.toString()])
      }),
      { numRuns: 5_000 },
    )
  })

  it('recorded streams read the same either way', () => {
    for (const name of streamNames) {
      const payloads = streamPayloads(name)
      const seen: Record<string, unknown[]> = { short: [], full: [] }
      for (const way of ['short', 'full'] as const) {
        const watch = new StreamTimings((atUs, gapUs) => seen[way]?.push([atUs, gapUs]))
        for (const [i, payload] of payloads.entries()) {
          const bytes = Buffer.from(payload)
          if (way === 'full' || !watch.eventBytes(bytes, 0, bytes.length, i)) watch.event(payload, i)
        }
        const { events, tokenEvents, usage, ended, error, garbage } = watch
        seen[way]?.push({ events, tokenEvents, usage, ended, error, garbage }, watch.tpotUs(), watch.streamedTokens())
      }
      expect(seen.short).toEqual(seen.full)
      if (name.startsWith('openai') || name.startsWith('deepseek')) {
        expect(payloads.filter((payload) => agree(payload)).length / payloads.length).toBeGreaterThan(0.9)
      }
    }
  })
})

describe('a stamp in bytes', () => {
  it('reads as it does in text', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'abcz'), minLength: 16, maxLength: 16 })
    const stamp = fc.record({ nonce: letters, attempt: fc.nat(999_999), providerUs: fc.nat() })
    fc.assert(
      fc.property(stamp, letters, (made, last) => {
        const bytes = Buffer.from(`"${formatStamp(made)}".`)
        expect(readStamp(bytes, 1, bytes.length - 2, last)).toEqual(made)
        expect(readStamp(bytes, 1, bytes.length - 2, made.nonce)).toEqual(made)
      }),
    )
    fc.assert(
      fc.property(stamp, fc.nat(40), fc.nat(255), (made, at, byte) => {
        const bytes = Buffer.from(formatStamp(made))
        bytes[at % bytes.length] = byte
        expect(readStamp(bytes, 0, bytes.length, '')).toEqual(parseStamp(bytes.toString('latin1')))
      }),
    )
  })
})
