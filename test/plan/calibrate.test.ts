// Calibration from one's own runs: what it finds again, what it cannot know and says, what it refuses.
import { describe, expect, test } from 'vitest'
import { planAnswer } from '../../src/output/plan-answer.ts'
import { calibrate } from '../../src/plan/calibrate/calibrate.ts'
import type { MeasuredRun } from '../../src/plan/calibrate/run.ts'
import { defaultChoices, makePlan } from '../../src/plan/plan.ts'
import type { Calibration } from '../../src/plan/uncertainty.ts'
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
    requestsPerSec: outputTokensPerSec / 50,
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
    saturated: true,
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
  expect(figures.outputPerWorker?.value).toBeCloseTo(O_W, 2)
  expect(figures.ratio?.value).toBeCloseTo(I_W / O_W, 9)
  expect(figures.outputBytesPerToken).toMatchObject({ value: expect.closeTo(250, 9), from: 'calibrated' })
  const { value = Number.NaN, low, high } = figures.outputPerWorker ?? {}
  expect(low).toBeLessThan(value)
  // All of it could be the cost of requests, by two mixes: how much more a worker may pass stays open.
  expect(high).toBeUndefined()
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
  expect(high).toBeLessThan(exact * 1.15)
  expect(planAnswer({ schema: 'kt.plan/1', kt: { version: '0' }, ...plan }).join('\n')).toMatch(
    /^Formula, calibrated: 40 workers \(\d+-\d+\), /m,
  )
  expect(plan.fleet.redundancy.parts.find(({ name }) => name === 'uncertainty')?.why).toContain('calibration')
})

