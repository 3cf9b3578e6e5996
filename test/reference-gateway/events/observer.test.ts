// Where events begin: the queue is bounded, and the next event says how many found no room.
import { expect, test } from 'vitest'
import { EventObserver, type PublishedEvents } from '../../../reference-gateway/events/observer.ts'
import { MetricsRecorder } from '../../../reference-gateway/metrics/recorder.ts'
import type { GatewayEvent } from '../../../src/wire/gateway-event.ts'
import { contextOf } from '../support/context.ts'

function observing(buffer: number) {
  const published: GatewayEvent[] = []
  const recorder = new MetricsRecorder()
  const observer = new EventObserver(
    { buffer, traces: false },
    {
      hasSubscribers: () => true,
      publish: (_channel, batch) => {
        const { events } = batch as PublishedEvents
        published.push(...events)
        recorder.recordAll(batch as PublishedEvents)
      },
    },
  )
  const end = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const context = contextOf({ method: 'POST', headers: {} }, '/chat/completions')
      observer.onStart(context)
      observer.onEnd(context)
    }
  }
  return { observer, published, recorder, end }
}

test('more requests than the buffer holds: the rest is dropped, counted, and reported', () => {
  const { observer, published, recorder, end } = observing(20)
  end(50)
  expect(observer.counts()).toEqual({ emitted: 50, dropped: 30 })
  observer.flush()
  end(5)
  observer.flush()
  end(25)
  observer.close()
  expect(observer.counts()).toMatchObject({ emitted: 80, dropped: 35 })
  expect(published).toHaveLength(45)
  const told = published.map(({ dropped_before }) => dropped_before)
  expect([told[0], told[20], told[25]]).toEqual([30, 0, 5])
  expect(told.reduce((sum, one) => sum + one)).toBe(35)
  // The metrics cover the events that were made.
  expect([...recorder.histograms.keys()]).toContain('event_emission')
})

test('an event that cannot be made is counted, and affects no other event', () => {
  const { observer, published, end } = observing(20)
  end(1)
  // Without headers the tenant is unknown, and the event cannot be made.
  const broken = contextOf({ method: 'POST' }, '/chat/completions')
  observer.onEnd(broken)
  end(1)
  observer.close()
  expect(published).toHaveLength(2)
  expect(observer.counts()).toEqual({ emitted: 3, dropped: 1 })
})
