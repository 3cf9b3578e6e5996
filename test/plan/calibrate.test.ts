// Calibration from one's own runs: what it finds again, what it cannot know and says, what it refuses.
import { describe, expect, test } from 'vitest'
import { answer } from '../../src/output/plan-table.ts'
import { calibrate } from '../../src/plan/calibrate/calibrate.ts'
import type { MeasuredRun } from '../../src/plan/calibrate/run.ts'
import { type Calibration, defaultChoices, makePlan } from '../../src/plan/plan.ts'
import { throughputAt } from '../../src/plan/usl/model.ts'
import { readSizing } from '../../src/planning/sizing.ts'
import { chatDemand } from '../support/plan.ts'

const I_W = 3e6
const O_W = 0.8e6

/** A worker of known costs, busy with requests of `mix` input tokens an output token. */
function run(mix: number, change: Partial<MeasuredRun> = {}): MeasuredRun {
  const outputTokensPerSec = (change.workers ?? 1) / (mix / I_W + 1 / O_W)
  return {
    label: `mix-${mix}.json`,
    source: `mix-${mix}.json`,
    workers: 1,
    concurrency: 64,
    stream: true,
    inputTokensPerSec: mix * outputTokensPerSec,
    outputTokensPerSec,
    eventsPerSec: outputTokensPerSec,
    bytesPerSec: outputTokensPerSec * 250,
    countedBy: 'usage',
    interTokenP50Ms: 20,
    failedShare: 0,
    clientOk: true,
    relativeError: 0.02,
    inFlight: undefined,
    gateway: undefined,
    ...change,
  }
}

function calibrated(runs: MeasuredRun[], streamedShare = 1): Calibration {
  const result = calibrate(runs, streamedShare, 4)
  if (!result.ok) throw new Error(result.why)
  return result.value
}

function refusal(runs: MeasuredRun[], streamedShare = 1): string {
  const result = calibrate(runs, streamedShare, 4)
  return result.ok ? 'calibrated' : result.why
}

test('two mixes give I_w, O_w, R and bytes per token back, each with an interval around it', () => {
  const { figures, notes } = calibrated([run(1), run(40)])
  expect(figures.outputPerWorker?.value).toBeCloseTo(O_W, 3)
  expect(figures.ratio?.value).toBeCloseTo(I_W / O_W, 9)
  expect(figures.outputBytesPerToken).toMatchObject({ value: expect.closeTo(250, 9), from: 'calibrated' })
  for (const { value, low = Number.NaN, high = Number.NaN } of [figures.outputPerWorker, figures.ratio].filter(
    (figure) => figure !== undefined,
  )) {
    expect(low).toBeLessThan(value)
    expect(high).toBeGreaterThan(value)
  }
  expect(notes.join()).toContain('I_w and O_w from mixes of input and output that differ')
})

test('one mix: O_w is measured, R cannot be identified and stays the vendor default, and that is said', () => {
  const { figures, notes } = calibrated([run(5), run(5.5)])
  expect(figures.ratio).toBeUndefined()
  expect(figures.outputPerWorker?.value).toBeGreaterThan(0)
  expect(notes.join()).toContain('cannot be told apart from one input:output mix: R stays the default 4')
})

test('the uncertainty is carried through to the workers: 43 (40-48) and the like', () => {
  const sizing = readSizing()
  const defaults = defaultChoices(sizing)
  const calibration = calibrated([run(1, { relativeError: 0.04 }), run(40, { relativeError: 0.04 })])
  const plan = makePlan(chatDemand(80e6, 10e6), sizing, {
    ...defaults,
    node: { ...defaults.node, bandwidthGbps: 1_000 },
    figures: { ...defaults.figures, ...calibration.figures },
    calibration,
  })
  const exact = 80e6 / I_W + 10e6 / O_W
  expect(plan.workers.raw).toBeCloseTo(exact, 6)
  const [low = 0, high = 0] = plan.workers.interval95 ?? []
  expect(low).toBeLessThan(exact)
  expect(high).toBeGreaterThan(exact)
  expect(high - low).toBeLessThan(exact * 0.3)
  expect(answer({ schema: 'kt.plan/1', kt: { version: '0' }, ...plan })).toMatch(/^40 workers \(\d+-\d+\); /)
  expect(plan.fleet.redundancy.parts.find(({ name }) => name === 'uncertainty')?.why).toContain('calibration')
})

