import { mkdirSync, rmSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import { afterAll, afterEach, expect, it } from 'vitest'
import { givenReader, givenRequests } from '../../src/workload/given.ts'
import {
  bytesOf,
  drawPlaces,
  heldInMemory,
  pickTexts,
  type TextStore,
  TextWriter,
  textReader,
} from '../../src/workload/texts.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
const { TMPDIR } = process.env
afterEach(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
})
afterAll(dir.remove)

const LETTERS = ['a', 'é', '漢', '😀', '"']

function write(texts: Iterable<string>): TextStore {
  const writer = new TextWriter()
  for (const text of texts) writer.add(text)
  return writer.finish()
}

/** Texts of many lengths, of one byte a letter and of several, among them one that is longer than a block. */
const many = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => {
    return `${i}:${(LETTERS[i % LETTERS.length] ?? '').repeat(i === 7 ? 600_000 : i % 3000)}`
  })

it.each([
  ['few, in shared memory', 5, 'bytes'],
  ['many, in a file', 4000, 'file'],
])('gives back every text as it was: %s', (_, count, kept) => {
  const texts = many(count)
  const store = write(texts)
  expect(Object.keys(store.kept)).toEqual([kept])
  // As a thread gets it.
  const read = textReader(structuredClone(store))
  for (const [place, text] of texts.entries()) if (read(place) !== text) expect(read(place)).toBe(text)
  expect(read(count - 1)).toBe(texts.at(-1))
  expect(read(0)).toBe('0:')
})

it('those that were picked of a file cross to another machine without it', () => {
  const texts = many(4000)
  const store = write(texts)
  const places = drawPlaces(texts.length, 300, 3)
  const picked = pickTexts(store, places)
  const own = texts.filter((_, place) => places.includes(place))
  expect(bytesOf(picked)).toBe(own.reduce((sum, text) => sum + Buffer.byteLength(text), 0))
  const read = textReader(deserialize(serialize(heldInMemory(picked))))
  expect([...places].map((_, i) => read(i))).toEqual([...places].map((place) => texts[place]))
  const few = write(many(5))
  expect(heldInMemory(few)).toBe(few)
})

it('draws as many as asked, none twice, the same ones by the same seed', () => {
  const places = drawPlaces(1000, 100, 7)
  expect(new Set(places).size).toBe(100)
  expect(drawPlaces(1000, 100, 7)).toEqual(places)
  expect(drawPlaces(1000, 100, 8)).not.toEqual(places)
  expect([...drawPlaces(10, 99, 7)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  // Each has the same chance: over many draws no place is far from its expected number, a tenth of them.
  const times = new Uint32Array(20)
  for (let seed = 0; seed < 2000; seed++)
    for (const place of drawPlaces(20, 2, seed)) times[place] = (times[place] ?? 0) + 1
  for (const count of times) expect(Math.abs(count - 200)).toBeLessThan(5 * Math.sqrt(180))
})

it('picks texts in the order drawn', () => {
  const texts = many(50)
  const places = drawPlaces(50, 5, 3)
  const read = textReader(pickTexts(write(texts), places))
  expect([...places].map((_, i) => read(i))).toEqual([...places].map((place) => texts[place]))
})

it('keeps the output tokens of a request with it where requests are drawn', () => {
  const templates = Array.from({ length: 30 }, (_, i) => {
    return { before: `b${i}`, after: `a${i}`, ...(i % 2 === 0 ? { outputTokens: i + 1 } : {}) }
  })
  const given = givenRequests(templates, { count: 12, seed: 5 })
  const read = givenReader(given)
  const drawn = Array.from({ length: 12 }, (_, i) => [...read(i), given.outputs?.[i]])
  expect(drawn).toEqual(
    [...drawPlaces(30, 12, 5)].map((place) => [`b${place}`, `a${place}`, place % 2 === 0 ? place + 1 : 0]),
  )
})

it('says where there is no place for a file', () => {
  const gone = dir.file('gone')
  mkdirSync(gone)
  rmSync(gone, { recursive: true })
  process.env.TMPDIR = gone
  expect(() => write(many(4000))).toThrow(`cannot keep the prompts in a file under ${gone}: no such file or folder`)
})
