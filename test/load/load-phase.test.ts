// A phase begins at an instant that is told to it, and its first request is prepared ahead of it as all others are.
import { expect, it } from 'vitest'
import { LoadPhase } from '../../src/load/load-phase.ts'
import { flatRamp } from '../../src/schedule/ramp.ts'
import { closedLoop, fixedSlots, openLoop, type Schedule } from '../../src/schedule/schedule.ts'

const START_US = 1_000
const LEAD_US = 100
const paced = (limits: { requests?: number }): Schedule =>
  openLoop(flatRamp(100), limits, { kind: 'constant', burstiness: 1 }, 1)

function phase(open: boolean, schedule: Schedule, unlimited: Schedule) {
  const seen = { wokenAt: [] as number[], sentAt: [] as number[] }
  const clock = { us: 0 }
  const pacing = {
    ...{ open, schedule, unlimited, slotsAt: fixedSlots(1), thinkUs: 0 },
    ...{ durationUs: Number.POSITIVE_INFINITY, coolDownUs: 0, drainUs: 0, owedUs: 0 },
  }
  const load = new LoadPhase(pacing, START_US, {
    clock: () => clock.us,
    wakeAt: (us) => seen.wokenAt.push(us),
    sendLeadTimeUs: () => LEAD_US,
    stopped: () => false,
    heldUntilUs: () => Number.NEGATIVE_INFINITY,
    send: (_, nowUs) => seen.sentAt.push(nowUs),
    neverSent: () => {},
    heldBack: () => {},
  })
  return { load, clock, seen }
}

it.each([
  ['open', true, paced({ requests: 1 }), paced({})],
  ['closed', false, closedLoop({ requests: 1 }), closedLoop({})],
] as const)('the first request of a phase in a loop that is %s', (_, open, schedule, unlimited) => {
  const { load, clock, seen } = phase(open, schedule, unlimited)
  void load.run()
  expect(seen).toEqual({ wokenAt: [START_US - LEAD_US], sentAt: [] })
  clock.us = START_US - LEAD_US
  load.pump(true)
  // Its socket gets it when it is due, not before.
  expect(seen.sentAt).toEqual([START_US])
})
