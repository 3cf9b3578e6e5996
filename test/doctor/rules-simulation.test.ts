// How often each measured rule errs, by seeded simulation of what the doctor measures: it finds nothing at plain
// endpoints, whatever their times, and finds its fault where there is one.
import { describe, expect, it } from 'vitest'
import { askRule } from '../../src/doctor/doctor.ts'
import type { Measurements } from '../../src/doctor/probe/measured.ts'
import { RULES } from '../../src/doctor/rules.ts'
import { simulatedRuns } from '../support/simulated-runs.ts'
import { type Faults, SHAPES, simulateEndpoint } from './simulated-endpoint.ts'

/**
 * Of 2,000 examinations a rule that errs in 2 % of them has fewer than 20 by chance with 0.02 %, and one that finds 90
 * of 100 finds 380 of 400 with 0.02 % (binomial).
 */
const RUNS = simulatedRuns(500, 2_000)
const MEASURED = RULES.filter(({ measure }) => typeof measure !== 'string')

/** The rules that find something. */
function found(measured: Measurements): string[] {
  return MEASURED.filter((rule) => {
    const { status } = askRule(rule, { file: undefined, report: undefined, measured, failure: null })
    return status === 'found'
  }).map(({ id }) => id)
}

describe.each([true, false])('at a plain endpoint, with its provider known: %s', (known) => {
  it.each(SHAPES)('with %s times no rule gives a false alarm in 1 % of the examinations', (shape) => {
    const alarms = new Map(MEASURED.map(({ id }) => [id, 0]))
    for (let run = 0; run < RUNS; run++) {
      for (const rule of found(simulateEndpoint(`${shape}/${known}/${run}`, shape, { known }))) {
        alarms.set(rule, (alarms.get(rule) ?? 0) + 1)
      }
    }
    const often = [...alarms].filter(([, count]) => count > 0)
    process.stdout.write(
      `plain, ${shape}, known ${known}, ${RUNS} runs: ${often.map((one) => one.join(' ')).join(', ') || 'none'}\n`,
    )
    expect(often.filter(([, count]) => count >= RUNS / 100)).toEqual([])
  })
})

const FAULTS: [rule: string, faults: Faults][] = [
  ['new-connection-per-request', { newConnections: true }],
  ['no-keep-alive', { newUpstream: true }],
  ['no-warm-up', { cold: true }],
  ['http1-upstream', { http1: true }],
  ['cache-disabled', { cachesNothing: true }],
  ['shared-cache', { sharesCache: true }],
  ['synchronous-events', { endMs: 30 }],
  ['unbounded-policy-timeout', { stallMs: 150 }],
  ['fake-streaming', { buffers: true }],
  ['fixed-timer-ttft', { timerMs: 25 }],
  ['fixed-timer-ttft', { timerMs: 100 }],
  ['delayed-ack', { nagle: true }],
  ['held-tokens', { lookahead: true }],
  ['lost-events', { loses: 1 }],
  ['lost-events', { overtakes: true }],
  ['merged-events', { merges: true }],
  ['missing-usage', { noUsage: true }],
  ['missing-done', { noDone: true }],
  ['disconnect-ignored', { ignoresLeaving: true }],
  ['server-timing-seconds', { secondsForMs: true }],
]

it.each(FAULTS)('finds %s in 95 of 100 quiet gateways that have it (%j)', (rule, faults) => {
  const runs = RUNS / 5
  let hits = 0
  for (let run = 0; run < runs; run++) {
    const shape = SHAPES[run % 2 === 0 ? 0 : 2]
    if (found(simulateEndpoint(`${rule}/${run}`, shape, { quiet: true, ...faults })).includes(rule)) hits++
  }
  process.stdout.write(`${rule}: found in ${hits} of ${runs}\n`)
  expect(hits).toBeGreaterThanOrEqual(0.95 * runs)
})

it('has a fault for every measured rule', () => {
  expect(new Set(FAULTS.map(([rule]) => rule))).toEqual(new Set(MEASURED.map(({ id }) => id)))
})
