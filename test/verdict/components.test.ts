// The parts of a gateway's overhead against their budgets: the table, `--budgets` and thresholds on a part judge by
// the same blocks.
import { describe, expect, it } from 'vitest'
import { judgeBench } from '../../src/bench/judge-bench.ts'
import { componentVerdictIn } from '../../src/verdict/components.ts'
import { threshold } from '../../src/verdict/thresholds.ts'
import { around, fixed, makeRun, type ReportShape } from '../support/make-report.ts'

const LIMITS = { input_policy: 2, routing: 0.5, event_emission: 0 }

function checks(shape: ReportShape, thresholds: string[] = []) {
  const question = { budgetMs: 7, componentsMs: LIMITS, maxRegression: undefined }
  const gate = judgeBench(makeRun({ role: 'gateway', ...shape }), {
    ...question,
    thresholds: thresholds.map((text) => threshold.parse(text)),
  })
  return Object.fromEntries((gate?.checks ?? []).map(({ metric, verdict }) => [metric, verdict]))
}

describe('the parts of an overhead', () => {
  it('pass and fail each by its own limit', () => {
    const components = { input_policy: around(0.5), routing: around(0.6), event_emission: fixed(0.01) }
    expect(checks({ components })).toEqual({
      'overhead.p99': 'pass',
      'overhead.input_policy.p99': 'pass',
      'overhead.routing.p99': 'fail',
      'overhead.event_emission.p99': 'pass',
    })
  })

  it('what must not show fails where it shows', () => {
    expect(checks({ components: { event_emission: fixed(0.08) } })).toEqual({
      'overhead.p99': 'pass',
      'overhead.event_emission.p99': 'fail',
    })
  })

  it('few requests decide nothing', () => {
    const shape = { requests: 60, components: { routing: around(0.1) } }
    expect(checks(shape)['overhead.routing.p99']).toBe('inconclusive')
  })

  it('a limit on a part that is not reported is no pass', () => {
    expect(checks({}, ['overhead.output_policy.p99<3ms'])['overhead.output_policy.p99']).toBe('inconclusive')
  })

  it('one slow block does not make a breach', () => {
    let request = 0
    // The first of twenty blocks is slow: more than 1 % of all requests, and no pattern.
    const components = { routing: () => (request++ < 100 ? 900 : 100) }
    expect(checks({ components })['overhead.routing.p99']).toBe('inconclusive')
  })

  it('a table that knows another budget judges anew', () => {
    const report = makeRun({ components: { routing: around(0.3) } })
    expect(componentVerdictIn(report, 'routing', 2)).toBe('pass')
    expect(componentVerdictIn(report, 'routing', 0.2)).toBe('fail')
    expect(componentVerdictIn(report, 'input_policy', 2)).toBeNull()
  })
})
