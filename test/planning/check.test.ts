// `kt plan check`: a run that confirms, one that does not (exit 3), one that cannot tell (exit 4); and reports that
// calibrate nothing.
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UserError } from '../../src/errors.ts'
import { planRequest } from '../../src/planning/plan-request.ts'
import type { ArmResult, BenchReport } from '../../src/report/schema.ts'
import { around, makeReport } from '../support/make-report.ts'
import { planOptions, type Typed } from '../support/plan.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

let dir: ReturnType<typeof tempDir>
beforeAll(() => {
  dir = tempDir()
})
afterAll(() => dir.remove())

type Change = (report: BenchReport, arm: ArmResult) => void

/** A streamed, paced run through a gateway, of `workers` at the vendor's figures, scaled by `share`. */
function report(name: string, share: number, change: Change = () => {}, waiting = true): string {
  const made = makeReport(
    { stream: true, role: 'gateway', upstream: around(5), added: around(waiting ? 5 : 0.1) },
    (r, arm) => {
      // An input:output ratio of 4: half of a worker each.
      arm.throughput.outputTokensPerSec = 500_000 * share
      arm.throughput.inputTokensPerSec = 2_000_000 * share
      arm.throughput.eventsPerSec = 500_000 * share
      arm.throughput.bytesPerSec = 280 * 500_000 * share
      r.series = Array.from({ length: 12 }, (_, second) => ({
        second,
        sent: 167,
        done: 166 + (second % 2),
        failed: 0,
        inFlight: 10,
        p50: 10,
        p99: 20,
      }))
      change(r, arm)
    },
  )
  const path = dir.file(name)
  writeFileSync(path, JSON.stringify(made))
  return path
}

const squeezed = (text: string): string => text.replaceAll(/\s+/g, ' ')

test('a run that passes what a worker was planned for confirms the plan', async () => {
  const { code, stdout } = await kt(['plan', 'check', '--against', report('pass.json', 1.02)])
  expect(squeezed(stdout)).toMatch(
    /^PASS: the run confirms the plan; its workers passed 102 % of what was planned for them /,
  )
  expect(code).toBe(0)
})

test('a run that passes many times what was planned does not confirm it either: exit 3', async () => {
  const { code, stdout } = await kt(['plan', 'check', '--against', report('generous.json', 16)])
  expect(stdout).toMatch(/^FAIL: /)
  expect(stdout).toContain('it passes 16 times what was planned')
  expect(stdout).toContain('90 % to 111.1 % of the plan')
  expect(code).toBe(3)
})

test('fully loaded workers that passed less do not: exit 3', async () => {
  const { code, stdout } = await kt(['plan', 'check', '--against', report('fail.json', 0.6)])
  expect(stdout).toMatch(/^FAIL: /)
  expect(stdout).toContain('the workers were fully loaded and passed less')
  expect(code).toBe(3)
})

test('workers that were not loaded cannot tell: exit 4', async () => {
  const { code, stdout } = await kt([
    'plan',
    'check',
    '--against',
    report('idle.json', 0.2, undefined, false),
    '--json',
  ])
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 'kt.plan.check/1',
    verdict: 'inconclusive',
    shareOfPlanned: expect.closeTo(0.2, 9),
  })
  expect(code).toBe(4)
})

test('enough passed in a run too short to be sure of it: run longer', async () => {
  const path = report('short-run.json', 1, (r) => {
    r.series = []
  })
  const { code, stdout } = await kt(['plan', 'check', '--against', path])
  expect(squeezed(stdout)).toContain('the interval of the measurement reaches over the limit: run longer')
  expect(code).toBe(4)
})

test('more bytes a token than planned fail it: the network was sized with fewer', async () => {
  const path = report('bytes.json', 1.1, (_, arm) => {
    arm.throughput.bytesPerSec *= 1.5
  })
  const { code, stdout } = await kt(['plan', 'check', '--against', path])
  expect(stdout).toMatch(/bytes per output token +at most 290 B +420 B +FAIL/)
  expect(code).toBe(3)
})

test('a saved plan is what the run is held against', async () => {
  const plan = await kt([
    'plan',
    '--input-peak',
    '80M',
    '--output-peak',
    '10M',
    '--output-per-worker',
    '1.5M',
    '--json',
  ])
  writeFileSync(dir.file('plan.json'), plan.stdout)
  const { code, stdout } = await kt([
    'plan',
    'check',
    '--against',
    report('saved.json', 1),
    '--plan',
    dir.file('plan.json'),
  ])
  // (2M / 4 + 0.5M) / 1.5M
  expect(squeezed(stdout)).toContain('passed 66.7 % of what was planned')
  expect(code).toBe(3)
})

const requested = async (flags: Typed) => planRequest(planOptions(flags))

