import { describe, expect, it } from 'vitest'
import { createNeverSentResult, type RequestResult } from '../../src/client/request-result.ts'
import { AbortWatch, findAbort, watchedSum } from '../../src/load/abort-watch.ts'
import { addAll } from '../../src/load/add-up.ts'
import { type AbortRule, parseAbortRule } from '../../src/slo/abort-rule.ts'

function rule(text: string): AbortRule {
  const parsed = parseAbortRule(text)
  if (!parsed.ok) throw new Error(parsed.why)
  return parsed.value
}

const took = (ms: number, outcome: RequestResult['outcome'] = 'OK'): RequestResult => ({
  ...createNeverSentResult(ms * 1_000),
  outcome,
})

describe('what is counted against a run', () => {
  it('are failures, and durations over the limit; a request without the duration does not count', () => {
    const watch = new AbortWatch([rule('errors.rate>20%'), rule('latency.p50>100ms'), rule('ttft.p50>100ms')])
    for (const ms of [50, 100, 101, 500]) watch.ended(took(ms), 0)
    watch.ended(took(900, 'KT_HTTP_5XX'), 0)
    watch.ended(took(900, 'KT_TIMEOUT_TOTAL'), 0)
    // A refusal has no latency; a timeout has, or the tail would look too good. Nothing was streamed.
    expect(watch.counts).toEqual([
      { n: 6, over: 2 },
      { n: 5, over: 3 },
      { n: 0, over: 0 },
    ])
  })
})

describe('when a run ends', () => {
  const errors = [rule('errors.rate>20%')]
  it.each([
    [1, 1, false],
    [19, 19, false],
    [20, 20, true],
    [20, 5, false],
    [100, 20, false],
    [100, 30, false],
    [100, 40, true],
    [1_000, 210, false],
    [1_000, 250, true],
  ])('of %i requests %i failed: %j', (n, over, ends) => {
    expect(findAbort(errors, [[{ n, over }]]) !== undefined).toBe(ends)
  })

  it('one slow request in twenty is no P99', () => {
    const slow = [rule('latency.p99>1s')]
    expect(findAbort(slow, [[{ n: 20, over: 1 }]])).toBeUndefined()
    expect(findAbort(slow, [[{ n: 20, over: 6 }]])).toEqual({ rule: 0, arm: 0, n: 20, over: 6 })
  })

  it('says which condition, on which arm; threads are added up', () => {
    const rules = [rule('errors.rate>90%'), rule('errors.rate>20%')]
    const part = [
      [
        { n: 15, over: 0 },
        { n: 15, over: 0 },
      ],
      [
        { n: 15, over: 10 },
        { n: 15, over: 10 },
      ],
    ]
    expect(findAbort(rules, part)).toBeUndefined()
    expect(findAbort(rules, addAll(watchedSum, [part, part]))).toEqual({ rule: 1, arm: 1, n: 30, over: 20 })
    expect(findAbort([], [[]])).toBeUndefined()
  })
})
