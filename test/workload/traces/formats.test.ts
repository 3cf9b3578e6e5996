// Every format of the table, by its cut in fixtures/traces: which requests, when, of which size.
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { RowReader } from '../../../src/workload/traces/rows.ts'
import { readPieces } from '../../../src/workload/traces/source.ts'
import { laterRefusalOf } from '../../support/refusal.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { traceFixture } from '../../support/traces.ts'

const dir = tempDir()
afterAll(() => dir.remove())

function bytes(name: string, content: Buffer): string {
  writeFileSync(dir.file(name), content)
  return dir.file(name)
}

interface Read {
  format: string
  failed: number
  atUs: number[]
  input: number[]
  output: number[]
  ids: (readonly number[] | undefined)[]
}

async function read(path: string, columns?: ConstructorParameters<typeof RowReader>[1]['columns']): Promise<Read> {
  const rows: Read = { format: '', failed: 0, atUs: [], input: [], output: [], ids: [] }
  const reader = new RowReader(path, { columns }, (_line, atUs, input, output, ids) => {
    rows.atUs.push(atUs)
    rows.input.push(input)
    rows.output.push(output)
    rows.ids.push(ids)
  })
  for await (const piece of readPieces(path, () => reader.lines)) {
    reader.push(piece)
    reader.release(Number.POSITIVE_INFINITY)
  }
  reader.end()
  reader.release(Number.POSITIVE_INFINITY)
  return { ...rows, format: reader.format, failed: reader.failed }
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)

// Requests, those that had failed, and the tokens that are left, counted by another program.
test.each([
  ['azure-code-2023.csv', 'Azure', 2_000, 0, 3_973_157, 59_024],
  ['azure-conv-2023.csv', 'Azure', 3_000, 0, 3_450_308, 778_247],
  ['azure-2024-form.csv', 'Azure', 24, 0, 17_210, 3_820],
  ['burstgpt-form.csv', 'BurstGPT', 22, 2, 20_418, 3_759],
  ['mooncake-conversation.jsonl', 'Mooncake', 46, 0, 564_975, 16_647],
  ['vllm-timed.jsonl', 'Mooncake', 24, 0, 24_601, 3_814],
  ['aiperf-schedule.jsonl', 'Mooncake', 24, 0, 25_918, 3_266],
  ['otel-spans.jsonl', 'OpenTelemetry', 24, 0, 25_278, 3_403],
  ['litellm.jsonl', 'LiteLLM', 23, 1, 21_989, 3_375],
  ['envoy-ai-gateway.jsonl', 'Envoy', 23, 0, 25_884, 3_220],
  ['kong-file-log.jsonl', 'Kong', 23, 0, 22_796, 3_521],
])('%s', async (file, format, requests, failed, input, output) => {
  const rows = await read(traceFixture(file))
  expect(rows).toMatchObject({ format, failed })
  expect(rows.atUs.length).toBe(requests)
  expect({ input: sum(rows.input), output: sum(rows.output) }).toEqual({ input, output })
  expect(rows.atUs).toEqual(rows.atUs.toSorted((a, b) => a - b))
})

describe('times', () => {
  const at = async (text: string): Promise<number[]> =>
    (await read(dir.write('times.csv', `TIMESTAMP,ContextTokens,GeneratedTokens\n${text}`))).atUs
  const epoch = Date.UTC(2024, 4, 10) * 1_000

  test('a stamp without a zone is UTC, one with an offset is moved by it', async () => {
    expect(
      await at('2024-05-10 00:00:00.25,1,1\n2024-05-10T02:00:00.5+02:00,1,1\n2024-05-09T19:30:01-0430,1,1\n'),
    ).toEqual([epoch + 250_000, epoch + 500_000, epoch + 1_000_000])
  })

  test('a day that no month has is no time', async () => {
    const refusal = await laterRefusalOf(() => at('2023-02-29 00:00:00,1,1\n'))
    expect(refusal.message).toContain("line 2, column TIMESTAMP: '2023-02-29 00:00:00' is not a time")
  })
})

test("a user's own columns, in CSV with quotes and in JSON members of members", async () => {
  const csv = dir.write('own.csv', '\uFEFFwho,"when, ms",in,out\r\n"a, b",0,5,1\r\nc,1500, 7 ,"2"\r\n')
  const own = await read(csv, { at: 'when, ms', unit: 'ms', input: 'in', output: 'out' })
  expect(own).toMatchObject({ format: 'columns', atUs: [0, 1_500_000], input: [5, 7], output: [1, 2] })
  const json = dir.write('own.jsonl', '{"t":1,"usage":{"in":5,"out":1}}\n{"t":2.5,"usage":{"in":7,"out":2}}\n')
  const members = await read(json, { at: 't', unit: 's', input: 'usage.in', output: 'usage.out' })
  expect(members).toMatchObject({ atUs: [1_000_000, 2_500_000], input: [5, 7], output: [1, 2] })
  const refusal = await laterRefusalOf(() => read(csv, { at: 'wen', unit: 's', input: 'in', output: 'out' }))
  expect(refusal.message).toContain('line 1: no column wen')
})

test('one JSON document of spans over several lines is read as well', async () => {
  const batches = readFileSync(traceFixture('otel-spans.jsonl'), 'utf8').trim().split('\n')
  const resourceSpans = batches.flatMap((line) => (JSON.parse(line) as { resourceSpans: unknown[] }).resourceSpans)
  const whole = await read(dir.write('spans.json', JSON.stringify({ resourceSpans }, undefined, 2)))
  const lines = await read(traceFixture('otel-spans.jsonl'))
  expect(whole).toEqual(lines)
})

test('a gzipped trace, also one of several members, and one that is cut', async () => {
  const text = readFileSync(traceFixture('azure-conv-2023.csv'))
  const half = text.indexOf('\n', text.length / 2) + 1
  const plain = await read(traceFixture('azure-conv-2023.csv'))
  const members = Buffer.concat([gzipSync(text.subarray(0, half)), gzipSync(text.subarray(half))])
  expect(await read(bytes('members.csv.gz', members))).toEqual(plain)
  const cut = bytes('cut.csv.gz', gzipSync(text).subarray(0, 20_000))
  const refusal = await laterRefusalOf(() => read(cut))
  expect(refusal.message).toMatch(/cut\.csv\.gz, line \d+: the gzip file is cut off here$/)
})

test('rows in the order of their ends are put in that of their beginnings, within what is held back', async () => {
  const line = (second: number): string =>
    JSON.stringify({ startTime: 1_700_000_000 + second, prompt_tokens: 1, completion_tokens: 1 })
  const late = Array.from({ length: 70_000 }, (_, i) => line(i + 1))
  const near = await read(dir.write('near.jsonl', [...late.slice(0, 60_000), line(0)].join('\n')))
  expect(near.atUs[0]).toBe(1_700_000_000e6)
  const far = dir.write('far.jsonl', [...late, line(0)].join('\n'))
  const refusal = await laterRefusalOf(() => read(far))
  expect(refusal.message).toMatch(
    /line 70001, column startTime: time runs backwards, by [\d.]+ s, although 65,536 rows are put in order: sort/,
  )
})
