import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { sweepSchema } from '../../src/report/sweep-schema.ts'
import { kt, tempDir } from '../support/kt.ts'

const dir = tempDir()
afterAll(dir.remove)

test('sweeps the embedded pair: a row a level, a knee or none, the frontier, and the report', async () => {
  const out = dir.file('s.json')
  const { code, stdout } = await kt([
    'bench',
    'sweep',
    '--concurrency',
    '1,4',
    '--step',
    '1s',
    '--max-tokens',
    '2',
    '--output',
    out,
  ])
  expect(code).toBe(0)
  expect(stdout).toMatch(/Frontier, added P99 <= 1/)
  expect(stdout).toMatch(/Knee: /)
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  const report = sweepSchema.parse(JSON.parse(readFileSync(out, 'utf8')))
  expect(report.levels.map(({ level }) => level)).toEqual([1, 4])
  const [one, four] = report.levels
  expect(four?.achievedRps).toBeGreaterThan(1.5 * (one?.achievedRps ?? Number.NaN))
  expect(one?.overheadMs?.p50).toBeGreaterThan(0)
  expect(report.overheadSource).toMatch(/^provider-stamped/)
})

test.each([
  ['levels that fall', ['--rps', '200,100'], 'the levels must rise'],
  ['a level of zero', ['--concurrency', '0,1'], 'at least 1'],
  ['both kinds of load', ['--rps', '1', '--concurrency', '1'], 'exclude each other'],
  ['another search', ['--until', 'latency.p50<1ms'], "Give one such as --until 'overhead.p99<7ms'"],
  ['a step without a unit', ['--step', '5'], '--step'],
])('refuses %s', async (_name, args, message) => {
  const { code, stderr } = await kt(['bench', 'sweep', ...args])
  expect(stderr).toContain(message)
  expect(code).toBe(2)
})
