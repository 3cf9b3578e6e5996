import { describe, expect, it } from 'vitest'
import { createNeverSentResult, type RequestResult } from '../../src/client/request-result.ts'
import { addAll } from '../../src/load/add-up.ts'
import { AnswerSample } from '../../src/load/answer-sampler.ts'
import { ComparedAnswers, comparedSum, isChosen } from '../../src/load/compared-answers.ts'

const answered: RequestResult = { ...createNeverSentResult(0), outcome: 'OK', streamed: true, bodyBytes: 4 }

/** What an arm keeps of the requests from `first` on, every `step`-th, each answered with `text`. */
function keep(count: number, text: string, first = 0, step = 1) {
  const answers = new ComparedAnswers()
  for (let i = 0; i < count; i++) {
    const index = first + i * step
    if (!answers.wants(index)) continue
    const sample = new AnswerSample(index, false)
    sample.push(Buffer.from(text))
    answers.add(sample, answered, 0)
  }
  return answers.toRecord()
}

describe('the answers of an arm that are kept', () => {
  it('are all of a short run, and of a long one a power of two of them, at most 512', () => {
    expect(keep(500, 'data')).toMatchObject({ every: 1, answers: { length: 500 } })
    const { every, answers } = keep(10_000, 'data')
    expect([16, 32, 64]).toContain(every)
    expect(answers.length).toBeGreaterThan(200)
    expect(answers.length).toBeLessThanOrEqual(512)
  })

  it('take no more than 8 MiB, and none that was too long to be kept whole', () => {
    const { every, answers } = keep(500, 'x'.repeat(100_000))
    expect(every).toBeGreaterThan(1)
    expect(answers.length * 100_000).toBeLessThanOrEqual(8 * 1024 * 1024)
    expect(keep(3, 'x'.repeat(200_000)).answers).toEqual([])
  })

  it('are the same requests in both arms, and those of several threads a part of them', () => {
    const indices = (record: ReturnType<typeof keep>) => new Set(record.answers.map(({ index }) => index))
    const [long, short] = [keep(10_000, 'data'), keep(900, 'data')]
    const inShort = indices(short)
    const shared = long.answers.filter(({ index }) => index < 900)
    expect(shared.length).toBeGreaterThan(10)
    expect(shared.filter(({ index }) => !inShort.has(index))).toEqual([])
    const threads = addAll(comparedSum, [keep(5_000, 'data', 0, 2), keep(600, 'data', 1, 2)])
    expect(threads.every).toBeGreaterThan(1)
    expect(threads.answers.every(({ index }) => isChosen(index, threads.every))).toBe(true)
    const odd = threads.answers.filter(({ index }) => index % 2 === 1)
    expect(odd.length).toBeGreaterThan(10)
  })
})
