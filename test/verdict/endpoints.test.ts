// Two runs of two endpoints: what is one quantity in both is judged, the rest is shown, and both are told.
import { describe, expect, it } from 'vitest'
import { renderComparison } from '../../src/output/compare-table.ts'
import { compareReports } from '../../src/verdict/compare.ts'
import { threshold } from '../../src/verdict/thresholds.ts'
import { MAX_REGRESSION } from '../../src/verdict/verdict.ts'
import { fixed, makeRun, type ReportShape } from '../support/make-report.ts'
import { PAGE } from '../support/page.ts'

type Options = Parameters<typeof compareReports>[2]
type Change = NonNullable<Parameters<typeof makeRun>[1]>

const files = { baseline: 'chat.json', gateway: 'messages.json' }
const rules = { budgetMs: 7, maxRegression: MAX_REGRESSION, thresholds: [], primary: true, allowDifferent: false }
const ASKED = 'c'.repeat(64)

/** What one endpoint of a gateway was measured at. */
function at(endpoint: 'chat' | 'messages', shape: ReportShape = {}, change: Change = () => {}) {
  const path = { chat: '/v1/chat/completions', messages: '/v1/messages' }[endpoint]
  const seed = { chat: 10, messages: 20 }[endpoint]
  return makeRun({ seed, ...shape }, (report, arm) => {
    arm.url = `http://127.0.0.1:41002${path}`
    Object.assign(report.target, { endpoint, model: endpoint })
    Object.assign(report.load.workload, { sha256: String(seed).repeat(32), asked: ASKED })
    change(report, arm)
  })
}

const compare = (a: ReportShape, b: ReportShape, more: Partial<Options> = {}, change?: Change) =>
  compareReports(at('chat', a), at('messages', b, change), { files, noGate: false, ...rules, ...more })

const checkOf = ({ gate }: ReturnType<typeof compare>) => gate?.checks[0]

describe('two endpoints of one gateway', () => {
  it('are judged by the overhead that both were read by, and the comparison says what differs', () => {
    const comparison = compare({ added: fixed(1) }, { added: fixed(3) })
    expect(comparison).toMatchObject({ mode: 'regression', modeWhy: expect.stringContaining('by two endpoints') })
    expect(checkOf(comparison)).toMatchObject({ metric: 'delta.overhead.p99', verdict: 'fail', value: 2 })
    expect(comparison.judgedBy?.source).toContain('provider-stamped')
    const page = renderComparison(comparison, PAGE).replaceAll(/\s+/g, ' ')
    expect(page).toContain('two endpoints (chat and messages): what the gateway adds is compared (provider-stamped)')
    expect(page).toMatch(/P99: 3\S* ms .*baseline: 1\S* ms/)
  })

  it('pass where translating adds nothing, though models and requests have other names', () => {
    const comparison = compare({}, {})
    expect(comparison.gate?.verdict).toBe('pass')
    expect(comparison.differences).toMatchObject([
      { what: 'model', forbids: false },
      { what: 'endpoint', forbids: false },
    ])
  })

  it('show their latencies without a word on which is worse', () => {
    const rows = compare({}, { upstream: fixed(90_000) }).rows.filter(({ metric }) => metric.startsWith('latency'))
    expect(rows).toHaveLength(4)
    for (const row of rows) expect(row).not.toHaveProperty('verdict')
  })

  it('have no limit of latency judged, unless that is asked for all the same', () => {
    const asked = { thresholds: [threshold.parse('delta.latency.p99<1ms')], primary: false }
    expect(checkOf(compare({}, {}, asked))).toMatchObject({
      verdict: 'inconclusive',
      why: 'not comparable: latency of chat and messages is not one quantity, only the overhead is',
    })
    expect(checkOf(compare({}, {}, { ...asked, allowDifferent: true }))?.verdict).toBe('pass')
  })

  it('have a limit of the overhead judged', () => {
    const asked = { thresholds: [threshold.parse('delta.overhead.p99<5ms')], primary: false }
    expect(checkOf(compare({ added: fixed(1) }, { added: fixed(3) }, asked))).toMatchObject({ verdict: 'pass' })
  })

  it.each<[string, ReportShape, Change, string]>([
    ['share no reading', { read: [] }, () => {}, 'the runs ask chat and messages and share no reading of the overhead'],
    [
      'asked something else',
      {},
      ({ load }) => Object.assign(load.workload, { asked: 'd'.repeat(64) }),
      'but not the same prompts, seed and limits',
    ],
    ['come from an older kt', {}, ({ load }) => delete load.workload.asked, 'not both reports tell what they asked'],
    ['had another load', {}, ({ load }) => Object.assign(load, { concurrency: 99 }), 'load of the two runs differ'],
  ])('get no verdict where they %s', (_, shape, change, why) => {
    const comparison = compare({}, shape, {}, change)
    expect(checkOf(comparison)).toMatchObject({ verdict: 'inconclusive', why: expect.stringContaining(why) })
  })

  it('give a direct baseline of another endpoint no verdict', () => {
    const comparison = compare({ role: 'direct' }, { role: 'gateway' })
    expect(comparison.mode).toBe('overhead')
    expect(checkOf(comparison)?.why).toBe('not comparable: endpoint of the two runs differ')
    expect(comparison.doubts?.join()).toContain('say nothing of each other')
  })
})
