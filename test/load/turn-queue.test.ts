import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TurnQueue } from '../../src/load/turn-queue.ts'

it('gives the earliest first, however they were added and taken', () => {
  const steps = fc.array(fc.option(fc.integer({ min: 0, max: 50 }), { freq: 3 }))
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new TurnQueue<{ atUs: number }>()
      const waiting: number[] = []
      for (const atUs of all) {
        if (atUs === null) {
          waiting.sort((a, b) => a - b)
          expect(queue.first()?.atUs).toBe(waiting[0])
          expect(queue.take()?.atUs).toBe(waiting.shift())
        } else {
          queue.add({ atUs })
          waiting.push(atUs)
        }
        expect(queue.length).toBe(waiting.length)
      }
    }),
  )
})

it('drops what is not to come, and keeps the order of the rest', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (all) => {
      const queue = new TurnQueue<{ atUs: number }>()
      for (const atUs of all) queue.add({ atUs })
      const kept = all.filter((atUs) => atUs % 3 !== 0).sort((a, b) => a - b)
      expect(queue.drop(({ atUs }) => atUs % 3 === 0)).toBe(all.length - kept.length)
      expect(kept.map(() => queue.take()?.atUs)).toEqual(kept)
      expect(queue.length).toBe(0)
    }),
  )
})
