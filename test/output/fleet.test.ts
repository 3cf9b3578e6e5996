// What is said of a fleet: of one that waits, and of the one that sent a run.
import { expect, test } from 'vitest'
import { fleetLine } from '../../src/output/fleet-line.ts'
import { renderFleetStatus } from '../../src/output/fleet-table.ts'
import { makePage } from '../../src/output/table.ts'
import { FLEET_STATUS_SCHEMA, type FleetStatus } from '../../src/report/fleet-schema.ts'
import type { BenchReport } from '../../src/report/schema.ts'

const waiting: FleetStatus['workers'][number] = {
  ...{ name: 'rack-1', labels: { zone: 'a' }, version: '0.1.0', node: '24.21.0', cores: 8, load: 0.5, run: null },
  ...{ offsetMs: -3.25, offsetErrorMs: 0.2, roundTripMs: 0.4 },
}
const status: FleetStatus = {
  ...{ schema: FLEET_STATUS_SCHEMA, kt: '0.1.0', broker: 'nats://10.0.0.1:4222' },
  workers: [waiting, { ...waiting, name: 'rack-2', version: '0.0.9', run: 'abc', offsetMs: null, roundTripMs: null }],
  kept: ['lost-1'],
}

test('workers that wait: who is free, whose version is apart, and what can be collected', () => {
  const text = renderFleetStatus(status, makePage(100, false))
  expect(text).toMatch(/^2 fleet workers at nats:\/\/10\.0\.0\.1:4222, 1 free$/m)
  expect(text).toMatch(/rack-1 +0\.1\.0 +8 +0\.50 +-3\.25 ±0\.200 +0\.400 +zone=a +free/)
  expect(text).toMatch(/rack-2 +0\.0\.9 .* no answer .* abc/)
  expect(text).toContain('refused: rack-2 (0.0.9)')
  expect(text).toContain('(kt fleet collect RUN): lost-1')
  for (const line of renderFleetStatus(status, makePage(60, false)).split('\n'))
    expect(line.length).toBeLessThanOrEqual(60)
})

const sent: NonNullable<BenchReport['fleet']>['workers'][number] = {
  ...{ name: 'rack-1', node: '24.21.0', cores: 8, sent: 100, offsetMs: 4, offsetErrorMs: 0.2, driftMs: 0 },
  ...{ roundTripMs: 0.4, lateMs: 0, sendLagP99Ms: 0.1, achievedToOffered: 1, eventLoopUtilization: 0.31 },
  ...{ pressure: 0.1, starvedMs: 0 },
}

test('a fleet that sent: how far apart it began, and a warning with the name of whoever was not there', () => {
  const fleet = { run: 'r', beginErrorMs: 0.4, faults: [], workers: [sent, { ...sent, offsetErrorMs: 0.6 }] }
  expect(fleetLine({ fleet })).toEqual({
    text:
      '2 workers, which began within 0.400 ms of each other; clocks known within 0.600 ms; ' +
      'the busiest thread 31 % busy',
    warn: false,
  })
  const lost = fleetLine({ fleet: { ...fleet, faults: ['worker w2: it was not heard of for 4 s'] } })
  expect(lost).toMatchObject({ text: expect.stringMatching(/; worker w2: it was not heard of for 4 s$/), warn: true })
  expect(fleetLine({})).toBeUndefined()
})
