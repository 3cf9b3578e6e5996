// The short cut for typed events and candidates, and the full parse, must agree on every event that the short cut
// accepts.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeltaEvent } from '../../src/wire/delta-event.ts'
import { readStreamEvent } from '../../src/wire/formats.ts'
import { TEXT_DELTAS } from '../../src/wire/openai-responses.ts'

const shortCut = new DeltaEvent()

/**
 * Reads an event amid other bytes, after all those before it. True when the short cut takes it; then both must read the
 * same.
 */
function agree(event: string | Buffer): boolean {
  shortCut.beginStream()
  const payload = Buffer.isBuffer(event) ? event : Buffer.from(event)
  const bytes = Buffer.concat([Buffer.from('x{"'), payload, Buffer.from('"}]}')])
  if (!shortCut.read(bytes, 3, 3 + payload.length)) return false
  const { chars, kind, usage, fingerprintStart, fingerprintEnd } = shortCut
  const full = readStreamEvent(payload.toString('utf8'))
  expect(full, payload.toString('utf8')).toEqual({
    visibleChars: kind === 'visible' ? chars : 0,
    reasoningChars: kind === 'reasoning' ? chars : 0,
    toolChars: kind === 'tool' ? chars : 0,
    ended: false,
    finished: false,
    ...(usage ? { usage } : {}),
    ...(fingerprintStart < 0 ? {} : { fingerprint: bytes.toString('utf8', fingerprintStart, fingerprintEnd) }),
  })
  return true
}

const block = (delta: object, more: object = {}): string =>
  JSON.stringify({ type: 'content_block_delta', index: 0, delta, ...more })
const candidate = (part: object, more: object = {}): string =>
  JSON.stringify({ candidates: [{ content: { parts: [part], role: 'model' }, index: 0 }], ...more })
const usageMetadata = {
  promptTokenCount: 12,
  candidatesTokenCount: 3,
  totalTokenCount: 20,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: 12 }],
  cachedContentTokenCount: 4,
  thoughtsTokenCount: 5,
}

describe('events of the common shapes are taken', () => {
  it.each([
    ['a text of Anthropic', block({ type: 'text_delta', text: 'Hello "\u2603\ud83d\ude00' })],
    ['its reasoning', block({ type: 'thinking_delta', thinking: 'hm' })],
    ['its arguments of a tool', block({ type: 'input_json_delta', partial_json: '{"a' })],
    ['a text of Gemini', candidate({ text: 'Hello' })],
    ['its reasoning', candidate({ text: 'hm', thought: true })],
    ['its text with usage', candidate({ text: 'Hello' }, { usageMetadata, modelVersion: 'g', responseId: 'r' })],
    ['a stamp', block({ type: 'text_delta', text: 'x' }, { system_fingerprint: 'kt1.abcdefghijklmnop.1.5' })],
    ...Object.keys(TEXT_DELTAS).map((type) => [
      type,
      JSON.stringify({
        type,
        item_id: 'i',
        output_index: 0,
        delta: 'Hi',
        logprobs: [],
        obfuscation: 'x',
        sequence_number: 7,
      }),
    ]),
    ['members in another order', '{"delta":"Hi","type":"response.output_text.delta"}'],
    ['blanks', '{ "type" : "content_block_delta", "delta" : { "text" : "x" } } '],
  ])('%s', (_name, event = '') => {
    expect(agree(event)).toBe(true)
  })
})

