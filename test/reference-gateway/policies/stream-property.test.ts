// Whatever the pieces, a stream filter writes the redaction of the whole text, and nothing blocked ever leaves.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assembled, cut, DONE, event, eventsOf, redactedWhole, runFilter, token } from './support/filter.ts'

const PATTERNS = [
  'ab+c',
  '\\bcab\\b',
  '(?i)bA|bab',
  '[a-c]{3}@',
  'a.*?b',
  '(?:ab)+|é',
  '(?m)^c',
  'b$',
  '😀.',
  'a\\Bb',
  'c[^c]{0,4}c',
]
const letters = fc.constantFrom(...'aabbccA @\n.é😀"\\')
const texts = fc.array(letters, { maxLength: 40 }).map((all) => all.join(''))

/** A text in tokens, each of them an event, and where the bytes of the stream are cut. */
const streams = fc.record({
  tokens: fc.array(
    fc.array(letters, { maxLength: 6 }).map((all) => all.join('')),
    { maxLength: 14 },
  ),
  cuts: fc.array(fc.nat(6_000), { maxLength: 30 }),
})

function streamOf(tokens: readonly string[]): Buffer {
  const last = event({ id: 'x', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  return Buffer.from(tokens.map((one) => token(one)).join('') + last + DONE)
}

test('redaction: the text that leaves is the redaction of the whole text, at every split', () => {
  const property = fc.property(streams, fc.subarray(PATTERNS, { minLength: 1 }), ({ tokens, cuts }, patterns) => {
    const policy = { name: 'p', type: 'output_filter', action: 'redact', patterns }
    const { text, ended } = runFilter([policy], cut(streamOf(tokens), cuts))
    expect(assembled(text)['0/content'] ?? '').toBe(redactedWhole(tokens.join(''), patterns))
    expect(ended).toBe(true)
  })
  fc.assert(property, { numRuns: 500 })
})

test('a text cut at any single place gives the same result', () => {
  const whole = 'mail bob@ex.com, abbbc cab é😀x card 4111 1111 1111 1111. end'
  const policies = [
    { name: 'r', type: 'output_filter', action: 'redact', parallel_group: 'g', patterns: PATTERNS },
    { name: 'p', type: 'output_filter', action: 'redact', parallel_group: 'g', detect: ['email', 'card'] },
  ]
  const expected = assembled(runFilter(policies, [streamOf([whole])]).text)['0/content']
  const units = [...whole]
  for (let at = 0; at <= units.length; at++) {
    const tokens = [units.slice(0, at).join(''), units.slice(at).join('')]
    expect(assembled(runFilter(policies, [streamOf(tokens)]).text)['0/content']).toBe(expected)
  }
  expect(assembled(runFilter(policies, [streamOf(units)]).text)['0/content']).toBe(expected)
  const bytes = streamOf(units)
  const single = cut(
    bytes,
    Array.from({ length: bytes.length }, (_, i) => i),
  )
  expect(assembled(runFilter(policies, single).text)['0/content']).toBe(expected)
})

test('groups in sequence: each reads what the group before left', () => {
  const property = fc.property(
    streams,
    fc.array(fc.constantFrom(...PATTERNS.slice(0, 7)), { minLength: 2, maxLength: 3 }),
    fc.constantFrom('', 'b', 'ab', 'xcabx'),
    ({ tokens, cuts }, patterns, replacement) => {
      const policies = patterns.map((pattern, i) => ({
        name: `p${i}`,
        type: 'output_filter',
        action: 'redact',
        patterns: [pattern],
        replacement,
      }))
      const expected = patterns.reduce((text, pattern) => redactedWhole(text, [pattern], replacement), tokens.join(''))
      const { text } = runFilter(policies, cut(streamOf(tokens), cuts))
      expect(assembled(text)['0/content'] ?? '').toBe(expected)
    },
  )
  fc.assert(property, { numRuns: 500 })
})

test('blocking: text before the earliest match leaves, no match does, and an error event is the last', () => {
  const property = fc.property(streams, fc.subarray(PATTERNS, { minLength: 1 }), ({ tokens, cuts }, patterns) => {
    const policy = { name: 'p', type: 'output_filter', action: 'block', patterns }
    const { text, blocked, ended } = runFilter([policy], cut(streamOf(tokens), cuts))
    const whole = tokens.join('')
    const clean = redactedWhole(whole, patterns, '\u0000')
    const content = assembled(text)['0/content'] ?? ''
    if (!clean.includes('\u0000')) {
      expect({ content, blocked, ended }).toEqual({ content: whole, blocked: undefined, ended: true })
      return
    }
    expect(blocked).toBe('content_filter')
    expect(clean.startsWith(content)).toBe(true)
    expect(content).not.toContain('\u0000')
    expect(eventsOf(text).at(-1)).toMatchObject({ error: { code: 'content_filter', type: 'invalid_request_error' } })
  })
  fc.assert(property, { numRuns: 400 })
})

test('choices, reasoning and tool calls are separate texts, however interleaved', () => {
  const piece = fc.record({
    choice: fc.nat(2),
    field: fc.constantFrom('content', 'reasoning', 'tool/0', 'tool/1'),
    text: texts,
  })
  const property = fc.property(
    fc.array(piece, { maxLength: 14 }),
    fc.array(fc.nat(6_000), { maxLength: 20 }),
    (pieces, cuts) => {
      const patterns = ['ab+c', 'c[^c]{0,4}c', '[a-c]{3}@']
      const wanted: Record<string, string> = {}
      let stream = ''
      for (const { choice, field, text } of pieces) {
        const key = `${choice}/${field}`
        wanted[key] = (wanted[key] ?? '') + text
        const [name, index] = field.split('/')
        const call = {
          index: Number(index),
          id: 'call_abc',
          type: 'function',
          function: { name: 'abc', arguments: text },
        }
        const delta =
          name === 'tool'
            ? { tool_calls: [call] }
            : name === 'reasoning'
              ? { reasoning_content: text }
              : { content: text }
        // Some providers put the index after the text.
        stream += event({ choices: [{ delta, finish_reason: null, index: choice }] })
      }
      const policy = { name: 'p', type: 'output_filter', action: 'redact', patterns }
      const { text } = runFilter([policy], cut(Buffer.from(stream + DONE), cuts))
      const expected = Object.fromEntries(
        Object.entries(wanted).map(([key, one]) => [key, redactedWhole(one, patterns)]),
      )
      expect(assembled(text)).toEqual(expected)
      expect(text.endsWith(DONE)).toBe(true)
    },
  )
  fc.assert(property, { numRuns: 250 })
})

test('a stream in which nothing is found leaves byte for byte', () => {
  const property = fc.property(
    fc.array(texts, { maxLength: 20 }),
    fc.array(fc.nat(9_000), { maxLength: 30 }),
    (all, cuts) => {
      const bytes = streamOf(all.map((one) => (one.length % 2 ? 'word' : ' \n')))
      const policy = {
        name: 'p',
        type: 'output_filter',
        action: 'redact',
        patterns: ['wordy+', 'never'],
        parallel_group: 'g',
      }
      const other = { name: 'q', type: 'output_filter', action: 'block', detect: ['card', 'ssn'], parallel_group: 'g' }
      expect(runFilter([policy, other], cut(bytes, cuts)).text).toBe(bytes.toString('utf8'))
    },
  )
  fc.assert(property, { numRuns: 150 })
})

test('a match longer than chunk_buffer is decided within it, with the same result at every split', () => {
  const patterns = ['ab*c', 'x[a-z]*@', '(?s)begin.*?end']
  const policy = { name: 'p', type: 'output_filter', action: 'redact', patterns }
  const long = fc.constantFrom('b'.repeat(90), 'xyz'.repeat(40), 'begin', 'a', 'c', '@', 'end', ' ', 'x')
  const property = fc.property(
    fc.array(long, { maxLength: 10 }),
    fc.array(fc.nat(20_000), { maxLength: 20 }),
    (parts, cuts) => {
      const streaming = { chunk_buffer: '64' }
      const text = parts.join('')
      const once = assembled(runFilter([policy], [streamOf([text])], streaming).text)['0/content']
      const tokens = text.match(/.{1,3}/g) ?? []
      const split = assembled(runFilter([policy], cut(streamOf(tokens), cuts), streaming).text)['0/content'] ?? ''
      expect(split).toBe(once ?? '')
    },
  )
  fc.assert(property, { numRuns: 150 })
})