describe('calibrating from reports', () => {
  const peaks = { 'input-peak': '80M', 'output-peak': '10M' }

  test('tokens on another basis are refused, and hidden reasoning does not count', async () => {
    const by = (source: ArmResult['throughput']['tokenSource'], hiddenTokensPerSec?: number): string =>
      report(`${source}-${hiddenTokensPerSec}.json`, 1, (_, { throughput }) => {
        throughput.tokenSource = source
        if (hiddenTokensPerSec === undefined) return
        // Beside those that cross the gateway.
        throughput.outputTokensPerSec = 500_000 + hiddenTokensPerSec
        throughput.hiddenTokensPerSec = hiddenTokensPerSec
      })
    await expect(requested({ ...peaks, 'from-bench': [by('mixed')] })).rejects.toThrow(
      'some answers of this run were counted by usage and others not',
    )
    await expect(requested({ ...peaks, 'from-bench': [by('usage'), by('tokenizer')] })).rejects.toThrow(
      /counts tokens by usage, .* counts tokens by tokenizer: one calibration cannot rest on both/,
    )
    const figuresOf = async (path: string) => (await requested({ ...peaks, 'from-bench': [path] })).choices.figures
    const [visible, hidden] = [await figuresOf(by('usage')), await figuresOf(by('usage', 250_000))]
    expect(hidden.outputPerWorker.value).toBeCloseTo(visible.outputPerWorker.value, 6)
    expect(hidden.outputBytesPerToken.value).toBeCloseTo(280, 6)
  })

  test('two mixes: the figures of the worker that made them', async () => {
    const long = report('long.json', 1, (_, arm) => {
      // All of a worker: 3.6M / 4 + 0.1M
      arm.throughput.inputTokensPerSec = 3_600_000
      arm.throughput.outputTokensPerSec = 100_000
      arm.throughput.eventsPerSec = 100_000
      arm.throughput.bytesPerSec = 28_000_000
    })
    const { choices } = await requested({ ...peaks, 'from-bench': [report('short.json', 1), long] })
    expect(choices.figures.ratio.value).toBeCloseTo(4, 6)
    expect(choices.figures.outputPerWorker.value).toBeCloseTo(1e6, 0)
    expect(choices.figures.outputBytesPerToken.value).toBeCloseTo(280, 6)
    const stdout = (
      await kt([
        'plan',
        '--input-peak',
        '80M',
        '--output-peak',
        '10M',
        '--from-bench',
        dir.file('short.json'),
        '--from-bench',
        long,
      ])
    ).stdout
    expect(stdout).toMatch(/^Formula, calibrated: 30 workers \(\d+-\d+\), 60-120 with redundancy 2-4x; /m)
    expect(stdout).toMatch(/output per worker +1,000,000 tokens\/s +calibrated, 95 % /)
  })

  test.each<[string, Change, string]>([
    [
      'no token counts',
      (_, arm) =>
        Object.assign(arm.throughput, {
          inputTokensPerSec: null,
          outputTokensPerSec: null,
          tokensPerSec: null,
          tokenSource: 'none',
        }),
      'the report has no token counts',
    ],
    ['no gateway', (_, arm) => Object.assign(arm, { role: 'direct' }), 'went straight to the provider'],
    ['an interrupted run', (r) => Object.assign(r, { interrupted: true }), 'this run was interrupted'],
    [
      'coalesced streams',
      (_, arm) => Object.assign(arm.throughput, { eventsPerSec: 1_000 }),
      'its streams are coalesced',
    ],
    [
      'a saturated client',
      (r) => Object.assign(r.client, { verdict: 'saturated', why: ['busy'] }),
      'the client was saturated',
    ],
  ])('%s: refused', async (name, change, message) => {
    const path = report(`${name.replaceAll(' ', '-')}.json`, 1, change)
    const refusal: unknown = await requested({ ...peaks, 'from-bench': [path] }).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(UserError)
    expect((refusal as UserError).message).toContain(message)
  })

  test('a throughput that nothing has is refused before anything is made of it', async () => {
    const path = report('endless.json', 1, (r) => Object.assign(r.arms[0].throughput, { outputTokensPerSec: 1e300 }))
    await expect(requested({ ...peaks, 'from-bench': [path] })).rejects.toThrow('cannot have been measured (1e+300)')
    const { code, stderr } = await kt(['plan', 'check', '--against', path])
    expect(code).toBe(2)
    expect(stderr).toContain('cannot have been measured')
  })

  test.each([
    [{ 'bench-workers': '1,2' }, '--bench-workers names 2 runs, --from-bench 1'],
    [{ 'bench-workers': '0' }, 'each is a whole number of at least 1'],
    [{ 'output-per-worker': '1M' }, '--output-per-worker and --from-bench both say what a worker passes'],
  ])('%j is refused', async (flags, message) => {
    const refusal: unknown = await requested({ ...peaks, 'from-bench': [report('one.json', 1)], ...flags }).catch(
      (error: unknown) => error,
    )
    expect((refusal as UserError).message).toContain(message)
  })
})
