// A provider chooses its keys: only true structure is left unsearched, and no key is taken for another.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonContent, STRUCTURE_KEYS } from '../../../src/wire/strings.ts'
import { cut, DONE, eventsOf, runFilter, startFilter } from './support/filter.ts'

const POLICY = { name: 'pii', type: 'output_filter', action: 'redact', detect: ['card'] }
const SECRET = 'card 4111 1111 1111 1111 .'
const REDACTED = 'card [REDACTED:card] .'
/** These tell texts apart, or are read for what they say of the stream. */
const OTHERS =
  'index choices delta message text logprobs usage output_index content_index summary_index candidates thought'.split(
    ' ',
  )
const TEXTS =
  'content arguments refusal transcript output_text reasoning_content reasoning tool_calls function input code'.split(
    ' ',
  )
const KNOWN = [...STRUCTURE_KEYS, ...OTHERS, ...TEXTS]
const UNSEARCHED = new Set([...STRUCTURE_KEYS, 'index'])

/** Printable, and written in JSON as they are. */
const plain = (code: number): boolean => code > 0x20 && code < 0x7f && code !== 0x22 && code !== 0x5c

/** Other keys with the same value of a hash that adds up 31 times what was before. */
function collisionsOf(key: string): string[] {
  const found: string[] = []
  for (let i = 0; i + 1 < key.length; i++) {
    for (const step of [-3, -2, -1, 1, 2, 3]) {
      const [first, second] = [key.charCodeAt(i) + step, key.charCodeAt(i + 1) - 31 * step]
      if (!plain(first) || !plain(second)) continue
      found.push(key.slice(0, i) + String.fromCharCode(first, second) + key.slice(i + 2))
    }
  }
  return found
}

const hash = (key: string): number =>
  [...key].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 0)

/** Keys that look like `key` by their length and their ends, or are a part of it, or in other letters. */
const alike = (key: string): string[] => [
  key.slice(0, -1),
  `${key}s`,
  `_${key}`,
  key.toUpperCase(),
  ` ${key}`,
  `${key}\u0000`,
  `${key.slice(0, 1)}${'~'.repeat(key.length - 2)}${key.slice(-1)}`,
]

const COLLISIONS = KNOWN.flatMap(collisionsOf)
const keys = fc
  .oneof(
    fc.constantFrom(...COLLISIONS),
    fc.constantFrom(...KNOWN.flatMap(alike)),
    fc.constantFrom(...TEXTS, ...OTHERS),
    fc.string({ maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  .filter((key) => !UNSEARCHED.has(key))

/** A key between its quotes: as it is, or some of its letters as \u escapes. */
function written(key: string, escapes: number): string {
  const units = Array.from({ length: key.length }, (_, i) => key.charAt(i))
  const parts = units.map((unit, i) =>
    (escapes >> (i % 16)) & 1 ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}` : jsonContent(unit),
  )
  return escapes === 0 ? JSON.stringify(key) : `"${parts.join('')}"`
}

/** Where a provider may put a member of its own: each writes an event with `member` in it. */
const PLACES: Record<string, (member: string) => string> = {
  delta: (member) => `{"id":"x","choices":[{"index":0,"delta":{${member}},"finish_reason":null}]}`,
  message: (member) => `{"choices":[{"message":{"role":"assistant",${member}},"index":1}]}`,
  deep: (member) => `{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"name":null,${member}}}]},"index":0}]}`,
  legacy: (member) => `{"choices":[{"index":0,"text":{${member}}}]}`,
  responses: (member) => `{"type":"response.x.delta","output_index":0,"delta":{${member}}}`,
}

/** The texts of what left, by the keys that lead to them, each with the index of its object. */
function textsByPlace(stream: string): Map<string, string> {
  const texts = new Map<string, string>()
  const walk = (value: unknown, place: string): void => {
    if (typeof value === 'string') texts.set(place, (texts.get(place) ?? '') + value)
    if (typeof value !== 'object' || value === null) return
    const index = 'index' in value && value.index !== 0 ? `#${value.index}` : ''
    for (const [key, inner] of Object.entries(value)) {
      walk(inner, Array.isArray(value) ? place : `${place}${index}/${JSON.stringify(key)}`)
    }
  }
  for (const one of eventsOf(stream)) walk(one, '')
  return texts
}