describe('events that say more, or are unusual, are left to the full parse', () => {
  it.each([
    ['an empty text', block({ type: 'text_delta', text: '' })],
    ['a signature beside a text', block({ text: 'x', signature: 'y' })],
    ['two texts', block({ text: 'x', thinking: 'y' })],
    ['an error', block({ text: 'x' }, { error: { message: 'x' } })],
    ['a usage', block({ text: 'x' }, { usage: { output_tokens: 5 } })],
    ['a response', JSON.stringify({ type: 'response.output_text.delta', delta: 'x', response: { usage: {} } })],
    ['a delta of another type', JSON.stringify({ type: 'response.audio.delta', delta: 'QUJD' })],
    ['a delta without a type', JSON.stringify({ delta: 'x' })],
    [
      'an object where a text is expected',
      JSON.stringify({ type: 'response.output_text.delta', delta: { text: 'x' } }),
    ],
    ['a text where an object is expected', JSON.stringify({ type: 'content_block_delta', delta: 'x' })],
    [
      'a finish reason',
      JSON.stringify({ candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason: 'STOP' }] }),
    ],
    ['two candidates', JSON.stringify({ candidates: [{ content: { parts: [{ text: 'x' }] } }, {}] })],
    ['two parts', JSON.stringify({ candidates: [{ content: { parts: [{ text: 'x' }, { text: 'y' }] } }] })],
    ['a call', candidate({ functionCall: { name: 'f', args: {} } })],
    ['a number that is none', candidate({ text: 'x' }, { usageMetadata: { candidatesTokenCount: 1.5 } })],
    ['what is cut off', block({ text: 'x' }).slice(0, -1)],
    ['no JSON', 'data'],
  ])('%s', (_name, event) => {
    expect(agree(event)).toBe(false)
  })
})

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constant(null),
  fc.constant(''),
)
const scalar = fc.oneof(text, fc.boolean(), fc.double({ noNaN: true }), fc.nat())
const optional = { requiredKeys: [] }
const count = fc.oneof(fc.nat(), fc.double({ noNaN: true }), fc.constant(null), fc.bigInt().map(Number))
const usage = fc.record(
  { promptTokenCount: count, candidatesTokenCount: count, thoughtsTokenCount: count, totalTokenCount: count },
  optional,
)
const part = fc.record(
  { text, thought: scalar, functionCall: fc.jsonValue(), thoughtSignature: text, other: scalar },
  optional,
)
const parts = fc.array(part, { maxLength: 2 })
const content = fc.record({ parts, role: scalar, other: scalar }, optional)
const candidates = fc.array(fc.record({ content, index: scalar, finishReason: text }, optional), { maxLength: 2 })
const delta = fc.oneof(
  text,
  fc.record(
    { type: text, text, thinking: text, partial_json: text, citation: fc.jsonValue(), signature: text },
    optional,
  ),
)
const type = fc.constantFrom('content_block_delta', 'content_block_start', 'error', 'x', ...Object.keys(TEXT_DELTAS))
const more = { index: scalar, sequence_number: scalar, logprobs: fc.jsonValue(), obfuscation: text, item_id: scalar }
const known = { type, delta, candidates, usageMetadata: usage, system_fingerprint: text, responseId: text }
const odd = { error: fc.jsonValue(), usage: fc.jsonValue(), message: text, code: scalar, other: fc.jsonValue() }

const responsesDelta = (delta: string, at: number, obfuscation: string): string =>
  JSON.stringify({ type: 'response.output_text.delta', item_id: 'i', delta, obfuscation, sequence_number: at })
const geminiDelta = (said: string, at: number): string =>
  candidate(
    { text: said },
    { usageMetadata: { promptTokenCount: 5, candidatesTokenCount: at, totalTokenCount: 5 + at } },
  )

/** An event of each format, with its values. */
const alike = fc.record({ said: fc.string({ unit: 'grapheme', minLength: 1 }), at: fc.nat(), pad: fc.string() })
const FORMATS: ((values: { said: string; at: number; pad: string }) => string)[] = [
  ({ said }) => block({ type: 'text_delta', text: said }),
  ({ said, at }) => block({ type: 'thinking_delta', thinking: said }, { index: at }),
  ({ said, at, pad }) => responsesDelta(said, at, pad),
  ({ said, at }) => geminiDelta(said, at),
]

describe('property: both agree', () => {
  it.each([0, 1, 2, 3])('on events that are like the ones before, spoilt ones among them: format %i', (place) => {
    const write = FORMATS[place] ?? (() => '')
    const spoilt = fc.record({ at: fc.nat(), bytes: fc.uint8Array({ maxLength: 2 }), left: fc.nat(2) })
    fc.assert(
      fc.property(fc.array(alike, { minLength: 3, maxLength: 6 }), spoilt, (values, { at, bytes, left }) => {
        // A number of more than nine digits, or a usage of zeros, is left to the full parse.
        for (const one of values) agree(write(one))
        expect(agree(write({ said: 'x', at: 7, pad: 'y' }))).toBe(true)
        const payload = Buffer.from(write({ said: 'x"\u2603', at: 12, pad: 'yz' }))
        const from = at % payload.length
        agree(Buffer.concat([payload.subarray(0, from), bytes, payload.subarray(from + left)]))
      }),
      { numRuns: 1_000 },
    )
  })

  it('on events of every kind', () => {
    let taken = 0
    const event = fc.oneof(
      fc.record({ ...known, ...more }, optional),
      fc.record({ ...known, ...more, ...odd }, optional),
      fc.record({ type, delta, ...more }, { requiredKeys: ['type', 'delta'] }),
      fc.record({ candidates, usageMetadata: usage }, { requiredKeys: ['candidates'] }),
    )
    fc.assert(
      fc.property(event, (json) => {
        if (agree(JSON.stringify(json))) taken++
      }),
      { numRuns: 4_000 },
    )
    expect(taken).toBeGreaterThan(100)
  })

  it('on events with a byte too few, too many or another', () => {
    const whole = fc.constantFrom(
      block({ type: 'text_delta', text: 'a\u2603b' }),
      candidate({ text: 'a' }, { usageMetadata }),
      JSON.stringify({ type: 'response.output_text.delta', item_id: 'i', delta: 'a\\n', logprobs: [] }),
    )
    fc.assert(
      fc.property(whole, fc.nat(), fc.uint8Array({ maxLength: 2 }), fc.nat(2), (event, place, bytes, left) => {
        const payload = Buffer.from(event)
        const at = place % payload.length
        agree(Buffer.concat([payload.subarray(0, at), bytes, payload.subarray(at + left)]))
      }),
      { numRuns: 4_000 },
    )
  })
})
