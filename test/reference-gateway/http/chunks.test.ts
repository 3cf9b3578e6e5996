import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Tail } from '../../../reference-gateway/http/chunks.ts'

test('property: the tail is what the last bytes are, however the body is cut', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 9_000 }), { maxLength: 40 })
  const most = fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.constant(Number.POSITIVE_INFINITY))
  fc.assert(
    fc.property(pieces, most, (parts, limit) => {
      const tail = new Tail(limit)
      const whole: Buffer[] = []
      for (const part of parts) {
        const piece = Buffer.from(part)
        whole.push(Buffer.from(piece))
        tail.push(piece)
        // It keeps its own copy.
        piece.fill(0)
        const body = Buffer.concat(whole)
        expect(tail.read().equals(body.subarray(-limit))).toBe(true)
        expect(tail.isCut).toBe(body.length > limit)
      }
    }),
    { numRuns: 60 },
  )
})
