import { describe, expect, it } from 'vitest'
import { parseAbortRule } from '../../src/slo/abort-rule.ts'

describe('a condition of --abort-on', () => {
  it.each([
    ['errors.rate>20%', { of: 'errors', share: 0.2, op: '<', limit: 0.2 }],
    [' errors.rate >= 5 % ', { of: 'errors', share: 0.05, op: '<=', text: 'errors.rate >= 5 %' }],
    ['latency.p99>5s', { of: { metric: 'latency', overUs: 5e6 }, share: 0.01, limit: 5_000 }],
    ['ttft.p50>300ms', { of: { metric: 'ttft', overUs: 3e5 }, share: 0.5 }],
    ['tpot.p99.9>1s', { of: { metric: 'tpot' }, share: 0.001 }],
  ])('%j', (text, rule) => {
    expect(parseAbortRule(text)).toMatchObject({ ok: true, value: rule })
  })

  it.each([
    ['errors.rate<20%', "write when to end the run: 'errors.rate>20%'"],
    ['latency.p99<5s', "write when to end the run: 'latency.p99>5s'"],
    ['throughput.rps<10', 'throughput.rps is not known while a run goes on'],
    ['overhead.p99>7ms', 'overhead.p99 is not known while a run goes on'],
    ['interToken.p99>1s', 'interToken.p99 is not known while a run goes on'],
    ['latency.p99>2x', 'latency.p99 is not known while a run goes on'],
    ['delta.latency.p99>5ms', 'delta.latency.p99 is not known while a run goes on'],
    ['answers.changed>1%', 'answers.changed is not known while a run goes on'],
    ['eror.rate>20%', "there is no metric 'eror.rate'"],
    ['errors.rate', "not of the form 'metric < limit'"],
    ['errors.rate>20', "'20' is not a share"],
  ])('%j is refused', (text, why) => {
    const parsed = parseAbortRule(text)
    expect(parsed.ok ? '' : parsed.why).toContain(why)
  })
})
