import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { BenchReport } from '../../src/report/schema.ts'
import { around, makeReport, type ReportShape } from '../support/make-report.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

function folder(name: string): { path: string; put(file: string, content: unknown): void } {
  const path = dir.file(name)
  mkdirSync(path)
  return {
    path,
    put: (file, content) =>
      writeFileSync(join(path, file), typeof content === 'string' ? content : JSON.stringify(content)),
  }
}

const day = (n: number) => (report: BenchReport) =>
  Object.assign(report, { startedAt: `2026-11-${String(n).padStart(2, '0')}T03:00:00.000Z` })
const run = (n: number, shape: ReportShape = {}) =>
  makeReport({ requests: 200, blocks: 10, seed: n, role: 'gateway', ...shape }, day(n))

const steps = folder('steps')
for (let n = 1; n <= 20; n++) steps.put(`run-${21 - n}.json`, run(n, { added: around(n <= 10 ? 1 : 3) }))
steps.put('notes.json', '{"hello": 1}')
steps.put('half.json', JSON.stringify(run(1)).slice(0, 3_000))
steps.put(
  'other.json',
  makeReport({ seed: 30, role: 'gateway' }, (report) => {
    day(5)(report)
    report.load.concurrency = 20
  }),
)
steps.put('split.baseline.json', run(20, { role: 'direct' }))
steps.put('readme.txt', 'not a report')

describe('kt bench history', () => {
  it('orders runs by time, finds the change, lists what it excluded', async () => {
    const { code, stdout } = await kt(['bench', 'history', steps.path, '--json'])
    expect(code).toBe(0)
    const history = JSON.parse(stdout)
    expect(history).toMatchObject({ schema: 'kt.history/1', metric: 'overhead.p99', definition: 'provider-stamped' })
    expect(history.runs).toHaveLength(20)
    expect(history.runs[0].file).toBe('run-20.json')
    expect(history.changes).toMatchObject([{ index: 10, file: 'run-10.json', p: expect.any(Number) }])
    expect(history.changes[0].after / history.changes[0].before).toBeGreaterThan(2)
    expect(history.left).toEqual([
      { file: 'half.json', why: expect.stringContaining('truncated') },
      { file: 'notes.json', why: expect.stringContaining('JSON of another kind') },
      { file: 'other.json', why: 'another load than the newest run' },
      { file: 'split.baseline.json', why: 'it was measured directly' },
    ])
  })

  it('draws it in 80 columns, without colour where there is no terminal', async () => {
    const { code, stdout } = await kt(['bench', 'history', steps.path])
    expect(code).toBe(0)
    expect(stdout).toContain('overhead.p99, provider-stamped')
    expect(stdout.match(/\*/g)?.length).toBe(20)
    expect(stdout).toMatch(/^worse {3}2026-11-11 03:00 run-10\.json: from 1\.\d+ ms to \d\.\d+ ms \(\+\d+/m)
    expect(stdout).not.toContain('\u001b')
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it.each(['latency.p50', 'throughput.rps', 'errors.rate'])('shows %s when asked', async (metric) => {
    const { code, stdout } = await kt(['bench', 'history', steps.path, '--metric', metric])
    expect(code).toBe(0)
    expect(stdout).toContain(metric)
  })

  it('draws the newest of many, and one alone', async () => {
    const many = folder('many')
    for (let n = 0; n < 90; n++) {
      many.put(
        `${n}.json`,
        makeReport({ requests: 50, blocks: 10, seed: 1, role: 'gateway' }, (report) =>
          Object.assign(report, { startedAt: new Date(Date.UTC(2026, 0, 1 + n)).toISOString() }),
        ),
      )
    }
    const { stdout } = await kt(['bench', 'history', many.path])
    expect(stdout).toContain('90 runs; the newest 68 are drawn')
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(stdout).toContain('No change found')
    const one = folder('one')
    one.put('a.json', run(1))
    expect((await kt(['bench', 'history', one.path])).stdout).toContain('too few to find a change')
  })

  it.each<[string, () => string[], string]>([
    ['a folder that is not there', () => [dir.file('nowhere')], 'no such file or folder'],
    ['a file', () => [join(steps.path, 'run-1.json')], 'a part of the path is not a folder'],
    ['an empty folder', () => [folder('empty').path], 'no report of kt bench in it'],
    [
      'an unknown metric',
      () => [steps.path, '--metric', 'latency.p9'],
      "there is no metric 'latency.p9' (did you mean",
    ],
    ['a metric that no run has', () => [steps.path, '--metric', 'ttft.p99'], 'none of the 22 reports holds ttft.p99'],
  ])('refuses %s with exit 2', async (_, args, words) => {
    const { code, stdout, stderr } = await kt(['bench', 'history', ...args()])
    expect(stderr).toContain(words)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})
