// The category of each request is known when it is made: by endpoint, prompt tokens and headers, the same for every
// arm.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Category } from '../../src/slo/category.ts'
import { readSlo } from '../../src/verdict/slo-file.ts'
import { chooseWorkload } from '../../src/workload/choose.ts'
import { parseDistribution } from '../../src/workload/distribution.ts'
import { requestMaker } from '../../src/workload/request-maker.ts'
import { NO_CATEGORY, reachableCategories, type WorkloadSpec } from '../../src/workload/workload.ts'
import { tempDir } from '../support/temp-dir.ts'

const shipped = readSlo()
const tokens = (text: string) => {
  const parsed = parseDistribution(text)
  return parsed.ok ? parsed.value : undefined
}
const spec = (options: object, changes: Partial<WorkloadSpec> = {}): WorkloadSpec => ({
  ...chooseWorkload({ seed: 1, ...options }),
  categories: shipped,
  ...changes,
})
const names = (places: Iterable<number>) => [...places].map((place) => shipped[place]?.name ?? 'none').sort()
const reach = (options: object, changes = {}) => names(reachableCategories(spec(options, changes)))

describe('what a workload can be', () => {
  it.each<[string, object, string[]]>([
    ['a short prompt', { prompt: 'Hello' }, ['chat-short']],
    ['a long one', { prompt: 'word '.repeat(4_000) }, ['chat-long-context']],
    ['embeddings', { endpoint: 'embeddings', prompt: 'Hello' }, ['embeddings']],
    ['generated text under the edge', { 'input-tokens': tokens('3999') }, ['chat-short']],
    [
      'a shared prefix that lifts it over',
      { 'input-tokens': tokens('3999'), 'shared-prefix-tokens': 1 },
      ['chat-long-context'],
    ],
    [
      'a drawn length on both sides',
      { 'input-tokens': tokens('uniform(3000,5000)') },
      ['chat-long-context', 'chat-short'],
    ],
    ['a drawn length on one side', { 'input-tokens': tokens('uniform(100,3999)') }, ['chat-short']],
    ['batch work, by its header', { workload: 'batch' }, ['batch']],
    ['a mix', { workload: 'mix' }, ['batch', 'chat-long-context', 'chat-short']],
  ])('%s', (_, options, expected) => expect(reach(options)).toEqual(expected))

  it('follows a header that every request is sent with', () => {
    expect(reach({ prompt: 'Hello' }, { headers: { 'x-kt-category': 'batch' } })).toEqual(['batch'])
  })

  it('may be nothing', () => {
    expect(reach({ prompt: 'Hello' }, { categories: shipped.slice(0, 1) })).toEqual(['none'])
  })
})

describe('the category of a request', () => {
  it('is that of its own row of a dataset, in memory and in a file', () => {
    const dir = tempDir()
    for (const count of [10, 400]) {
      const rows = Array.from({ length: count }, (_, i) => ({ prompt: i % 2 === 0 ? 'Hello' : 'word '.repeat(5_000) }))
      const prompts = dir.write(`${count}.json`, rows)
      expect(reach({ prompts })).toEqual(['chat-long-context', 'chat-short'])
      const make = requestMaker(spec({ prompts }))
      for (const i of [0, 1, count - 1, count]) {
        expect(names([make('aaaaaaaa', i).category])).toEqual([i % 2 === 0 ? 'chat-short' : 'chat-long-context'])
      }
    }
    dir.remove()
  })

  it('is that of the text it carries, the same in every arm, and without making it', () => {
    const workload = spec({ 'input-tokens': tokens('uniform(3900,4100)') })
    const make = requestMaker(workload)
    let long = 0
    for (let i = 0; i < 200; i++) {
      const { body, category } = make('aaaaaaaa', i)
      expect(make('bbbbbbbb', i).category).toBe(category)
      expect(make.classOf(i).category).toBe(category)
      // Every word is one token, and the nonce is another word.
      const words = JSON.parse(body).messages[0].content.split(' ').length - 1
      expect(shipped[category]?.name).toBe(words >= 4_000 ? 'chat-long-context' : 'chat-short')
      if (words >= 4_000) long++
    }
    expect(long).toBeGreaterThan(50)
    expect(long).toBeLessThan(150)
  })

  it('is none where nobody asked', () => {
    expect(requestMaker(chooseWorkload({ seed: 1, prompt: 'Hello' }))('aaaaaaaa', 0).category).toBe(NO_CATEGORY)
  })

  it('is always one of those that the workload can reach', () => {
    const length = fc.oneof(
      fc.integer({ min: 1, max: 9_000 }).map(String),
      fc
        .tuple(fc.integer({ min: 1, max: 4_500 }), fc.integer({ min: 0, max: 4_500 }))
        .map(([a, b]) => `uniform(${a},${a + b})`),
      fc
        .tuple(fc.integer({ min: 1, max: 8_000 }), fc.integer({ min: 0, max: 2_000 }))
        .map(([a, b]) => `normal(${a},${b})`),
    )
    const edge = fc.option(fc.integer({ min: 1, max: 6_000 }), { nil: undefined })
    const category = fc.record({ min: edge, max: edge }).map(
      ({ min, max }, i = 0): Category => ({
        name: `c${i}`,
        latency: {},
        ttft: {},
        timeoutMs: 1_000,
        objective: 0.99,
        match: {
          ...(min === undefined ? {} : { minPromptTokens: min }),
          ...(max === undefined ? {} : { maxPromptTokens: max }),
        },
      }),
    )
    fc.assert(
      fc.property(
        length,
        fc.array(category, { minLength: 1, maxLength: 3 }),
        fc.nat(200),
        (text, categories, prefix) => {
          const workload = spec(
            { 'input-tokens': tokens(text), ...(prefix > 0 ? { 'shared-prefix-tokens': prefix } : {}) },
            { categories },
          )
          const reachable = reachableCategories(workload)
          const make = requestMaker(workload)
          for (let i = 0; i < 20; i++) expect(reachable).toContain(make.classOf(i).category)
        },
      ),
      { numRuns: 60 },
    )
  })
})