describe('over worker counts, a scalability fit', () => {
  const model = { alpha: 0.02, beta: 2e-4, gamma: O_W }
  const at = (workers: number, mix: number): MeasuredRun => {
    const share = throughputAt(workers, model) / (workers * model.gamma)
    const full = run(mix, { workers })
    return {
      ...full,
      inputTokensPerSec: full.inputTokensPerSec * share,
      outputTokensPerSec: full.outputTokensPerSec * share,
      eventsPerSec: full.eventsPerSec * share,
      bytesPerSec: full.bytesPerSec * share,
    }
  }
  const runs = [1, 2, 4, 8, 16, 32].map((workers) => at(workers, 5))

  test('is used for the need, and says the contention', () => {
    const calibration = calibrated(runs)
    expect(calibration.scaling?.model.alpha).toBeCloseTo(0.02, 3)
    expect(calibration.notes.join()).toContain('over worker counts up to 32: contention 2.00 %')
  })

  test('a load beyond the peak is split into groups: scale out', () => {
    const sizing = readSizing()
    const defaults = defaultChoices(sizing)
    const calibration = calibrated(runs)
    const plan = makePlan(chatDemand(160e6, 40e6), sizing, {
      ...defaults,
      figures: { ...defaults.figures, ...calibration.figures },
      calibration,
    })
    expect(plan.calibration?.groups).toBeGreaterThan(1)
    expect(plan.workers.raw).toBeGreaterThan((160e6 / 4 + 40e6) / O_W)
  })

  test('superlinear counts are refused', () => {
    const wrong = runs.map((r, i) =>
      i === 3
        ? {
            ...r,
            inputTokensPerSec: r.inputTokensPerSec * 2,
            outputTokensPerSec: r.outputTokensPerSec * 2,
            eventsPerSec: r.eventsPerSec * 2,
          }
        : r,
    )
    expect(refusal(wrong)).toContain('superlinear')
  })
})

test('over concurrency: it caps the worker, and growth over workers stays an assumption', () => {
  const model = { alpha: 0.05, beta: 1e-3, gamma: 60_000 }
  const runs = [1, 4, 8, 16, 32, 64].map((concurrency) => {
    const share = throughputAt(concurrency, model) / (run(5).inputTokensPerSec / 4 + run(5).outputTokensPerSec)
    return run(5, {
      concurrency,
      inputTokensPerSec: run(5).inputTokensPerSec * share,
      outputTokensPerSec: run(5).outputTokensPerSec * share,
      eventsPerSec: run(5).eventsPerSec * share,
    })
  })
  const { notes, scaling, figures } = calibrated(runs)
  expect(notes.join()).toContain('over concurrency up to 64, 1 worker: throughput peaks at 31 in flight')
  expect(notes.join()).toContain('that more of them pass as much each is an assumption')
  expect(scaling).toBeUndefined()
  expect(figures.outputPerWorker?.value).toBeCloseTo(throughputAt(30.8, model), -2)
})

test.each<[string, MeasuredRun[], number, string]>([
  ['coalesced streams', [run(1, { eventsPerSec: 1e5 })], 1, 'coalesced'],
  ['unpaced streams', [run(1, { interTokenP50Ms: 0.05 })], 1, 'not paced (median gap 0.05 ms)'],
  [
    'whole answers for streamed traffic',
    [run(1, { stream: false, interTokenP50Ms: undefined })],
    1,
    'it was not streamed',
  ],
  ['failures', [run(1, { failedShare: 0.05 })], 1, '5 % of its requests failed'],
  ['a saturated client', [run(1, { clientOk: false })], 1, 'measured itself and not the gateway'],
])('%s are refused', (_, runs, streamedShare, why) => {
  expect(refusal(runs, streamedShare)).toContain(why)
})

