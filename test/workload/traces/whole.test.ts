// Recorded traces: the three formats, peaks by window, and what is wrong with its line number.
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { UserError } from '../../../src/errors.ts'
import { traceTotals, windowPeak } from '../../../src/plan/trace.ts'
import { buildDemand } from '../../../src/planning/demand-request.ts'
import { readTrace, type Trace } from '../../../src/workload/traces/whole.ts'
import { planOptions } from '../../support/plan.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { azureTrace } from '../../support/traces.ts'

const dir = tempDir()
afterAll(() => dir.remove())
const file = (text: string, name = 'trace.csv'): string => dir.write(name, text)

const AZURE = 'TIMESTAMP,ContextTokens,GeneratedTokens\r\n'

test('Azure: CRLF, seven fractional digits, no final newline', async () => {
  const trace = await readTrace(
    file(`${AZURE}2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 18:17:04.0319600,3180,8`),
  )
  expect([...trace.inputTokens]).toEqual([4808, 3180])
  expect(trace.atS[1]).toBeCloseTo(0.052, 6)
})

test('BurstGPT: seconds; an answer of 0 tokens is a failure and left out', async () => {
  const head = 'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n'
  const trace = await readTrace(
    file(
      `${head}5,ChatGPT,472,18,490,Conversation log\n45,ChatGPT,1087,0,1087,Conversation log\n` +
        '50,GPT-4,417,276,693,Conversation log\n',
    ),
  )
  expect(trace).toMatchObject({ failed: 1 })
  expect([...trace.atS]).toEqual([0, 45])
})

test('Mooncake: JSON lines in milliseconds, in lumps of 3 s', async () => {
  const lines = [0, 0, 3_000, 3_000, 6_000].map((timestamp) =>
    JSON.stringify({ timestamp, input_length: 6_755, output_length: 500, hash_ids: [0, 1] }),
  )
  const path = file(lines.join('\n'), 'trace.jsonl')
  expect((await readTrace(path)).resolutionS).toBe(3)
  await expect(buildDemand(planOptions({ trace: path, window: '1s' }))).rejects.toThrow('lumps of 3 s')
  expect((await buildDemand(planOptions({ trace: path }))).window).toEqual({ seconds: 3, stated: true })
  // A trace of one lump: no window was given, so none is blamed.
  const short = file(`${lines[0]}\n${lines[0]?.replace(':0,', ':27482,')}\n`, 'short.jsonl')
  const tooShort = 'the trace is 27.5 s long, shorter than the window of 28 s'
  await expect(buildDemand(planOptions({ trace: short }))).rejects.toThrow(tooShort)
})

test.each([
  ['', 1, 'the trace is empty'],
  ['TIMESTAMP,ContextTokens,GeneratedTokenz\n1,2,3\n', 1, "'GeneratedTokenz' (did you mean 'GeneratedTokens'?)"],
  ['a,b\n1,2\n', 1, 'not the columns of a known trace: a, b'],
  [`${AZURE}1,10,5\n2,,5\n`, 3, 'column ContextTokens: nothing stands there'],
  [`${AZURE}1,10,5\n2,-4,5\n`, 3, "'-4' is not a whole number"],
  [`${AZURE}1,10,5\n2,10,NaN\n`, 3, "'NaN' is not a whole number"],
  [`${AZURE}1,10,5\nyesterday,10,5\n`, 3, "'yesterday' is not a time"],
  [`${AZURE}1,10,5\n2,10\n`, 3, '2 columns, and the titles are 3'],
  [`${AZURE}1,10,5\n5,10,5\n3,10,5\n`, 4, 'time runs backwards, by 2 s'],
  [`${AZURE}1,10,5\n2,10,5\n500,10,5\n501,10,5\n`, 4, 'no request for 498 s before it: the trace has a gap'],
  [`${AZURE}1,10,5\n`, 1, 'two requests or more'],
  [`${AZURE}1,10,5\n1,10,5\n`, 3, 'all requests have the same time'],
  [
    '{"timestamp":0,"input_length":5,"output_length":5}\n{"timestamp":9,"input_length":5}\n',
    2,
    'column output_length: nothing stands there',
  ],
  ['{"timestamp":0,"input_length":5,"output_length":5}\n{"timestamp":', 2, 'not a JSON object'],
  ['TIMESTAMP;ContextTokens;GeneratedTokens\n1,5;2;5\n', 1, 'the columns are separated by semicolons'],
  [`${AZURE}1,0,0\n2,0,0\n`, 3, 'no request of the trace has tokens'],
  [`${AZURE}2023-13-16 18:17:03,10,5\n2023-12-16 18:17:04,10,5\n`, 2, 'is not a time'],
  [`${AZURE}1,10,5\n2,"10,5\n`, 3, 'Quote Not Closed'],
])('%j is refused at its line', async (text, line, why) => {
  const path = file(text)
  const refusal: unknown = await readTrace(path).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(UserError)
  expect((refusal as UserError).message).toMatch(`${path}, line ${line}`)
  expect((refusal as UserError).message).toContain(why)
})

