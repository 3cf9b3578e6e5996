// Results as a stream hands them out: in pieces, twice, in another order.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InOrder } from '../../../src/load/fleet/in-order.ts'
import { pieces, read, resultSchema, SUBJECTS, write } from '../../../src/load/fleet/protocol.ts'

test('each result comes out once, those of a worker in their order, however the pieces come', () => {
  const arrivals = fc.record({
    results: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 12 }),
    size: fc.integer({ min: 8, max: 200 }),
    seed: fc.integer(),
  })
  fc.assert(
    fc.property(arrivals, ({ results, size, seed }) => {
      const numbers = new Map<number, number>()
      const all = results.flatMap((worker, job) => {
        const number = numbers.get(worker) ?? 0
        numbers.set(worker, number + 1)
        const parts = [...pieces(write({ job, message: { type: 'ready' } }), size)]
        return parts.map((bytes, part) => ({ worker, data: write({ number, part, parts: parts.length, bytes }) }))
      })
      const twice = [...all, ...all].map((piece, i) => ({ ...piece, key: Math.sin(seed + i * 7.13) }))
      const heard: [number, number][] = []
      const order = new InOrder((worker, result) => heard.push([worker, result.ok ? result.value.job : -1]))
      for (const { worker, data } of twice.sort((a, b) => a.key - b.key))
        order.take(SUBJECTS.results('r', worker), data)
      for (const worker of new Set(results)) {
        const sent = results.flatMap((each, job) => (each === worker ? [job] : []))
        expect(heard.filter(([from]) => from === worker).map(([, job]) => job)).toEqual(sent)
      }
    }),
    { numRuns: 200 },
  )
})

test.each([
  ['no format of V8', new Uint8Array([1, 2, 3])],
  ['another shape', write({ job: 1, message: { type: 'ready', more: 1 } })],
  ['a text for a number', write({ job: 'x', message: { type: 'ready' } })],
  ['a record without arms', write({ job: 1, message: { type: 'done', record: {} } })],
])('%s is refused with a reason', (_, bytes) => {
  expect(read(resultSchema, bytes, 'a result')).toEqual({ ok: false, why: expect.stringContaining('a result') })
})
