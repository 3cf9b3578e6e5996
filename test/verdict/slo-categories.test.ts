import { afterAll, describe, expect, it } from 'vitest'
import { type Category, errorBudget, findCategory } from '../../src/slo/category.ts'
import { categoryOfRun, judgeSlos, wholeRun } from '../../src/verdict/slo.ts'
import { namedCategory, readSlo } from '../../src/verdict/slo-file.ts'
import { around, fixed, makeRun } from '../support/make-report.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())
const file = (text: string): string => dir.write('slo.yaml', text)

const shipped = readSlo()
const named = (name: string): Category => namedCategory(shipped, name, '--slo')

describe('the categories that ship', () => {
  it.each([
    ['chat-short', { p50Ms: 300, p99Ms: 2_000 }, 30_000],
    ['chat-long-context', { p50Ms: 2_000, p99Ms: 15_000 }, 120_000],
    ['embeddings', { p50Ms: 50, p99Ms: 200 }, 10_000],
    ['batch', {}, 300_000],
  ])("%s is the guide's", (name, latency, timeoutMs) => {
    expect(named(name)).toMatchObject({ latency, timeoutMs, ttft: {}, objective: 0.99 })
  })

  it.each([
    [{ endpoint: 'chat', promptTokens: 20, headers: {} }, 'chat-short'],
    [{ endpoint: 'completions', promptTokens: 3_999, headers: {} }, 'chat-short'],
    [{ endpoint: 'chat', promptTokens: 4_000, headers: {} }, 'chat-long-context'],
    [{ endpoint: 'embeddings', promptTokens: 9_000, headers: {} }, 'embeddings'],
    [{ endpoint: 'chat', promptTokens: 20, headers: { 'x-kt-category': 'batch' } }, 'batch'],
    [{ endpoint: 'chat', promptTokens: null, headers: {} }, undefined],
  ])('%j belongs to %s', (request, name) => expect(findCategory(request, shipped)?.name).toBe(name))
})

describe('own categories', () => {
  it('are read with all their keys', () => {
    const [search] = readSlo(
      file(
        'categories:\n  search:\n    match: { endpoint: chat, header: { X-Team: search } }\n    p50: 100ms\n  ' +
          '  p99: 1s\n    ttft: { p50: 80ms, p99: 500ms }\n    timeout: 5s\n    objective: 99.9%',
      ),
    )
    expect(search).toEqual({
      name: 'search',
      latency: { p50Ms: 100, p99Ms: 1_000 },
      ttft: { p50Ms: 80, p99Ms: 500 },
      timeoutMs: 5_000,
      objective: 0.999,
      match: { endpoint: 'chat', header: { 'x-team': 'search' } },
    })
  })

  it.each([
    ['categories: {}', 'at least one category'],
    ['categories: { a: { p50: 1s } }', 'timeout'],
    ['categories: { a: { timeout: 1s, p90: 1s } }', "unknown key 'p90'"],
    ['categories: { a: { timeout: 10s, p50: 3s, p99: 2s } }', 'p50 is above p99'],
    ['categories: { a: { timeout: 1s, p99: 2s } }', 'a target is above the timeout'],
    ['categories: { a: { timeout: 1s, objective: 100% } }', 'not a share between 0 and 100 %'],
    ['categories: { A b: { timeout: 1s } }', 'Invalid key'],
    ['categories: { a: { timeout: 1s, match: { endpoint: image } } }', 'endpoint'],
    ['categorys: {}', "did you mean 'categories'?"],
  ])('refuses %j', (text, words) => expect(() => readSlo(file(text))).toThrow(words))

  it('answers an unknown name with the nearest', () => {
    expect(() => namedCategory(shipped, 'chat-shrt', '--slo')).toThrow("did you mean 'chat-short'?")
  })
})

