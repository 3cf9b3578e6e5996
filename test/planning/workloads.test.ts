// A profile that both `kt bench --workload` and `kt plan --profile` name is one thing: the plan counts with the mean
// tokens of what the bench sends.
import { afterAll, describe, expect, test } from 'vitest'
import { readRequestKinds } from '../../src/planning/workloads.ts'
import { normalCdf } from '../../src/stats/distributions.ts'
import { chooseWorkload } from '../../src/workload/choose.ts'
import type { TokenDistribution } from '../../src/workload/distribution.ts'
import { workloadNames } from '../../src/workload/profile.ts'
import { requestMaker } from '../../src/workload/request-maker.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)
const kinds = readRequestKinds()
const shared = kinds.all().filter(({ name }) => workloadNames().includes(name))

test('every kind of request that ships with the planner is a workload of the bench', () => {
  expect(shared.map(({ name }) => name)).toEqual(kinds.names)
  expect(shared.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['chat', 'code-agent', 'rag', 'batch', 'embeddings', 'reasoning']),
  )
})

test.each([
  ['chat', 1_155, 211],
  ['code-agent', 2_048, 28],
  ['rag', 4_096, 512],
  ['reasoning', 1_000, 300],
])('%s: %d tokens in, %d visible tokens out', (name, input, output) => {
  const kind = kinds.named(name, '--profile')
  expect(kind.inputTokens).toBeCloseTo(input, 1)
  expect(kind.outputTokens).toBeCloseTo(output, 1)
})

/** The mean of the whole numbers that are drawn, summed number by number: sum of P(N > k). */
function sumOfDraws(distribution: TokenDistribution, most: number): number {
  if (distribution.kind === 'constant') return distribution.value
  if (distribution.kind !== 'lognormal') throw new Error('no profile that ships has another distribution')
  const { mu, sigma } = distribution
  let sum = 1
  for (let k = 1; k < most; k++) sum += normalCdf((mu - Math.log(k + 0.5)) / sigma)
  return sum
}

/** Standard deviation of a draw over its mean. */
function variation(distribution: TokenDistribution | undefined): number {
  return distribution?.kind === 'lognormal' ? Math.sqrt(Math.expm1(distribution.sigma ** 2)) : 0
}

describe.each(shared)('$name', ({ name, inputTokens, outputTokens, hiddenTokens, streamed }) => {
  const workload = chooseWorkload({ seed: 7, workload: name })
  const [part] = workload.parts
  if (part?.source.kind !== 'generated') throw new Error('a profile generates its text')
  const { source, outputTokens: asked } = part

  test('the plan counts with the exact mean of what is drawn', () => {
    expect(inputTokens / (sumOfDraws(source.inputTokens, 2_000_000) + source.prefixTokens)).toBeCloseTo(1, 4)
    const output = asked ? sumOfDraws(asked, 131_072) : 0
    expect(Math.abs(outputTokens + hiddenTokens - output)).toBeLessThanOrEqual(output * 1e-4)
    expect(part.stream).toBe(streamed)
  })

  test('requests as they are sent have that mean, within five standard errors', () => {
    const requests = 4_000
    const make = requestMaker(workload)
    let [input, output] = [0, 0]
    for (let i = 0; i < requests; i++) {
      const { body } = make('aaaaaaaa', i)
      const { messages, input: text, max_tokens = 0 } = JSON.parse(body)
      const texts: string[] = messages ? messages.map(({ content }: { content: string }) => content) : [text].flat()
      // Each generated word is one token; the last word is the nonce, which is none of the workload's.
      input += texts.reduce((sum, each) => sum + each.split(' ').length, -1)
      output += max_tokens
    }
    const within = (sampled: number, mean: number, distribution: TokenDistribution | undefined): void => {
      const bound = (5 * variation(distribution)) / Math.sqrt(requests)
      expect(Math.abs(sampled / requests - mean)).toBeLessThanOrEqual(mean * bound + 1e-9)
    }
    within(input, inputTokens, source.inputTokens)
    within(output, outputTokens + hiddenTokens, asked)
  })
})

describe("a user's file", () => {
  test('names a workload of its own beside it, or says its tokens', () => {
    dir.write('mine.yaml', "about: mine\nsource: me\nstream: true\ninput_tokens: 'uniform(10,30)'\noutput_tokens: 40\n")
    const kinds = readRequestKinds(
      dir.write('kinds.yaml', 'a: { workload: ./mine.yaml, hidden: 15 }\nb: { input: 5, output: 6, source: told }\n'),
    )
    expect(kinds.all()).toMatchObject([
      { name: 'a', inputTokens: 20, outputTokens: 25, hiddenTokens: 15, streamed: true, source: 'me' },
      { name: 'b', inputTokens: 5, outputTokens: 6, hiddenTokens: 0, streamed: true, source: 'told' },
    ])
  })

  test.each([
    ['a: { output: 6, source: told }', 'a.input: is missing'],
    ['a: { input: 5, output: 6 }', 'a.source: is missing'],
    ['a: { workload: chat, output: 6 }', 'a.output: the workload chat says it'],
    ['a: { workload: chatt }', "there is no workload 'chatt' (did you mean 'chat'?)"],
    ['a: { workload: mix }', 'a: mix is a mix'],
    ['a: { workload: chat, hidden: 300 }', '300 hidden tokens are more than the 211 output tokens of chat'],
    ['a: { workload: ./short.yaml }', 'does not say how long its answers are'],
  ])('%s is refused', (text, why) => {
    dir.write('short.yaml', 'about: a\nsource: s\ninput_tokens: 10\n')
    expect(() => readRequestKinds(dir.write('refused.yaml', text))).toThrow(why)
  })
})