/** All texts under keys that are `key`. */
function textUnder(key: string, stream: string, texts = textsByPlace(stream)): string | undefined {
  const end = `/${JSON.stringify(key)}`
  const found = [...texts].filter(([place]) => place.endsWith(end))
  return found.length === 1 ? found[0]?.[1] : undefined
}

const data = (json: string): string => `data: ${json}\n\n`
const cuts = fc.array(fc.nat(3_000), { maxLength: 12 })
/** One text in pieces. */
const pieces = fc
  .array(fc.nat(SECRET.length), { maxLength: 4 })
  .map((at) => cut(Buffer.from(SECRET), at).map((one) => one.toString()))

test('every known key has others that collide with it', () => {
  for (const key of KNOWN) expect(collisionsOf(key).length, key).toBeGreaterThan(0)
  for (const key of KNOWN) for (const other of collisionsOf(key)) expect(hash(other)).toBe(hash(key))
  expect(collisionsOf('role')).toContain('sPle')
})

test('a card number is found under every collision of every known key, in every place', () => {
  for (const event of Object.values(PLACES)) {
    const stream = COLLISIONS.map((key) => data(event(`"${key}":"${SECRET}"`)))
    const { text } = runFilter([POLICY], [Buffer.from(stream.join('') + DONE)])
    const texts = textsByPlace(text)
    const read = COLLISIONS.map((key) => [key, textUnder(key, text, texts)])
    expect(read).toEqual(COLLISIONS.map((key) => [key, REDACTED]))
  }
})

test('property: it is found under every key that is no structure, however written, and however split', () => {
  const property = fc.property(
    fc.constantFrom(...Object.values(PLACES)),
    keys,
    pieces,
    fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 5 }),
    cuts,
    (event, key, parts, escapes, at) => {
      const stream = parts.map((part, i) =>
        // The same key, each time in another spelling.
        data(event(`${written(key, escapes[i % escapes.length] ?? 0)}:${JSON.stringify(part)}`)),
      )
      const { text, ended } = runFilter([POLICY], cut(Buffer.from(stream.join('') + DONE), at))
      expect(text).not.toMatch(/4111/)
      expect(textUnder(key, text)).toBe(REDACTED)
      expect(ended).toBe(true)
    },
  )
  fc.assert(property, {
    numRuns: 500,
    examples: [
      [PLACES.delta ?? data, 'sPle', [SECRET], [0], []],
      [PLACES.delta ?? data, '\\u', [SECRET], [14316, 0], []],
      [PLACES.deep ?? data, 'name', [SECRET.slice(0, 9), SECRET.slice(9, 14), SECRET.slice(14)], [0], []],
    ],
  })
})

test('a name goes on in the very next event, and its call waits for no more than that', () => {
  const call = (member: string) => data(PLACES.deep?.(member) ?? '')
  const { filter, written } = startFilter([{ ...POLICY, detect: ['email'] }])
  const left = () => Buffer.concat(written).toString()
  filter.write(Buffer.from(call('"name":"get_"')))
  filter.write(Buffer.from(call('"name":"weather","arguments":""')))
  expect(left()).toBe('')
  // Were it held until the end of its choice, as a text is that may begin an address, the arguments would wait too.
  filter.write(Buffer.from(call('"arguments":"{"')))
  expect(left()).toContain('weather')
})

test('structure is left as it came, with escapes in its key or without', () => {
  const stream = Object.values(PLACES).flatMap((event) =>
    STRUCTURE_KEYS.flatMap((key) =>
      [0, 1, 2, 0xffff].map((escapes) => data(event(`${written(key, escapes)}:"${SECRET}"`))),
    ),
  )
  expect(stream.join('')).toContain('\\u0072\\u006f\\u006c\\u0065')
  const { text } = runFilter([POLICY], [Buffer.from(stream.join('') + DONE)])
  expect(text).toBe(stream.join('') + DONE)
})