describe('a run against its category', () => {
  const verdicts = (name: string, report: ReturnType<typeof makeRun>) => {
    const [result] = judgeSlos([wholeRun(report, named(name))])
    return {
      result,
      checks: Object.fromEntries((result?.checks ?? []).map(({ metric, verdict }) => [metric, verdict])),
    }
  }

  it('passes within all targets, with goodput and an unspent budget', () => {
    const { result, checks } = verdicts('chat-short', makeRun({ upstream: around(100) }))
    expect(result?.verdict).toBe('pass')
    expect(checks).toEqual({ 'latency.p50': 'pass', 'latency.p99': 'pass', goodput: 'pass' })
    expect(result).toMatchObject({ goodput: { share: 1, exact: true }, errorBudget: { bad: 0, allowed: 20, burn: 0 } })
  })

  it('fails the median without failing the tail', () => {
    const { checks } = verdicts('chat-short', makeRun({ upstream: around(600) }))
    expect(checks).toEqual({ 'latency.p50': 'fail', 'latency.p99': 'pass', goodput: 'pass' })
  })

  it('fails the tail, and burns the budget by as much as it misses', () => {
    const report = makeRun({ upstream: (random) => (random() < 0.1 ? 3_000_000 : 50_000) })
    const { result, checks } = verdicts('chat-short', report)
    expect(checks).toEqual({ 'latency.p50': 'pass', 'latency.p99': 'fail', goodput: 'fail' })
    expect(result?.errorBudget?.burn).toBeGreaterThan(8)
    expect(result?.errorBudget?.burn).toBeLessThan(12)
  })

  it('counts what failed as bad, a timeout once', () => {
    const { result } = verdicts('batch', makeRun({ failures: { KT_HTTP_5XX: 2, KT_TIMEOUT_TOTAL: 1 } }))
    expect(result?.errorBudget).toMatchObject({ bad: 60 })
    expect(result?.goodput?.share).toBeCloseTo(1 - 60 / 2_000, 10)
    expect(result?.verdict).toBe('fail')
  })

  it('is inconclusive over few requests, and over none', () => {
    expect(verdicts('chat-short', makeRun({ requests: 50, blocks: 10 })).result?.verdict).toBe('inconclusive')
    const dead = verdicts('chat-short', makeRun({ requests: 100, failures: { KT_CONNECT: 5 } })).result
    expect(dead).toMatchObject({ verdict: 'inconclusive', goodput: null, errorBudget: null })
  })

  it('takes targets of the first token, and then gives goodput as a lower bound', () => {
    const own: Category = { ...named('chat-short'), ttft: { p99Ms: 6 } }
    const [result] = judgeSlos([wholeRun(makeRun({ stream: true, upstream: fixed(5) }), own)])
    expect(result).toMatchObject({ verdict: 'pass', goodput: { share: 1, exact: false } })
    const [unary] = judgeSlos([wholeRun(makeRun({ upstream: fixed(5) }), own)])
    expect(unary?.checks.find(({ metric }) => metric === 'ttft.p99')).toMatchObject({
      verdict: 'inconclusive',
      why: expect.stringContaining('it needs --stream'),
    })
  })

  it('is found by the endpoint and the tokens of its prompts', () => {
    // 2,000 requests in 10 s, 1,000 input tokens a second: five tokens a prompt.
    expect(categoryOfRun(makeRun(), shipped)?.name).toBe('chat-short')
    const uncounted = makeRun({}, (_, { throughput }) => Object.assign(throughput, { inputTokensPerSec: null }))
    expect(categoryOfRun(uncounted, shipped)).toBeUndefined()
  })
})

describe('the error budget', () => {
  it.each([
    [1_000, 10, 0.99, 10, 1],
    [1_000, 0, 0.99, 10, 0],
    [10_000, 30, 0.999, 10, 3],
  ])('of %i requests, %i bad, at %f: %f allowed, burn %f', (requests, bad, objective, allowed, burn) => {
    expect(errorBudget(requests, bad, objective)).toEqual({ objective, allowed, bad, burn })
  })
})
