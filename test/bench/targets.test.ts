// What a plan becomes where a fleet sends it.
import { deserialize, serialize } from 'node:v8'
import { expect, it } from 'vitest'
import { sharedBy } from '../../src/bench/targets.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { givenReader, givenRequests } from '../../src/workload/given.ts'
import { workloadSha256 } from '../../src/workload/workload.ts'
import { planFor } from '../support/engine.ts'
import { refusalOf } from '../support/refusal.ts'

/** Prompts of a thousand bytes, some of them drawn. */
function planOf(count: number, sample?: number): RunPlan {
  const plan = planFor('http://127.0.0.1:1', { load: { mode: 'closed', concurrency: 3 } })
  const rows = Array.from({ length: count }, (_, i) => ({ before: `${i}-`.padEnd(996, 'x'), after: `}`, attached: 0 }))
  const source = givenRequests(rows, sample === undefined ? undefined : { count: sample, seed: 1 })
  const parts = plan.workload.parts.map((part) => ({ ...part, source }))
  return { ...plan, workload: { ...plan.workload, parts } }
}

it('is left as it is without a fleet, and has as many senders as have something to do', () => {
  const plan = planOf(3)
  expect(sharedBy(undefined, plan)).toBe(plan)
  expect([sharedBy({ size: 2 }, plan).workers, sharedBy({ size: 50 }, plan).workers]).toEqual([2, 3])
})

it.each([
  ['all prompts of a file', 6_000, undefined],
  ['those that are drawn of a larger one', 20_000, 5],
])('takes %s to machines that have no such file', (_, count, sample) => {
  const plan = planOf(count, sample)
  const [{ source } = {}] = plan.workload.parts
  if (source?.kind !== 'given') throw new Error('a workload without prompts')
  expect(source.texts.kept).toHaveProperty('file')
  const sent: RunPlan = deserialize(serialize(sharedBy({ size: 2 }, plan)))
  const [{ source: there } = {}] = sent.workload.parts
  if (there?.kind !== 'given') throw new Error('a workload without prompts')
  const [read, asked] = [givenReader(there), givenReader(source)]
  for (let place = 0; place < (sample ?? 50); place++) expect(read(place)).toEqual(asked(place))
  expect(workloadSha256(sent.workload)).toBe(workloadSha256(plan.workload))
})

it('is refused with more prompts than a broker should carry to each worker', () => {
  const { message, exitCode } = refusalOf(() => sharedBy({ size: 2 }, planOf(20_000)))
  expect(message).toBe('--fleet sends the prompts to each of its workers, 16 MiB at most, and these are 19 MiB')
  expect(exitCode).toBe(2)
})
