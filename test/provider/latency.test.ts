import fc from 'fast-check'
import { expect, test } from 'vitest'
import { drawDelays, type LatencyModel, wholeAnswerUs } from '../../src/provider/latency.ts'
import { parseDelay } from '../../src/schedule/delays.ts'
import { fixedLatency } from './support.ts'

const DRAWN: LatencyModel = {
  ttft: { kind: 'lognormal', medianUs: 20_000, sigma: 0.5 },
  tokenGap: { kind: 'lognormal', medianUs: 2_000, sigma: 0.3 },
  seed: 1,
}

test.each([
  ['20ms', { kind: 'fixed', us: 20_000 }],
  ['0ms', { kind: 'fixed', us: 0 }],
  ['0', { kind: 'fixed', us: 0 }],
  ['1.5s', { kind: 'fixed', us: 1_500_000 }],
  ['250us', { kind: 'fixed', us: 250 }],
  ['lognormal(20ms,0.5)', { kind: 'lognormal', medianUs: 20_000, sigma: 0.5 }],
  [' LogNormal( 1.2s , .25 ) ', { kind: 'lognormal', medianUs: 1_200_000, sigma: 0.25 }],
  ['lognormal(20ms,0)', { kind: 'lognormal', medianUs: 20_000, sigma: 0 }],
])('%s is read', (text, expected) => {
  expect(parseDelay(text)).toEqual(expected)
})

test.each([
  '',
  '20',
  'soon',
  '-5ms',
  'lognormal(20ms)',
  'lognormal(20,0.5)',
  'lognormal(20ms,9)',
  'normal(20ms,1)',
  '5m5',
])('%j is refused', (text) => {
  expect(parseDelay(text)).toBeUndefined()
})

test('the same request has the same delays, another request or another seed has others', () => {
  const delays = (model: LatencyModel, seed: string): number[] => {
    const pace = drawDelays(model, seed)
    return [pace.ttftUs, pace.nextGapUs(), pace.nextGapUs(), pace.nextGapUs()]
  }
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.integer(), (one, other, seed) => {
      fc.pre(one !== other)
      const model = { ...DRAWN, seed }
      expect(delays(model, one)).toEqual(delays(model, one))
      expect(delays(model, one)).not.toEqual(delays(model, other))
      expect(delays(model, one)).not.toEqual(delays({ ...model, seed: seed + 1 }, one))
    }),
  )
})

test('the time to first token depends neither on the gaps nor on how many tokens are asked for', () => {
  expect(drawDelays(DRAWN, 'request').ttftUs).toBe(
    drawDelays({ ...DRAWN, tokenGap: { kind: 'fixed', us: 7 } }, 'request').ttftUs,
  )
})

test('a whole answer takes its TTFT and a gap a token, as its stream does', () => {
  expect(wholeAnswerUs(drawDelays(fixedLatency(20, 2), ''), 16)).toBe(52_000)
  const streamed = drawDelays(DRAWN, 'request')
  const gapsUs = Array.from({ length: 10 }, () => streamed.nextGapUs()).reduce((sum, gap) => sum + gap, 0)
  expect(wholeAnswerUs(drawDelays(DRAWN, 'request'), 10)).toBeCloseTo(streamed.ttftUs + gapsUs, 6)
})

test('log-normal delays have the median and spread they are given', () => {
  const logs = Array.from({ length: 20_000 }, (_, i) => Math.log(drawDelays(DRAWN, `request ${i}`).ttftUs / 20_000))
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length
  const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length)
  // Five standard errors: 0.5/sqrt(20000) = 0.0035 of the mean, 0.0025 of the deviation.
  expect(Math.abs(mean)).toBeLessThan(0.018)
  expect(Math.abs(deviation - 0.5)).toBeLessThan(0.013)
})
