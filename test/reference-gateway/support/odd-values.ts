/** Requests and responses in which some value has the wrong type, drawn from a seed. */
import type { Random } from '../../../src/stats/random.ts'

export function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[Math.floor(random() * from.length)] ?? from[0]
}

/** Stands for nesting that JSON.stringify itself would not survive. */
const DEEP = '@deep'
const DEPTH = 20_000

const ODD: readonly [unknown, ...unknown[]] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  '',
  'text',
  '\ud800',
  'x\udc00y',
  '\u0000\r\nset-cookie: a=b',
  '__proto__',
  'data:image/png;base64,AAAA',
  'Mail me: a.b@example.org',
  'forbidden-word',
  'x'.repeat(70_000),
  [],
  [[]],
  [null],
  ['text', 1, {}],
  {},
  { toString: 1, valueOf: 1 },
  JSON.parse('{"toJSON":1,"then":1}'),
  JSON.parse('{"__proto__":{"toString":1},"constructor":1}'),
  { type: 'text', text: { text: 'a' } },
  { type: { toString: 1, valueOf: 1 } },
  { error: 'text' },
  { error: { message: 1, type: [], code: {} } },
  '{"a":'.repeat(DEPTH) + '1'.padEnd(DEPTH + 1, '}'),
  '['.repeat(DEPTH),
  '{"a":1,"a":2}',
  '[1]',
  DEEP,
]

/** A copy of `value` with one to three of its members replaced, removed, renamed or put into a list. */
export function odd(value: unknown, random: Random): unknown {
  const top: Place = { holder: { value: structuredClone(value) }, key: 'value' }
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    const { holder, key } = pick(random, [top, ...placesIn(top.holder.value)])
    const kind = random()
    if (kind < 0.7) holder[key] = structuredClone(pick(random, ODD))
    else if (kind < 0.8) delete holder[key]
    else if (kind < 0.9) holder[key] = [holder[key], holder[key]]
    else holder[pick(random, ['type', 'text', 'content', 'arguments', 'id', '__proto__', ''])] = holder[key]
  }
  return top.holder.value
}

/** The bytes that are sent. */
export function written(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null'
  return text.replaceAll(`"${DEEP}"`, () => '['.repeat(DEPTH) + ']'.repeat(DEPTH))
}

interface Place {
  holder: Record<string, unknown>
  key: string
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Record<string, unknown>
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesIn(holder[key])])
}
