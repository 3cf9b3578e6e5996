// The first line of a plan: what to deploy, or that too little is known to say it.
import { expect, test } from 'vitest'
import { plan } from '../../src/api/index.ts'
import { deployment } from '../../src/output/plan-answer.ts'

test('a range within a factor of ten is an answer, and a wider one is said to be none', async () => {
  const made = await plan({ inputPeak: '80M', outputPeak: '10M' })
  expect(deployment(made)).toMatch(/^Deploy 399 pods of 1 vCPU/)
  const pods = { low: 6, high: 36_710 }
  const range = { ...made.range, pods, nodes: { low: 1, high: 2_800 }, by: ['outputPerWorker'] }
  expect(deployment({ ...made, range })).toMatch(
    /^Not known well enough: 6-36,710 pods, depending on .+\. By the estimate deploy 399 pods of 1 vCPU/,
  )
})