test('a gap can be taken as it is', async () => {
  expect((await readTrace(file(`${AZURE}1,10,5\n2,10,5\n500,10,5\n501,10,5\n`), { allowGaps: true })).atS.length).toBe(
    4,
  )
})

const trace = (rows: [number, number, number][]): Trace => {
  const sorted = [...rows].sort((a, b) => a[0] - b[0])
  return {
    name: 'made',
    atS: Float64Array.from(sorted, ([at]) => at),
    inputTokens: Float64Array.from(sorted, ([, input]) => input),
    outputTokens: Float64Array.from(sorted, ([, , output]) => output),
    failed: 0,
    resolutionS: 0.001,
  }
}

test('the busiest span wherever it lies, not the busiest calendar second', () => {
  const made = trace([
    [0, 1, 1],
    [0.9, 10, 2],
    [1.1, 10, 3],
    [1.5, 10, 4],
    [1.95, 1, 1],
    [5, 1, 1],
  ])
  expect(windowPeak(made, 1)).toMatchObject({ requestsPerSec: 3, inputTokensPerSec: 30 })
  expect(windowPeak(made, 2)).toMatchObject({ requestsPerSec: 2.5, outputTokensPerSec: 5.5 })
})

test('a longer window never has a higher peak than its length allows, a peak never lies below the mean', () => {
  const row = fc.tuple(fc.double({ min: 0, max: 100, noNaN: true }), fc.nat(5_000), fc.nat(500))
  fc.assert(
    fc.property(fc.array(row, { minLength: 2, maxLength: 100 }), (made) => {
      const t = trace(made)
      const { requests } = traceTotals(t)
      expect(windowPeak(t, 200).requestsPerSec * 200).toBeCloseTo(requests, 6)
      expect(windowPeak(t, 1).requestsPerSec).toBeGreaterThanOrEqual(windowPeak(t, 10).requestsPerSec - 1e-9)
    }),
  )
})

// The statistics were taken by another program, which counts in whole ticks of 100 ns.
describe('cuts of the Azure traces of 2023', () => {
  test.each([
    ['code', 2_000, 853.079, 13.3254, 1_986.5785, 29.512],
    ['conv', 3_000, 628.703, 1.0939, 1_150.1027, 259.4157],
  ] as const)('%s', async (name, requests, spanS, cv, input, output) => {
    const totals = traceTotals(await readTrace(azureTrace(name), { allowGaps: true }))
    expect(totals.requests).toBe(requests)
    expect(totals.spanS).toBeCloseTo(spanS, 3)
    expect(totals.interArrivalCv).toBeCloseTo(cv, 3)
    expect(totals.inputTokens / requests).toBeCloseTo(input, 3)
    expect(totals.outputTokens / requests).toBeCloseTo(output, 3)
  })

  test('a pause of more than two minutes in fourteen is a gap', async () => {
    await expect(readTrace(azureTrace('code'))).rejects.toThrow('line 65: no request for 144 s before it')
  })

  test('a peak is taken from it, times a scale, over the window that was asked for', async () => {
    const demand = await buildDemand(planOptions({ trace: azureTrace('conv'), scale: '1000', window: '10s' }))
    expect(demand.requestsPerSec).toBeCloseTo(8_000, 6)
    expect(demand).toMatchObject({ window: { seconds: 10, stated: true }, requestsKnown: true })
    expect(demand.burst.factor).toBeCloseTo(1.75, 9)
    expect(demand.notes.join()).toContain('peak over mean at 10 s: requests 1.7x')
  })
})
