// A trace on its way to the senders: which rows, when; what is refused; and how much of it is in memory.

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { requestMaker } from '../../../src/workload/request-maker.ts'
import { TraceFeed } from '../../../src/workload/traces/feed.ts'
import { createRing, RING_ROWS, RingRows } from '../../../src/workload/traces/ring.ts'
import type { TraceSelection } from '../../../src/workload/traces/select.ts'
import type { WorkloadSpec } from '../../../src/workload/workload.ts'
import { laterRefusalOf } from '../../support/refusal.ts'
import { mkfifo, posix } from '../../support/special-files.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { azureTrace, traceFixture } from '../../support/traces.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const ALL: TraceSelection = {
  speed: 1,
  share: 1,
  seed: 1,
  fromUs: 0,
  toUs: Number.POSITIVE_INFINITY,
  rows: Number.POSITIVE_INFINITY,
  durationUs: Number.POSITIVE_INFINITY,
}

/** The rows that a selection comes to, as a sender sees them. */
async function fed(path: string, selection: Partial<TraceSelection> = {}) {
  const ring = createRing()
  const feed = new TraceFeed({ path, selection: { ...ALL, ...selection } }, ring, () => {})
  await feed.start()
  const rows = new RingRows(ring)
  while (!rows.over) await new Promise((resolve) => setTimeout(resolve, 2))
  const totals = await feed.close()
  if (feed.fault) throw feed.fault
  return { ring, rows, totals, due: Array.from({ length: rows.written }, (_, row) => rows.dueUs(row)) }
}

const HEAD = 'TIMESTAMP,ContextTokens,GeneratedTokens\n'
const csv = (...rows: string[]): string => dir.write('trace.csv', HEAD + rows.map((row) => `${row}\n`).join(''))

describe('which rows are replayed', () => {
  const path = csv('100,1,1', '110,2,2', '111,3,3', '130,4,4')

  test('all of them, at their times after the first', async () => {
    const { due, totals } = await fed(path)
    expect(due).toEqual([0, 10e6, 11e6, 30e6])
    expect(totals).toMatchObject({ format: 'Azure', rows: 4, inputTokens: 10, outputTokens: 10, spanUs: 40e6 })
  })

  test('a window of the trace, faster, at most so many or so long', async () => {
    expect((await fed(path, { speed: 10 })).due).toEqual([0, 1e6, 1.1e6, 3e6])
    const window = await fed(path, { fromUs: 5e6, toUs: 30e6, speed: 2 })
    expect(window.due).toEqual([2.5e6, 3e6])
    expect(window.rows.inputTokens(1)).toBe(3)
    expect((await fed(path, { rows: 2 })).due).toEqual([0, 10e6])
    expect((await fed(path, { durationUs: 11e6 })).due).toEqual([0, 10e6])
  })

  test('a share of them: the same ones for the same seed, each at its own time', async () => {
    const whole = await fed(azureTrace('conv'))
    const [share, again, other] = await Promise.all([
      fed(azureTrace('conv'), { share: 0.1 }),
      fed(azureTrace('conv'), { share: 0.1 }),
      fed(azureTrace('conv'), { share: 0.1, seed: 2 }),
    ])
    expect(share.due.length).toBeGreaterThan(240)
    expect(share.due.length).toBeLessThan(360)
    expect(share.due.every((atUs) => whole.due.includes(atUs))).toBe(true)
    expect(again.totals?.sha256).toBe(share.totals?.sha256)
    expect(other.totals?.sha256).not.toBe(share.totals?.sha256)
  })
})

describe('what is refused, each in one sentence with its line and column', () => {
  test.each([
    [['1,5,5', '2,5,0'], 'line 3, column GeneratedTokens: 0 tokens: no request has none'],
    [['1,0,5'], 'line 2, column ContextTokens: 0 tokens: no request has none'],
    [['1,5,5', '2,NaN,5'], "line 3, column ContextTokens: 'NaN' is not a whole number of 0 or more"],
    [['1,5,5', '2,5.5,5'], "line 3, column ContextTokens: '5.5' is not a whole number of 0 or more"],
    [['1,5,5', '2,9000000,5'], 'line 3, column ContextTokens: 9000000 tokens: more than any model takes'],
    [['9,5,5', '2,5,5'], 'line 3, column TIMESTAMP: time runs backwards, by 7 s: sort the trace'],
    [['1,5,5', '86401,5,5'], 'line 3, column TIMESTAMP: no request for 24 h before it'],
    [['1,5,5', '2;5;5'], 'line 3: 1 columns, and the titles are 3'],
    [['1,5,5', '2,"5,5'], 'line 3: Quote Not Closed'],
    [[], ': no request in it'],
  ])('%j', async (rows, why) => {
    const refusal = await laterRefusalOf(() => fed(csv(...rows)))
    expect(refusal.message).toContain(why)
    expect(refusal.message).not.toContain('\n')
    expect(refusal.exitCode).toBe(2)
  })

  test('a gap that the speed makes short is none', async () => {
    expect((await fed(csv('1,5,5', '86401,5,5'), { speed: 1_000 })).due).toEqual([0, 86.4e6])
  })

  test('a window without a request', async () => {
    const refusal = await laterRefusalOf(() => fed(csv('1,5,5', '2,5,5'), { fromUs: 5e6 }))
    expect(refusal.message).toContain('none of its 2 requests is replayed')
  })

  test('semicolons, and a file that is none', async () => {
    const semicolons = dir.write('semicolons.csv', 'TIMESTAMP;ContextTokens;GeneratedTokens\n1;5;5\n')
    expect((await laterRefusalOf(() => fed(semicolons))).message).toContain('line 1: the columns are separated by semi')
    expect((await laterRefusalOf(() => fed(dir.file('nowhere.csv')))).message).toContain('no such file or folder')
    expect((await laterRefusalOf(() => fed(dir.write('cut.jsonl', '{"timestamp": 1, "input_le')))).message).toContain(
      'line 1, column 27: not a JSON object: it is cut off',
    )
  })
})

