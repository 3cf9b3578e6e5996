// A plan calibrated from real sweeps of the reference gateway, and held against a second one.
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sweepSchema } from '../../src/report/sweep-schema.ts'
import { kt } from '../support/kt.ts'
import { tempDir } from '../support/temp-dir.ts'

let dir: ReturnType<typeof tempDir>
beforeAll(() => {
  dir = tempDir()
})
afterAll(() => dir.remove())

async function sweep(name: string, levels: string, ...mix: string[]): Promise<string> {
  const output = dir.file(name)
  const flags = [
    '--stream',
    '--token-gap',
    '15ms',
    '--concurrency',
    levels,
    '--step',
    '600ms',
    '--warmup',
    '8',
    '--output',
    output,
  ]
  const { code, stderr } = await kt(['bench', 'sweep', ...flags, ...mix])
  expect(code, stderr).toBe(0)
  return output
}

test.runIf(process.platform === 'linux')(
  'sweeps of two mixes calibrate it, a second run confirms it, a plan that promises too much is refused',
  async () => {
    const short = await sweep('short.json', '8,32', '--input-tokens', '20', '--output-tokens', '20')
    const long = await sweep('long.json', '24', '--input-tokens', '2000', '--output-tokens', '10')
    const from = ['--from-bench', short, '--from-bench', long]
    const plan = await kt(['plan', '--input-peak', '80k', '--output-peak', '10k', '--json', ...from])
    expect(plan.stderr).toBe('')
    const planned = JSON.parse(plan.stdout)
    expect(planned.formula.outputPerWorker).toMatchObject({ from: 'calibrated' })
    const [low, high] = planned.workers.interval95
    expect(low).toBeLessThanOrEqual(planned.workers.peak)
    expect(high).toBeGreaterThanOrEqual(planned.workers.peak)
    // The law that it follows: what passed, over the busy share of the worker.
    const best = sweepSchema.parse(JSON.parse(readFileSync(short, 'utf8'))).curves[0]?.levels.at(-1)
    const busy = best?.gateway?.cpuCores ?? Number.NaN
    expect(busy).toBeGreaterThan(0.05)
    expect(busy).toBeLessThan(1.3)
    expect(planned.formula.outputPerWorker.value).toBeGreaterThan(best?.outputTokensPerSec ?? Number.NaN)

    writeFileSync(dir.file('plan.json'), plan.stdout)
    const again = await sweep('again.json', '24', '--input-tokens', '20', '--output-tokens', '20')
    // The machine is shared and the runs short: a tolerance that only a wrong figure exceeds.
    const check = (...against: string[]) => kt(['plan', 'check', '--against', again, '--tolerance', '70%', ...against])
    const confirmed = await check('--plan', dir.file('plan.json'))
    // On a machine that others use too the worker may have idled: then nothing is decided.
    const busyAgain = sweepSchema.parse(JSON.parse(readFileSync(again, 'utf8'))).curves[0]?.levels[0]?.gateway?.cpuCores
    if ((busyAgain ?? 1) < 0.3) {
      expect(confirmed.stdout).toMatch(/^INCONCLUSIVE: [\s\S]*workers that idle say nothing of full ones/)
      return
    }
    expect(confirmed.stdout).toMatch(
      /^PASS: the run confirms the plan; (by their CPU )?its workers passed \d+(?:\.\d+)? %/,
    )
    expect(confirmed.code).toBe(0)
    const refused = await check('--output-per-worker', '20M')
    expect(refused.stdout).toMatch(/^FAIL: [\s\S]*(a token costs more CPU than planned|fully loaded and passed less)/)
    expect(refused.code).toBe(3)
  },
)