test('whole answers do calibrate traffic that is not streamed', () => {
  expect(
    calibrated([run(1, { stream: false, eventsPerSec: 10, interTokenP50Ms: undefined }), run(40, { stream: false })], 0)
      .figures.ratio?.value,
  ).toBeCloseTo(I_W / O_W, 6)
})

describe('the levels of a sweep', () => {
  const MIB = 1024 ** 2
  /** A worker that holds 100 MiB and 0.5 MiB a stream, of which `concurrency` are open; half busy at the most. */
  const level = (concurrency: number, change: Partial<MeasuredRun> = {}): MeasuredRun => {
    const full = run(5)
    const busy = concurrency / 100
    return run(5, {
      label: `s.json at ${concurrency} in flight`,
      source: 's.json',
      concurrency,
      inFlight: concurrency,
      gateway: { cpuCores: busy, rssBytes: (100 + 0.5 * concurrency + (concurrency % 3) * 0.1) * MIB },
      inputTokensPerSec: full.inputTokensPerSec * busy,
      outputTokensPerSec: full.outputTokensPerSec * busy,
      eventsPerSec: full.eventsPerSec * busy,
      bytesPerSec: full.bytesPerSec * busy,
      ...change,
    })
  }
  const levels = [5, 10, 20, 50].map((concurrency) => level(concurrency))

  test('a worker that was not used up: its capacity follows from its CPU, which is called an assumption', () => {
    const { figures, notes } = calibrated(levels)
    const full = run(5)
    const worth = full.inputTokensPerSec / 4 + full.outputTokensPerSec
    expect(figures.outputPerWorker?.value).toBeCloseTo(worth, 3)
    expect(notes.join()).toContain('s.json at 50 in flight: the worker was 50 % busy where most passed')
    expect(notes.join()).not.toContain('taken to have kept the workers busy')
  })

  test('memory at rest and of a stream: the slope, with its interval', () => {
    const { bytesPerStream, baseBytesPerWorker } = calibrated(levels).figures
    expect(bytesPerStream?.value).toBeGreaterThan(0.45 * MIB)
    expect(bytesPerStream?.value).toBeLessThan(0.55 * MIB)
    expect(bytesPerStream?.low).toBeLessThan(0.5 * MIB)
    expect(bytesPerStream?.high).toBeGreaterThan(0.5 * MIB)
    expect(baseBytesPerWorker?.value).toBeCloseTo(100 * MIB, -6)
  })

  test('memory that the streams do not explain, or that is not known, calibrates nothing', () => {
    const noisy = levels.map((run, i) => ({
      ...run,
      gateway: { cpuCores: 0.5, rssBytes: (i % 2 === 0 ? 180 : 120) * MIB },
    }))
    const { figures, notes } = calibrated(noisy)
    expect(figures.bytesPerStream).toBeUndefined()
    expect(notes.join()).toContain('memory per stream cannot be told from noise')
    expect(calibrated([run(1), run(40)]).figures.bytesPerStream).toBeUndefined()
  })

  test('unusable levels are left out, with a note; where none is usable the first reason is given', () => {
    const failing = level(90, { failedShare: 0.4 })
    const { figures, notes } = calibrated([...levels, failing])
    expect(figures.outputPerWorker?.value).toBeCloseTo(calibrated(levels).figures.outputPerWorker?.value ?? 0, 3)
    expect(notes.join()).toContain('s.json: 1 of 5 levels left out (40 % of its requests failed')
    expect(refusal([failing, level(95, { clientOk: false })])).toContain('s.json: 40 % of its requests failed')
  })
})