describe('over worker counts on one host', () => {
  const model = { alpha: 0.02, beta: 0, gamma: 1 }
  /** `workers` that take from each other: 2 % of contention. */
  const at = (workers: number, mix: number): MeasuredRun => {
    const share = throughputAt(workers, model) / workers
    const full = run(mix, { workers })
    return {
      ...full,
      inputTokensPerSec: full.inputTokensPerSec * share,
      outputTokensPerSec: full.outputTokensPerSec * share,
      requestsPerSec: full.requestsPerSec * share,
      eventsPerSec: full.eventsPerSec * share,
      bytesPerSec: full.bytesPerSec * share,
    }
  }
  const runs = [1, 2, 4, 8].flatMap((workers) => [at(workers, 1), at(workers, 40)])

  test('one worker a pod counts: the contention of the host is shown, and not carried to a fleet', () => {
    const { figures, notes } = calibrated(runs)
    expect(figures.outputPerWorker?.value).toBeCloseTo(O_W, 2)
    expect(figures.ratio?.value).toBeCloseTo(I_W / O_W, 9)
    expect(notes.join()).toContain('8 workers on one host take 14 % more CPU for the same tokens: not counted')
  })

  test('four times the load never needs fewer workers than twice', () => {
    const sizing = readSizing()
    const defaults = defaultChoices(sizing)
    const calibration = calibrated(runs)
    const figures = { ...defaults.figures, ...calibration.figures }
    const { workers } = makePlan(chatDemand(80e6, 10e6), sizing, { ...defaults, figures, calibration })
    // 80M / 3M + 10M / 0.8M
    expect(workers.raw).toBeCloseTo(39.1667, 3)
    expect([workers.min, workers.max]).toEqual([79, 157])
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
  const { notes, figures } = calibrated(runs)
  expect(notes.join()).toContain('over concurrency up to 64, 1 worker: throughput peaks at 31 in flight')
  expect(notes.join()).toContain('that pods on many hosts pass as much each is an assumption')
  expect(figures.outputPerWorker?.value).toBeCloseTo(throughputAt(30.8, model), -2)
})

describe('runs that did not load their workers say nothing of full ones', () => {
  const idle = (cpuCores: number) => run(5, { gateway: { cpuCores, rssBytes: 1e8 }, saturated: undefined })

  test.each<[string, MeasuredRun[], string]>([
    ['a worker that idles', [idle(0.03)], 'its workers were at most 3 % busy: that is idling'],
    ['nobody waited', [run(1, { saturated: false }), run(40)], 'its requests did not wait for the gateway'],
    ['not known', [run(1, { saturated: undefined })], 'whether its workers were busy is not known'],
  ])('%s', (_, runs, why) => {
    expect(refusal(runs)).toContain(why)
  })
})

test('a worker that was 13 % busy passes at least what it passed: the interval reaches up to that', () => {
  const calibration = calibrated([run(5, { gateway: { cpuCores: 0.13, rssBytes: 1e8 }, saturated: undefined })])
  const passed = run(5)
  const load = { requests: passed.requestsPerSec, input: passed.inputTokensPerSec, output: passed.outputTokensPerSec }
  const [low, high] = calibration.interval95({ ...load, events: passed.eventsPerSec })
  // The same load again: one worker carried it, and by its CPU 0.13 of one would.
  expect(high).toBeCloseTo(1, 2)
  expect(low).toBeLessThan(0.13)
  expect(calibration.notes.join()).toContain('the busiest worker was 13 % busy, which says little of a full one')
})

test('a cost of each request is found with three mixes, and left open with two', () => {
  const perRequest = 0.0005
  const level = (input: number, output: number, busy: number): MeasuredRun => {
    const requestsPerSec = busy / (perRequest + input / I_W + output / O_W)
    const outputTokensPerSec = requestsPerSec * output
    return run(1, {
      source: `${input}.json`,
      requestsPerSec,
      inputTokensPerSec: requestsPerSec * input,
      outputTokensPerSec,
      eventsPerSec: outputTokensPerSec,
      bytesPerSec: outputTokensPerSec * 250,
      gateway: { cpuCores: busy, rssBytes: 1e8 },
    })
  }
  const sweep = (input: number, output: number) => [0.2, 0.4, 0.6, 0.8].map((busy) => level(input, output, busy))
  const load = { requests: 1_000, input: 1_688_000, output: 211_000, events: 211_000 }
  const truth = 1_000 * perRequest + load.input / I_W + load.output / O_W
  const three = calibrated([...sweep(100, 50), ...sweep(4_000, 25), ...sweep(20, 400)])
  expect(three.figures.requestCpuMs?.value).toBeCloseTo(0.5, 6)
  expect(three.figures.outputPerWorker?.value).toBeCloseTo(O_W, 0)
  expect(three.interval95(load)[0]).toBeGreaterThan(truth * 0.97)
  expect(three.interval95(load)[1]).toBeLessThan(truth * 1.03)
  const two = calibrated([...sweep(100, 50), ...sweep(4_000, 25)])
  expect(two.figures.requestCpuMs).toBeUndefined()
  const [low, high] = two.interval95(load)
  expect(low).toBeLessThan(truth)
  expect(high).toBeGreaterThan(truth)
  expect(high).toBeGreaterThan(1.5 * low)
})

test('the plan says where it goes beyond what was measured', () => {
  const sizing = readSizing()
  const defaults = defaultChoices(sizing)
  const calibration = calibrated([run(1), run(40)])
  const choices = { ...defaults, figures: { ...defaults.figures, ...calibration.figures }, calibration }
  const beyond = makePlan(chatDemand(80e6, 1e6), sizing, choices).calibration
  expect(beyond).toMatchObject({ beyondMeasured: true })
  expect(beyond?.notes.at(-1)).toContain('extrapolated: 80 input tokens an output token, where 1 to 40 were measured')
  expect(makePlan(chatDemand(80e6, 10e6), sizing, choices).calibration).toMatchObject({ beyondMeasured: false })
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
    expect(figures.outputPerWorker?.value).toBeCloseTo(worth, 2)
    expect(notes.join()).toContain('extrapolated: the busiest worker was 50 % busy')
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
