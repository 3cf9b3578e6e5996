// `kt plan` as a user runs it: the answer first, 80 columns, JSON by its schema, and each bad input refused in one message.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { planSchema } from '../../src/report/plan-schema.ts'

const run = promisify(execFile)
const bin = new URL('../../bin/run.js', import.meta.url).pathname
const PEAKS = ['--input-peak', '80M', '--output-peak', '10M']

async function plan(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await run(process.execPath, [bin, 'plan', ...args])) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

test('the first line is the answer, and nothing is wider than 80 columns', async () => {
  const { code, stdout, stderr } = await plan(...PEAKS, '--entities', '600', '--rps', '250')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.split('\n')
  expect(lines[0]).toBe('30 workers; 60-120 with redundancy 2-4x')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(stdout).toContain('(80M / 4 + 10M) / 1M = 30 workers of one vCPU; x 2 = 60, x 4 = 120')
  expect(stdout).toContain('Large: central platform, several teams; decided by entities, input and output')
  expect(stdout).toContain("360 vCPU is the tier's own figure")
  expect(stdout).toContain('Network binds first: 8 nodes like c5.4xlarge for the peak, 15-30')
  expect(stdout).toContain('Heavy: 4 vCPU, 1 GB, 1,024 connections')
  expect(stdout).toContain('vendor default')
})

test.each(['1000T', '1'])('a peak of %s fits 80 columns too', async (peak) => {
  const { stdout } = await plan('--input-peak', peak, '--output-peak', peak, '--entities', peak, '--rps', peak)
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(stdout).toMatch(peak === '1' ? /Small/ : /XL.*\n[\s\S]*360\+ vCPU/)
})

test('what the user gives replaces the vendor default, and says so', async () => {
  const { stdout } = await plan(...PEAKS, '--ratio', '5', '--output-per-worker', '1.05M', '--redundancy', '3')
  // (80M / 5 + 10M) / 1.05M = 24.76; x 3 = 74.29
  expect(stdout.split('\n')[0]).toBe('25 workers; 75 with redundancy 3x')
  expect(stdout).toMatch(/R +5 +given/)
})

test('a load just over a whole number of workers takes one more, and says why', async () => {
  const { stdout } = await plan('--input-peak', '200000001', '--output-peak', '3', '--ratio', '5')
  expect(stdout.split('\n')[0]).toBe('41 workers; 81-161 with redundancy 2-4x')
  expect(stdout).toContain('just over 40 workers')
})

test('--json prints kt.plan/1', async () => {
  const { stdout } = await plan(...PEAKS, '--json')
  const parsed = planSchema.parse(JSON.parse(stdout))
  expect(parsed.workers).toMatchObject({ peak: 30, min: 60, max: 120, raw: 30 })
  expect(parsed.measured.map((m) => [m.path, m.peak, m.min, m.max])).toEqual([
    ['OpenAI', 28, 56, 111],
    ['Gemini', 32, 63, 125],
  ])
  expect(parsed.tier).toMatchObject({ name: 'Large', decidedBy: ['inputTokensPerSec', 'outputTokensPerSec'] })
  expect(parsed.nodes).toMatchObject({ binding: 'network', workersPerNode: 15 })
})

test('the JSON Schema in fixtures/ is the one that follows from the contract (npm run schema)', () => {
  const path = new URL('../../fixtures/kt.plan.1.schema.json', import.meta.url)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(z.toJSONSchema(planSchema))
})

test.each([
  [['--input-peak', '0', '--output-peak', '10M'], "--input-peak must be above 0 (tokens per second), not '0'"],
  [['--input-peak', '80M', '--output-peak', '-10M'], "--output-peak must be above 0 (tokens per second), not '-10M'"],
  [['--input-peak', 'NaN', '--output-peak', '10M'], "'NaN' is not a count"],
  [['--input-peak', 'Infinity', '--output-peak', '10M'], "'Infinity' is not a count"],
  [['--input-peak', '9999T', '--output-peak', '10M'], 'beyond anything to plan for'],
  [['--input-peak', '80MB', '--output-peak', '10M'], "'80MB' is a size in bytes; it is tokens per second"],
  [['--input-peak', '80M'], '--output-peak is missing'],
  [[], '--input-peak is missing'],
  [[...PEAKS, '--ratio', '0'], '--ratio must be above 0'],
  [[...PEAKS, '--output-per-worker', '0'], '--output-per-worker must be above 0'],
  [[...PEAKS, '--redundancy', '4-2'], '--redundancy 4-2: the range runs backwards'],
  [[...PEAKS, '--redundancy', '0.5'], 'a factor below 1'],
  [[...PEAKS, '--redundancy', 'two'], "'two' is not a factor or a range"],
  [[...PEAKS, '--entities', '1.5'], '--entities must be whole'],
  [[...PEAKS, '--rps', '0'], '--rps must be above 0'],
  [[...PEAKS, '--sizing', '/no/such.yaml'], 'cannot read the sizing profile /no/such.yaml'],
  [['--input-peek', '80M'], 'Did you mean --input-peak?'],
  [['80M'], "'kt plan' takes no argument '80M'"],
])('kt plan %j is refused', async (args, message) => {
  const { code, stdout, stderr } = await plan(...args)
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toContain(message)
  expect(stderr.trim().split('\n').length).toBe(2)
  expect(stderr).not.toMatch(/\n\s+at /)
})