test('property: texts under different keys are texts of their own, interleaved as they come', () => {
  const several = fc.oneof(
    fc.constantFrom(...TEXTS).chain((key) => fc.constantFrom(...collisionsOf(key)).map((other) => [key, other])),
    // A name goes on in the very next event or not at all (see the test of that).
    fc.uniqueArray(
      keys.filter((key) => key !== 'name'),
      { minLength: 2, maxLength: 4 },
    ),
  )
  const property = fc.property(fc.constantFrom(...Object.values(PLACES)), several, cuts, (event, all, at) => {
    const stream = [...SECRET].flatMap((letter) =>
      all.map((key) => data(event(`${JSON.stringify(key)}:${JSON.stringify(letter)}`))),
    )
    const { text } = runFilter([POLICY], cut(Buffer.from(stream.join('') + DONE), at))
    for (const key of all) expect(textUnder(key, text)).toBe(REDACTED)
  })
  fc.assert(property, { numRuns: 150 })
})

test('texts under nested keys, and by index at any level, are texts of their own', () => {
  const members: ((text: string) => string)[] = [
    (text) => `"a":{"b":"${text}"}`,
    (text) => `"b":{"a":"${text}"}`,
    (text) => `"a":{"index":1,"b":"${text}"}`,
    (text) => `"index":1,"a":{"b":"${text}"}`,
    (text) => `"a":{"b":"${text}","index":32}`,
    (text) => `"a":{"b":{"c":"${text}"}}`,
    // 31 times 'a' and 'b' is 31 times '`' and 129.
    (text) => `"\`":{"\u0081":"${text}"}`,
  ]
  const places = Object.values(PLACES).slice(0, 3)
  const stream = [...SECRET].flatMap((letter) =>
    places.flatMap((event) => members.map((member) => data(event(member(letter))))),
  )
  const { text } = runFilter([POLICY], [Buffer.from(stream.join('') + DONE)])
  const read = [...textsByPlace(text)].filter(([place]) => /"(?:a|b|c|\u0081)"$/.test(place))
  expect(read.length).toBe(places.length * members.length)
  for (const [place, one] of read) expect([place, one]).toEqual([place, REDACTED])
})

test('more choices and parts than anyone counts on are texts of their own', () => {
  const events: ((text: string) => string)[] = [0, 1, 32, 1_024, 1_056].flatMap((index) => [
    (text) => `{"choices":[{"index":${index},"delta":{"content":"${text}"}}]}`,
    (text) => `{"type":"x.delta","output_index":${index},"content_index":0,"delta":"${text}","index":7}`,
    (text) => `{"type":"x.delta","output_index":0,"content_index":${index + 1},"delta":"${text}","index":7}`,
  ])
  const stream = [...SECRET].flatMap((letter) => events.map((event) => data(event(letter))))
  const { text } = runFilter([POLICY], [Buffer.from(stream.join('') + DONE)])
  const read = new Map<string, string>()
  for (const one of eventsOf(text)) {
    if (typeof one !== 'object' || one === null) continue
    const { delta, output_index, content_index, choices } = one as Record<string, unknown>
    const [choice] = (choices ?? []) as { index: number; delta: { content: string } }[]
    const id = choice ? `${choice.index}` : `${output_index}/${content_index}`
    read.set(id, (read.get(id) ?? '') + (choice?.delta.content ?? delta))
  }
  expect(read.size).toBe(events.length)
  expect([...new Set(read.values())]).toEqual([REDACTED])
})

test('a member whose key collides with a known one changes nothing of how the rest is read', () => {
  const values = ['"stop"', '7', '{"a":1}', '[{"b":"c"}]', '["d"]']
  const places: Record<string, (member: string, text: string, n: number) => string> = {
    top: (member, text, n) => `{${member},"choices":[{"index":${n},"delta":{"content":"${text}"}}]}`,
    choice: (member, text, n) => `{"choices":[{${member},"index":${n},"delta":{"content":"${text}"}}]}`,
    delta: (member, text, n) => `{"choices":[{"index":${n},"delta":{${member},"content":"${text}"}}]}`,
    typed: (member, text, n) => `{"type":"x.delta","content_index":${n},${member},"delta":{"content":"${text}"}}`,
  }
  for (const event of Object.values(places)) {
    const stream = COLLISIONS.flatMap((key, n) =>
      [...SECRET].map((letter, i) => data(event(`"${key}":${values[i % values.length]}`, letter, n))),
    )
    const { text } = runFilter([POLICY], [Buffer.from(stream.join('') + DONE)])
    // Each key's events follow each other.
    const content = eventsOf(text).map((one) => textUnder('content', data(JSON.stringify(one))) ?? '')
    expect(content.join('')).toBe(REDACTED.repeat(COLLISIONS.length))
  }
})
