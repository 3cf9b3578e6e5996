// What a run of two arms sends beyond what was asked for, decided before it begins.
import { expect, it } from 'vitest'
import { buildPlan } from '../../src/bench/build-plan.ts'
import { parseBenchOptions } from '../../src/bench/options.ts'
import type { NamedTarget } from '../../src/bench/targets.ts'

const target = {
  origin: 'http://127.0.0.1:1',
  path: '/v1/chat/completions',
  shownUrl: 'http://127.0.0.1:1',
  isPublic: false,
}
const targets: NamedTarget[] = [
  ['gateway', target],
  ['direct', target],
]

function plan(requests: number, concurrency: number) {
  const url = 'http://127.0.0.1:1'
  const values = { url, 'baseline-url': url, requests: String(requests), concurrency: String(concurrency) }
  const { target, request, load } = parseBenchOptions({ values })
  return buildPlan(target, request, load, targets)
}

it('leaves out the first of a connection in a block where that is at most half as many again', () => {
  expect(plan(1_000, 10)).toMatchObject({ blocks: 20, excludeIdleFirst: true })
  expect(plan(200, 10)).toMatchObject({ blocks: 10, excludeIdleFirst: true })
  expect(plan(199, 10)).toMatchObject({ blocks: 10, excludeIdleFirst: false })
  expect(plan(20, 5)).toMatchObject({ excludeIdleFirst: false })
})
