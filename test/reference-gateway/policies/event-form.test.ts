// Events that look like the one before, against a scan of each.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventReader } from '../../../reference-gateway/policies/stream/event-reader.ts'
import { EventScan } from '../../../src/wire/event-scan.ts'

const word = fc.oneof(
  fc.constantFrom('', 'a', ' cats', '"', '\\', '{"a":1}', '\n\n', 'stop', 'data: {', '\u{1F600}'),
  fc.string({ maxLength: 6, unit: 'binary' }),
  fc.constant('QUJD'.repeat(20)),
)
const number = fc.integer({ min: 0, max: 2 })
const chat = (delta: object, rest: object, index = 0) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  ...rest,
  choices: [{ index, delta, logprobs: null, finish_reason: null }],
})
const event = fc.oneof(
  { weight: 4, arbitrary: word.map((content) => chat({ content }, {})) },
  fc.tuple(word, word).map(([content, mark]) => chat({ content }, { system_fingerprint: mark, obfuscation: mark })),
  fc.tuple(word, word).map(([content, reasoning]) => chat({ content, reasoning_content: reasoning }, {})),
  fc.tuple(word, number).map(([content, index]) => chat({ content }, {}, index)),
  fc.tuple(word, word).map(([id, text]) => chat({ tool_calls: [{ index: 0, id, function: { arguments: text } }] }, {})),
  fc.tuple(word, word).map(([content, signature]) => chat({ content, signature }, {})),
  fc
    .tuple(word, word)
    .map(([content, reason]) => ({ choices: [{ index: 0, delta: { content }, finish_reason: reason }] })),
  word.map((reason) => ({ choices: [{ index: 0, delta: {}, finish_reason: reason }] })),
  word.map((token) => ({ choices: [{ index: 0, delta: { content: token }, logprobs: { content: [{ token }] } }] })),
  fc.tuple(word, number).map(([text, index]) => ({
    type: 'content_block_delta',
    index,
    delta: { type: 'text_delta', text },
  })),
  fc.tuple(word, word).map(([kind, delta]) => ({ type: `response.${kind}.delta`, output_index: 0, delta })),
  fc.tuple(word, word).map(([data, name]) => ({ data, name, other: [data] })),
)

function described(
  { texts, choices, choice, ends, part, logprobs }: EventScan,
  places: Map<object, number>,
  by: number,
) {
  const placed = texts.map(({ place, ...text }) => {
    if (!places.has(place)) places.set(place, places.size)
    return { ...text, from: text.from - by, to: text.to - by, place: places.get(place) }
  })
  return { placed, choices, choice, ends, part, logprobs: logprobs.map((at) => at - by) }
}

test('property: an event in the form of the one before is read as a scan reads it', () => {
  let alike = 0
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 30 }), fc.nat(40), (events, before) => {
      const reader = new EventReader()
      const scan = new EventScan()
      const places = [new Map<object, number>(), new Map<object, number>()] as const
      for (const one of events) {
        const bytes = Buffer.from(`${' '.repeat(before)}data: ${JSON.stringify(one)}\n\nrest`)
        const json = bytes.subarray(before + 'data: '.length, bytes.length - '\n\nrest'.length)
        expect(reader.read(bytes, before, bytes.length - 'rest'.length)).toBe('json')
        expect(reader.next).toBe(bytes.length - 'rest'.length)
        expect(scan.read(json, 0, json.length)).toBe(true)
        // Positions of what was scanned end where the scan ended; those of what was compared do not.
        if (reader.scan.after !== before + 'data: '.length + json.length) alike++
        const read = described(reader.scan, places[0], before + 'data: '.length)
        expect(read).toEqual(described(scan, places[1], 0))
      }
    }),
    { numRuns: 400 },
  )
  expect(alike).toBeGreaterThan(20)
})

test('an event that was cut short, or goes on, is not taken for one like that before', () => {
  const reader = new EventReader()
  const whole = Buffer.from(`data: ${JSON.stringify(chat({ content: 'word' }, {}))}\n\n`)
  expect(reader.read(whole, 0, whole.length)).toBe('json')
  for (let length = 1; length < whole.length - 2; length++) {
    const again = new EventReader()
    again.read(whole, 0, whole.length)
    const part = whole.subarray(0, length)
    const fresh = new EventReader()
    expect(again.read(part, 0, length)).toBe(fresh.read(part, 0, length))
    expect(again.next).toBe(fresh.next)
  }
})
