// A timer of 25 ms before first tokens, told from what a busy machine does: delays of the kinds that were seen on two
// cores under load.
import { expect, test } from 'vitest'
import { askRule } from '../../src/doctor/doctor.ts'
import type { Measurements, ProbeAnswer } from '../../src/doctor/probe/measured.ts'
import { fixedTimer } from '../../src/doctor/rules/fixed-timer.ts'

const NONCE = 'abcdefghijklmnop'
const PROVIDER_US = 5_000
const GAP_US = 2_000
const TOKENS = 64

const stamp = (providerUs: number) => ({ nonce: NONCE, attempt: 1, providerUs })

function answer(rest: Partial<ProbeAnswer>): ProbeAnswer {
  return {
    nonce: NONCE,
    outcome: 'OK',
    detail: '',
    streamed: true,
    tookUs: 0,
    tokens: [],
    usage: undefined,
    stamp: undefined,
    headers: {},
    trailers: {},
    text: '',
    unmarked: false,
    ...rest,
  }
}

/** The first token comes `addedMs` after it was written, the others after `laterMs`. */
function stream(addedMs: number, laterMs: number): ProbeAnswer {
  const tokens = Array.from({ length: TOKENS }, (_, i) => {
    const providerUs = PROVIDER_US + i * GAP_US
    // Nothing overtakes what was held.
    const sinceSentUs = Math.max(PROVIDER_US + addedMs * 1_000, providerUs + laterMs * 1_000)
    return { sinceSentUs, stamp: stamp(providerUs) }
  })
  return answer({ tokens })
}

const whole = (addedMs: number): ProbeAnswer =>
  answer({ streamed: false, tookUs: PROVIDER_US + addedMs * 1_000, stamp: stamp(PROVIDER_US) })

function opinionOn(firstMs: number[], wholeMs: number[]) {
  const one = whole(1)
  const measured: Measurements = {
    url: 'http://127.0.0.1:1',
    endpoint: 'chat',
    requests: firstMs.length + wholeMs.length,
    opened: 1,
    whole: wholeMs.map(whole),
    streams: firstMs.map((ms) => stream(ms, Math.min(...wholeMs))),
    repeated: [one, one],
    tenants: [one, one],
    oneIdentity: true,
    plain: [],
    hostile: [],
    left: one,
    provider: undefined,
  }
  return askRule(fixedTimer, { file: undefined, report: undefined, measured, failure: null })
}

test.each<[string, number[], number[]]>([
  ['on an idle machine', [26.3, 26.4, 26.8, 26.8, 26.8, 27.2, 27.3, 27.5, 28.6, 29], [2, 2.2, 2.5, 2.5, 2.8, 3.2]],
  [
    'with half of the whole answers late',
    [27.1, 27.1, 27.3, 27.3, 27.4, 27.5, 27.5, 27.8, 27.9, 28.4],
    [3, 3.2, 4.7, 9.6, 14, 15, 15.4, 26.3],
  ],
  [
    'with half of the first tokens late',
    [27.4, 27.8, 28, 34.5, 34.9, 37.5, 42, 49, 52.9, 53.7],
    [2.6, 3.2, 4.6, 6.2, 6.9, 14.2, 16, 17.2],
  ],
])('a timer is found %s', (_, first, others) => {
  expect(opinionOn(first, others)).toMatchObject({
    status: 'found',
    opinions: [{ certainty: 'likely', seen: expect.stringContaining('a timer of 25 ms') }],
  })
})

test.each<[string, number[], number[]]>([
  ['everything is late', [138, 143, 153, 180, 196, 215, 278, 305, 306, 316], [95, 114, 130, 135, 229, 266, 437, 1_356]],
  ['no first token is like another', [26.5, 34.8, 35.5, 43.4, 48.9, 48.9, 54.7, 80.2], [2.2, 5.1, 6.1, 14.4, 15.6, 89]],
])('where %s nothing can be told, and nothing is called fine', (_, first, others) => {
  expect(opinionOn(first, others)).toMatchObject({
    status: 'not-checked',
    opinions: [{ why: expect.stringContaining('too busy') }],
  })
})

test.each<[string, number[], number[]]>([
  ['some first tokens are quick', [4.8, 5.4, 17.2, 17.9, 20.2, 32.1, 41.4, 43.3], [2, 3, 3, 20, 30, 40]],
  ['their waits differ and those of whole answers do not', [20, 24, 29, 33, 38, 44, 51, 60], [2, 2.1, 2.2, 2.3, 2.5]],
  ['whole answers wait as long', [22, 22.5, 23, 23.5, 24, 25], [21, 21.5, 22, 22.5, 23]],
])('where %s there is no timer', (_, first, others) => {
  expect(opinionOn(first, others).status).toBe('fine')
})