test.runIf(posix)('through a FIFO no more is in memory than the ring holds', { timeout: 60_000 }, async () => {
  const path = mkfifo(dir.file('fifo'))
  const rows = 400_000
  const writing = (async () => {
    const out = createWriteStream(path)
    out.write(HEAD)
    for (let row = 0; row < rows; row += 1_000) {
      const text = Array.from({ length: 1_000 }, (_, i) => `${((row + i) / 100).toFixed(2)},10,5\n`).join('')
      if (!out.write(text)) await once(out, 'drain')
    }
    out.end()
  })()
  const ring = createRing()
  let accounted = 0
  const feed = new TraceFeed({ path, selection: ALL }, ring, (from, to) => {
    expect(from).toBe(accounted)
    accounted = to
  })
  await feed.start()
  const view = new RingRows(ring)
  await new Promise((resolve) => setTimeout(resolve, 300))
  // Nothing was taken: the reader waits, and with it the writer behind the pipe.
  expect(view.written).toBeLessThanOrEqual(RING_ROWS)
  expect(view.over).toBe(false)
  for (let row = 0; row < rows; row++) {
    while (Number.isNaN(view.dueUs(row)) && !view.over) {
      view.take(row, 0)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    if (row % 40_000 === 7) expect(view.dueUs(row)).toBe(row * 1e4)
  }
  view.take(rows, 0)
  expect((await feed.close())?.rows).toBe(rows)
  expect(accounted).toBe(rows)
  await writing
})

test('more hashes than the ring holds: those of each row are its own until it is sent', async () => {
  const [rows, each] = [3_000, 586]
  const line = (row: number): string => {
    const ids = Array.from({ length: each }, (_, i) => row * 10 + (i % 10))
    return JSON.stringify({ timestamp: row, input_length: each * 512, output_length: 1, hash_ids: ids })
  }
  const path = dir.write('hashes.jsonl', Array.from({ length: rows }, (_, row) => `${line(row)}\n`).join(''))
  const ring = createRing()
  const feed = new TraceFeed({ path, selection: ALL }, ring, () => {})
  await feed.start()
  const view = new RingRows(ring)
  for (let row = 0, before = 0; row < rows; row++) {
    view.take(row, 0)
    // The reader is as far ahead as it goes.
    while (view.written <= row || (row % 500 === 0 && view.written > before)) {
      before = view.written
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const own = [view.idCount(row), view.id(row, 0), view.id(row, each - 1)]
    if (own.join() !== [each, row * 10, row * 10 + 5].join()) expect([row, own]).toEqual([row, [each, row * 10]])
  }
  view.take(rows, 0)
  expect((await feed.close())?.ids).toBe(rows * each)
})

describe('the text of a row', () => {
  async function maker(path: string) {
    const { ring } = await fed(path)
    const around = { before: '[', between: '', after: ']' }
    const spec: WorkloadSpec = {
      ...{ name: 'trace', endpoint: 'chat', model: 'm', stream: false, seed: 1 },
      parts: [{ weight: 1, stream: false, source: { kind: 'trace', around, ring } }],
    }
    const make = requestMaker(spec)
    return (index: number) => {
      const { body } = make('testtags', index)
      const [, text = '', output] = /^\[(.*) \S+\],"max_tokens":(\d+)\}$/.exec(body) ?? []
      return { words: text.split(' '), output: Number(output) }
    }
  }

  test('has its tokens, and asks for its output tokens', async () => {
    const make = await maker(azureTrace('conv'))
    expect(make(0)).toMatchObject({ words: { length: 374 }, output: 44 })
    expect(make(1)).toMatchObject({ words: { length: 396 }, output: 109 })
    expect(make(0).words.slice(0, 20)).not.toEqual(make(1).words.slice(0, 20))
  })

  test('the same hashes give the same blocks: prompts share the prefixes that the recorded ones shared', async () => {
    const make = await maker(traceFixture('mooncake-conversation.jsonl'))
    const [first, second] = [make(0).words, make(1).words]
    expect([first.length, second.length]).toEqual([6_758, 7_322])
    expect(first.slice(0, 512)).toEqual(second.slice(0, 512))
    expect(first.slice(512, 540)).not.toEqual(second.slice(512, 540))
    expect(make(0).words).toEqual(first)
  })
})
