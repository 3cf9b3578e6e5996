import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { verdictFlags } from '../../src/bench/options/verdict.ts'
import { EXIT } from '../../src/errors.ts'
import { parseFlags } from '../../src/parse/parse-flags.ts'
import { KNOWN_METRICS } from '../../src/slo/metrics.ts'
import { parseThreshold } from '../../src/slo/threshold.ts'
import { maxRegression } from '../../src/verdict/thresholds.ts'
import { refusalOf } from '../support/refusal.ts'

describe('the threshold grammar', () => {
  it.each([
    ['overhead.p99<7ms', { kind: 'quantile', of: 'overhead', quantile: 0.99, op: '<', limitUs: 7_000 }],
    ['delta.ttft.p99<5ms', { kind: 'delta', of: 'ttft', quantile: 0.99, limitUs: 5_000 }],
    ['delta.latency.p50 <= 10%', { kind: 'ratio', of: 'latency', quantile: 0.5, limitShare: 0.1, op: '<=' }],
    ['errors.rate<0.1%', { kind: 'figure', of: 'errors.rate', limit: 0.001 }],
    ['throughput.rps>100', { kind: 'figure', of: 'throughput.rps', limit: 100, op: '>' }],
    ['throughput.tokens >= 2k', { kind: 'figure', of: 'throughput.tokens', limit: 2_000 }],
    ['latency.p99<=1.1x', { kind: 'ratio', of: 'latency', quantile: 0.99, limitShare: 0.1 }],
    ['goodput>99%', { kind: 'figure', of: 'goodput', limit: 0.99 }],
    [' tpot.p99.9 < 1.5 s ', { kind: 'quantile', of: 'tpot', quantile: 0.999, limitUs: 1_500_000 }],
    ['ttfb.p999<20ms', { kind: 'quantile', of: 'ttfb', quantile: 0.999 }],
    ['latency.p75<500us', { kind: 'quantile', quantile: 0.75, limitUs: 500 }],
    ['delta.overhead.p99<0', { kind: 'delta', limitUs: 0 }],
    ['overhead.routing.p99<0.5ms', { kind: 'component', of: 'routing', quantile: 0.99, op: '<', limitUs: 500 }],
  ])('reads %j', (text, threshold) => expect(parseThreshold(text)).toMatchObject({ ok: true, value: threshold }))

  it('reads every metric that it lists', () => {
    const limits = ['<7ms', '<1%', '>99%', '>100']
    for (const metric of KNOWN_METRICS) {
      expect(limits.some((limit) => parseThreshold(metric + limit).ok)).toBe(true)
    }
  })

  it.each([
    ['overhead.p99', "not of the form 'metric < limit'"],
    ['overhead.p99=7ms', 'not of the form'],
    ['', 'not of the form'],
    ['overhead.p99<7', "'7' is not a duration"],
    ['overhead.p99<0ms', 'above 0'],
    ['overhead.p99<-7ms', 'above 0'],
    ['overhead.p99>7ms', "overhead.p99 has an upper limit: write 'overhead.p99<7ms'"],
    ['throughput.rps<100', "throughput.rps has a lower limit: write 'throughput.rps>100'"],
    ['errors.rate>1%', 'has an upper limit'],
    ['errors.rate<0%', 'no number of requests can prove 0%'],
    ['goodput>100%', 'no number of requests can prove 100%'],
    ['errors.rate<1', "'1' is not a share"],
    ['latency.p99<0.5x', 'give at least 1x'],
    ['latency.p100<7ms', "there is no metric 'latency.p100'"],
    ['overhead.rooting.p99<1ms', "there is no metric 'overhead.rooting.p99'"],
    ['overhead.routing<1ms', "there is no metric 'overhead.routing'"],
    ['overhead.routing.p99>1ms', 'has an upper limit'],
    ['overhead.routing.p99<0ms', 'not a duration above 0'],
    ['latency.mean<7ms', "there is no metric 'latency.mean'"],
    ['throughput<100', "there is no metric 'throughput'"],
  ])('refuses %j', (text, problem) => {
    const parsed = parseThreshold(text)
    expect(parsed.ok ? '' : parsed.why).toContain(problem)
  })

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string(), (text) => void parseThreshold(text)),
      { seed: 1 },
    )
  })
})

describe('--threshold', () => {
  it('answers a typo with the nearest metric and the list, exit 2', () => {
    const error = refusalOf(() => {
      const flags = { threshold: ['overhead.p99<7ms', 'overhed.p99<7ms', 'foo<1'] }
      parseFlags(flags, verdictFlags, 'kt bench')
    })
    expect(error.exitCode).toBe(EXIT.usage)
    expect(error.message).toContain(
      "'overhed.p99<7ms': there is no metric 'overhed.p99' (did you mean 'overhead.p99'?)",
    )
    expect(error.message).toContain("there is no metric 'foo'")
    expect(error.next).toContain('errors.rate')
    expect(error.next).toContain('overhead, latency, ttfb, ttft, tpot, interToken')
  })
})

describe('--max-regression', () => {
  it.each([
    ['10%', { ms: 0, share: 0.1 }],
    ['0.5ms', { ms: 0.5, share: 0 }],
    ['0.5ms, 10%', { ms: 0.5, share: 0.1 }],
  ])('reads %j', (text, limit) => expect(maxRegression.parse(text)).toEqual(limit))

  it.each(['10', 'a lot', '', '0%', '0ms,0%', '-1ms'])('refuses %j', (text) => {
    expect(refusalOf(() => parseFlags({ 'max-regression': text }, verdictFlags, 'kt bench')).exitCode).toBe(EXIT.usage)
  })
})
