// The gate of one bench: which question a run with two arms answers, and what forbids an answer.
import { describe, expect, it } from 'vitest'
import { type BenchQuestion, judgeBench } from '../../src/bench/judge-bench.ts'
import type { Run } from '../../src/report/schema.ts'
import { estimateAdded } from '../../src/verdict/estimate.ts'
import { type ArmShape, around, fixed, makeRun } from '../support/make-report.ts'

const nothing: BenchQuestion = { budgetMs: undefined, maxRegression: undefined, thresholds: [] }
const check = (report: Run, asked: Partial<BenchQuestion> = {}) =>
  judgeBench(report, { ...nothing, ...asked })?.checks[0]

/** A run in turns against an old gateway, which names itself. */
function againstOld(old: ArmShape, fresh: ArmShape): Run {
  return makeRun({ role: 'gateway', ...fresh, direct: old }, ({ arms: [_, baseline] }) => {
    Object.assign(baseline ?? {}, { name: 'target', role: 'gateway', gateway: 'old' })
  })
}

describe('the gate of a bench', () => {
  it('against going direct judges the budget that was asked for, and without a question nothing', () => {
    const report = makeRun({ role: 'gateway', added: fixed(1), direct: { added: around(0.2) } })
    expect(check(report, { budgetMs: 7 })).toMatchObject({ metric: 'overhead.p99', verdict: 'pass', limit: 7 })
    expect(judgeBench(report, nothing)).toBeNull()
    expect(estimateAdded(report)).toMatchObject({ kind: 'overhead', p50: { valueMs: 1 }, p99: { valueMs: 1 } })
  })

  it('against an old gateway asks what was lost: from 1 to 6.9 ms does not pass as under 7', () => {
    const slower = againstOld({ added: fixed(1) }, { added: fixed(6.9) })
    const standard = { maxRegression: { ms: 0.5, share: 0.1 } }
    expect(check(slower, standard)).toMatchObject({ metric: 'delta.overhead.p99', verdict: 'fail', limit: 0.5 })
    expect(estimateAdded(slower)).toMatchObject({ kind: 'regression', p99: { valueMs: expect.closeTo(5.9, 1) } })
    expect(check(slower, { maxRegression: { ms: 8, share: 0 } })).toMatchObject({ verdict: 'pass', limit: 8 })
    expect(check(againstOld({ added: fixed(1) }, { added: fixed(1) }), standard)).toMatchObject({ verdict: 'pass' })
  })

  it('takes no difference to an old gateway for an overhead', () => {
    const slower = againstOld({ added: fixed(1), read: [] }, { added: fixed(6.9), read: [] })
    expect(check(slower, { budgetMs: 7 })).toMatchObject({
      metric: 'overhead.p99',
      verdict: 'inconclusive',
      value: null,
    })
    expect(check(slower, { maxRegression: { ms: 0.5, share: 0.1 } })).toMatchObject({
      metric: 'delta.latency.p99',
      verdict: 'fail',
    })
    expect(check(againstOld({ added: fixed(1) }, { added: fixed(6.9) }), { budgetMs: 7 })).toMatchObject({
      verdict: 'pass',
    })
  })

  it('is none where clocks lie or a gateway is faster than its own floor, whoever asks', () => {
    const below = makeRun({ role: 'gateway', added: () => -100, direct: { added: around(0.2) } })
    const floored = makeRun({ role: 'gateway', added: around(1), direct: { added: around(3) } })
    for (const [report, why] of [
      [below, 'clock trouble'],
      [floored, 'its own floor'],
    ] as const) {
      expect(check(report, { budgetMs: 7 })).toMatchObject({
        verdict: 'inconclusive',
        why: expect.stringContaining(why),
      })
    }
    // An old gateway that was slower is no floor.
    expect(check(againstOld({ added: around(3) }, { added: around(1) }), { budgetMs: 7 })?.verdict).toBe('pass')
  })
})
