// A real run beside a process that leaks: too short for a verdict, which the same readings give where it is asked of
// them.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, expect, test } from 'vitest'
import { benchReportSchema } from '../../src/report/schema.ts'
import { judgeSoak } from '../../src/verdict/soak.ts'
import { run as kt } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

const children: { kill(): boolean }[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill()
})

function startNode(script: string): number {
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
  children.push(child)
  if (child.pid === undefined) throw new Error('no process')
  return child.pid
}

const LEAKS = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(200_000, 1)), 50)'

test.runIf(process.platform === 'linux')('a process that leaks has its slope, one that rests is steady', async () => {
  const watch = [`leaks=${startNode(LEAKS)}`, `rests=${startNode('setInterval(() => {}, 1e6)')}`]
  const file = dir.file('r.json')
  const { code, stdout, stderr } = await kt([
    ...['bench', '--duration', '9s', '--rps', '100', '--no-validate', '--no-jit-warmup', '--output', file],
    ...['--explain', ...watch.flatMap((named) => ['--arm-pid', named])],
  ])
  expect(code, stderr).toBe(0)
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('Soak too short to tell whether memory or latency grows')
  const report = benchReportSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  expect(report.soak).toBeUndefined()
  const soak = judgeSoak(report, 10)
  const memory = soak?.trends.filter(({ of }) => of === 'memory') ?? []
  const [leaks, rests] = memory
  // Of a dozen windows of a second on a shared machine the leak is not always certain, its slope is.
  expect(['grows', 'cannot-tell']).toContain(leaks?.verdict)
  expect(leaks?.perHour).toBeGreaterThan(1_000)
  expect(rests).toMatchObject({ name: 'rests', verdict: 'steady' })
  const latency = soak?.trends.filter(({ of }) => of === 'p50') ?? []
  expect(latency.map(({ name }) => name)).toEqual(report.arms.map(({ name }) => name))
  expect(latency.every(({ values }) => values >= 10)).toBe(true)
})
