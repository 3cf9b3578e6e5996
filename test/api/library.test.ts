// kt as a library: the figures and verdicts of the command line, options by name, refusals that say what is wrong.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bench, compare, judge, plan, readReport, type SweepLevel, sweep, UserError } from '../../src/api/index.ts'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import { around, fixed, makeReport } from '../support/make-report.ts'
import { quickProvider } from '../support/provider.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
const small = { requests: 1_000, blocks: 20 }
const baseline = dir.write('baseline.json', makeReport({ ...small, added: around(0.2), role: 'direct' }))
const slow = dir.write('slow.json', makeReport({ ...small, seed: 3, role: 'gateway', added: fixed(20) }))
let provider: SimulatedProvider

beforeAll(async () => {
  provider = await quickProvider()
})
afterAll(async () => {
  await provider.close()
  dir.remove()
})

/** What a call is refused with. */
async function refusal(call: () => unknown): Promise<[string, string]> {
  try {
    await call()
  } catch (error) {
    if (error instanceof UserError) return [error.message, error.next]
    throw error
  }
  throw new Error('it was not refused')
}

describe('bench', () => {
  test('measures, keeps labels and commit, and judges what was asked', async () => {
    const { report, verdict, exitCode } = await bench({
      url: provider.url,
      requests: 40,
      concurrency: 2,
      maxTokens: 2,
      jitWarmup: false,
      insecure: false,
      floor: false,
      threshold: 'errors.rate<50%',
      label: ['team=a', 'gateway=none'],
    })
    const [arm] = report.arms
    expect(arm.totals).toMatchObject({ sent: 40, successful: 40 })
    expect(report).toMatchObject({ schema: 'kt.bench/2', labels: { team: 'a', gateway: 'none' } })
    expect(report.command).toMatch(/^kt bench --url .* --no-jit-warmup --no-floor /)
    expect(report.commit?.sha).toMatch(/^[0-9a-f]{40}$/)
    expect(verdict?.checks.map(({ metric }) => metric)).toEqual(['errors.rate'])
    expect([0, 4]).toContain(exitCode)
  })

  test('tells its notes', async () => {
    const notes: string[] = []
    const input = { url: 'http://127.0.0.1:1', requests: 3, jitWarmup: false, floor: false }
    const { exitCode } = await bench(input, { note: (line) => notes.push(line) })
    expect(exitCode).toBe(4)
    expect(notes.join('\n')).toContain('KT_CONNECT')
  })

  test('ends with what was measured when its signal is aborted', async () => {
    const controller = new AbortController()
    const { report } = await bench(
      {
        url: provider.url,
        duration: '60s',
        concurrency: 2,
        maxTokens: 2,
        jitWarmup: false,
        floor: false,
        validate: false,
      },
      { signal: controller.signal, progress: ({ done }) => done > 5 && controller.abort() },
    )
    expect(report.interrupted).toBe(true)
    expect(report.arms[0].totals.sent).toBeGreaterThan(5)
  })

  test('refuses what it does not know, and names what was meant', async () => {
    expect(await refusal(() => bench({ request: 3 } as object))).toEqual([
      "bench(): there is no option 'request'",
      "Did you mean 'requests'?",
    ])
    expect((await refusal(() => bench({ budget: '7', requests: -1 })))[0]).toMatch(/--requests.*/)
  })
})

describe('sweep', () => {
  const quick = { step: '300ms', warmup: 2, maxTokens: 2, jitWarmup: false }

  test('measures the levels, tells each, and keeps the command line that does the same', async () => {
    const levels: SweepLevel[] = []
    const { report, exitCode } = await sweep(
      { url: provider.url, concurrency: [1, 2], ...quick, label: 'team=a' },
      { level: (level) => levels.push(level) },
    )
    expect(exitCode).toBe(0)
    expect(report).toMatchObject({ schema: 'kt.sweep/1', labels: { team: 'a' }, interrupted: false })
    expect(report.load).toMatchObject({ mode: 'closed', levels: [1, 2], stepS: 0.3 })
    expect(report.curves[0]?.levels.map(({ level }) => level)).toEqual([1, 2])
    expect(levels.map(({ level }) => level)).toEqual(expect.arrayContaining([1, 2]))
    expect(report.command).toMatch(/^kt bench sweep --url \S+ --concurrency 1,2 --step 300ms /)
  })

  test('refuses what is wrong, and ends when its signal is aborted', async () => {
    expect((await refusal(() => sweep({ rps: [2, 1] })))[0]).toBe('--rps: the levels must rise')
    expect((await refusal(() => sweep({ levels: 3 } as object)))[0]).toBe("sweep(): there is no option 'levels'")
    const controller = new AbortController()
    const ended = await sweep(
      { url: provider.url, concurrency: '1,2,4', ...quick },
      { level: () => controller.abort(), signal: controller.signal },
    )
    expect(ended).toMatchObject({ exitCode: 130, report: { interrupted: true } })
    expect(ended.report.curves[0]?.levels).toHaveLength(1)
  })
})

describe('compare', () => {
  test('of files and of reports is one, and that of the command', async () => {
    const ofFiles = compare(baseline, slow, { budget: '7ms' })
    expect(ofFiles.gate?.verdict).toBe('fail')
    const ofValues = compare(readReport(baseline), readReport(slow), { budget: '7ms' })
    expect({ ...ofValues, baseline: 0, gateway: 0 }).toEqual({ ...ofFiles, baseline: 0, gateway: 0 })
    expect([ofValues.baseline.file, ofValues.gateway.file]).toEqual(['baseline', 'gateway'])
    const { stdout } = await run(['bench', 'compare', baseline, slow, '--budget', '7ms', '--json'])
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(ofFiles)))
  })

  test('refuses one arm alone, and a value that is no report', async () => {
    expect(await refusal(() => compare(readReport(baseline)))).toEqual([
      expect.stringContaining('baseline holds one arm'),
      expect.any(String),
    ])
    const edited = { ...readReport(baseline), runId: 7 }
    expect((await refusal(() => compare(edited as never, slow)))[0]).toMatch(/runId/)
  })
})

describe('judge', () => {
  test('gives the verdict on a finished report, and none where nothing is asked', () => {
    const report = readReport(slow)
    expect(judge(report, {})).toBeNull()
    expect(judge(report, { budget: '7ms' })?.verdict).toBe('fail')
    const checks = judge(report, { threshold: ['errors.rate<50%', 'overhead.p99<1s'] })?.checks
    expect(checks?.map(({ metric, verdict }) => [metric, verdict])).toEqual([
      ['errors.rate', 'pass'],
      ['overhead.p99', 'pass'],
    ])
  })
})

describe('plan', () => {
  test('is the plan of the command', async () => {
    const made = await plan({ inputPeak: '80M', outputPeak: '10M', zones: 3 })
    const { stdout } = await run(['plan', '--input-peak', '80M', '--output-peak', '10M', '--zones', '3', '--json'])
    expect(JSON.parse(JSON.stringify(made))).toEqual(JSON.parse(stdout))
  })

  test('refuses contradictions as the command does', async () => {
    expect((await refusal(() => plan({ rps: 10, users: 5 })))[0]).toMatch(/--rps|--users/)
  })
})
