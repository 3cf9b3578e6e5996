// The options of a replay: what they come to, and every contradiction with its message.
import { describe, expect, it } from 'vitest'
import { parseBenchOptions } from '../../../src/bench/options.ts'
import { messageOf } from '../../support/refusal.ts'

const refused = (values: Record<string, unknown>) => messageOf(() => parseBenchOptions({ values }))
const trace = 'trace.csv'

it('which part of which file, how fast', () => {
  const values = { trace, speed: '2', 'trace-share': '10%', from: '1m', to: '2m', seed: '7', duration: '5s' }
  expect(parseBenchOptions({ values }).trace).toEqual({
    path: trace,
    columns: undefined,
    selection: {
      ...{ speed: 2, share: 0.1, seed: 7, fromUs: 60e6, toUs: 120e6 },
      ...{ rows: Number.POSITIVE_INFINITY, durationUs: 5e6 },
    },
  })
})

it("a user's own columns", () => {
  const columns = 'at-ms=ts, input=usage.in ,output=usage.out'
  expect(parseBenchOptions({ values: { trace, 'trace-columns': columns } }).trace?.columns).toEqual({
    ...{ at: 'ts', unit: 'ms', input: 'usage.in', output: 'usage.out' },
  })
})

describe('what contradicts', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ speed: '2' }, '--speed goes with --trace'],
    [{ 'trace-columns': 'at=a,input=b,output=c' }, '--trace-columns goes with --trace'],
    [{ 'trace-share': '10%' }, '--trace-share goes with --trace'],
    [{ from: '1m' }, '--from goes with --trace'],
    [{ trace, rps: '5' }, '--rps does not go with --trace'],
    [{ trace, concurrency: '5' }, '--concurrency does not go with --trace'],
    [{ trace, stages: '5rps@5s' }, '--stages does not go with --trace'],
    [{ trace, arrival: 'poisson' }, '--arrival does not go with --trace'],
    [{ trace, 'think-time': '5ms' }, '--think-time goes with a closed loop'],
    [{ trace, 'output-tokens': '5' }, '--output-tokens does not go with --trace'],
    [{ trace, 'cool-down': '5s' }, '--cool-down does not go with --trace'],
    [{ trace, 'until-decided': true }, '--until-decided does not go with --trace'],
    [{ trace, pairing: 'block' }, '--pairing block does not go with --trace'],
    [{ trace, endpoint: 'embeddings' }, '--trace does not go with --endpoint embeddings'],
    [{ trace, prompt: 'a' }, '--prompt and --trace exclude each other'],
    [{ trace, workload: 'chat' }, '--workload and --trace exclude each other'],
    [{ trace, from: '2m', to: '1m' }, '--to must come after --from'],
    [{ trace, 'trace-columns': 'when=a' }, "'when=a' is not one of at=NAME, at-ms=NAME, input=NAME, output=NAME"],
    [{ trace, 'trace-columns': 'at=a,at-ms=b,input=c,output=d' }, 'needs one of at=NAME'],
    [{ trace, 'trace-columns': 'at=a' }, 'needs input=NAME and output=NAME'],
    [{ trace, speed: '0' }, '--speed'],
  ])('%j: %s', (values, message) => {
    expect(refused(values)).toContain(message)
  })

  it.each([
    [{ trace, 'max-in-flight': '5' }],
    [{ trace, requests: '5' }],
    [{ trace, 'max-tokens': '5' }],
    [{ trace, pairing: 'request', stream: true }],
  ])('%j is fine', (values) => {
    expect(refused(values)).toBe('accepted')
  })
})
