// The ring and its readers: writing never waits, each reader has its own pace, and lost events are counted.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Drain } from '../../../reference-gateway/events/drain.ts'
import { EventRing } from '../../../reference-gateway/events/ring.ts'
import type { GatewayEvent } from '../../../src/wire/gateway-event.ts'
import { until } from '../../support/waits.ts'
import { wait } from '../support/upstream.ts'
import { numbered } from './support.ts'

test('property: a reader gets every event once and in order, or is told how many it lost', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ read: fc.integer({ min: 1, max: 12 }) }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 40 }), (capacity, steps) => {
      const ring = new EventRing(capacity)
      const reader = ring.reader(() => {})
      let pushed = 0
      let expected = 0
      const take = (most: number): void => {
        const { events, dropped } = reader.read(most)
        expected += dropped
        for (const one of events) expect(one.request_id).toBe(String(expected++))
      }
      for (const one of steps) {
        if ('push' in one) for (let i = 0; i < one.push; i++) ring.push(numbered(pushed++))
        else take(one.read)
      }
      while (reader.behind > 0) take(5)
      expect(expected).toBe(pushed)
    }),
  )
})

test('property: what lost events told of losses before them is told by the next one that is read', () => {
  const losses = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 })
  const steps = fc.array(fc.oneof(losses, fc.constant('read' as const)), { maxLength: 20 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), steps, (capacity, given) => {
      const ring = new EventRing(capacity)
      ring.push({ ...numbered(0), dropped_before: 5 })
      const reader = ring.reader(() => {})
      let all = 0
      let told = 0
      let read = 0
      const take = (most: number): void => {
        const { events, dropped } = reader.read(most)
        read += events.length
        told += dropped + events.reduce((sum, one) => sum + one.dropped_before, 0)
      }
      for (const step of given) {
        if (step === 'read') take(3)
        else for (const lost of step) ring.push({ ...numbered(0), dropped_before: lost })
        if (step !== 'read') all += step.reduce((sum, one) => sum + 1 + one, 0)
      }
      while (reader.behind > 0) take(2)
      expect(told + read).toBe(all)
    }),
  )
})

test('a reader starts at the newest event; recent() returns the kept events, oldest first', () => {
  const ring = new EventRing(3)
  for (const n of [1, 2, 3, 4]) ring.push(numbered(n))
  const reader = ring.reader(() => {})
  ring.push(numbered(5))
  expect(reader.read(10).events.map((one) => one.request_id)).toEqual(['5'])
  expect(ring.recent().map((one) => one.request_id)).toEqual(['3', '4', '5'])
})

test('a stuck sink loses its own events and reports them; another sink gets all', async () => {
  const ring = new EventRing(50)
  const [good, stuck]: GatewayEvent[][] = [[], []]
  let unstick = (): void => {}
  const fine = new Drain(ring, (events) => void good?.push(...events))
  const slow = new Drain(ring, async (events) => {
    if (stuck?.length === 0) await new Promise<void>((resolve) => (unstick = resolve))
    stuck?.push(...events)
  })
  for (let n = 0; n < 200; n++) {
    ring.push(numbered(n))
    if (n % 20 === 19) await wait(30)
  }
  await until(() => good?.length === 200)
  unstick()
  await slow.close(1_000)
  await fine.close(1_000)
  expect(fine.dropped).toBe(0)
  expect(slow.dropped).toBeGreaterThan(100)
  expect((stuck?.length ?? 0) + slow.dropped).toBe(200)
  const told = stuck?.reduce((sum, one) => sum + one.dropped_before, 0)
  expect(told).toBe(slow.dropped)
})

test('a batch that fails is lost and counted, and the next one says so', async () => {
  const ring = new EventRing(50)
  const got: GatewayEvent[] = []
  let fails = true
  const drain = new Drain(ring, async (events) => {
    if (fails) throw new Error('no')
    got.push(...events)
  })
  for (const n of [1, 2, 3]) ring.push(numbered(n))
  await until(() => drain.dropped === 3)
  fails = false
  ring.push(numbered(4))
  await drain.close(1_000)
  expect(got).toMatchObject([{ request_id: '4', dropped_before: 3 }])
})

test('closing delivers the remaining events, and does not wait forever', async () => {
  const ring = new EventRing(500)
  let count = 0
  const drain = new Drain(ring, async (events) => {
    await wait(1)
    count += events.length
  })
  for (let n = 0; n < 300; n++) ring.push(numbered(n))
  await drain.close(2_000)
  expect(count).toBe(300)
  const never = new Drain(ring, () => new Promise(() => {}))
  ring.push(numbered(0))
  const startMs = performance.now()
  await never.close(50)
  expect(performance.now() - startMs).toBeLessThan(1_000)
})
