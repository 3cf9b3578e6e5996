// Tokens that no usage tells: counted after the run by the tokenizer, in answers kept while it ran.
import type { RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import { countTokens as o200k } from 'gpt-tokenizer/encoding/o200k_base'
import { afterEach, describe, expect, it } from 'vitest'
import { countTokens } from '../../src/bench/count-tokens.ts'
import { AnswerSampler } from '../../src/load/answer-sampler.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import type { TokenRecord } from '../../src/load/token-counter.ts'
import { chooseWorkload } from '../../src/workload/choose.ts'
import { httpServer, planFor, run, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(() => server?.close())

type Answer = (asked: number) => string | Buffer

async function tokensOf(answer: Answer, changes: Partial<RunPlan>, stream = false): Promise<TokenRecord> {
  let asked = 0
  const listener: RequestListener = (request, response) => {
    request.resume().on('end', () => {
      const body = answer(asked++)
      const type = stream ? 'text/event-stream' : 'application/json'
      const encoding = Buffer.isBuffer(body) ? { 'content-encoding': 'gzip' } : {}
      response.writeHead(200, { 'content-type': type, ...encoding }).end(body)
    })
  }
  server = await httpServer(listener)
  const plan = planFor(server.origin, changes, stream)
  const { arms } = await run(plan)
  const record = { arms, measuredUs: 1e6 } as unknown as Parameters<typeof countTokens>[1]
  const [arm] = (await countTokens(plan, record)).arms
  if (!arm) throw new Error('no arm')
  return arm.tokens
}

const TEXT = 'Strawberries are unquestionably red; 12,345 of them weigh a tonne.'
const json = (content: string, usage = {}): string => JSON.stringify({ choices: [{ message: { content } }], ...usage })
const sse = (...texts: string[]): string =>
  `${texts.map((content) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`).join('')}data: ` +
  '[DONE]\n\n'
const USAGE = { usage: { prompt_tokens: 5, completion_tokens: 3 } }

describe('tokens without usage', () => {
  it('of whole answers: exactly those of the text, of the prompt too, and said to be so', async () => {
    const tokens = await tokensOf(() => json(TEXT), { requests: 10 })
    expect(tokens).toMatchObject({ output: 10 * o200k(TEXT), fromTokenizer: 10, fromUsage: 0, fromEvents: 0 })
    // 'Say hello', and the nonce of about eight tokens.
    expect(tokens.input).toBeGreaterThan(10 * 6)
    expect(tokens.input).toBeLessThan(10 * 14)
  })

  it.each([
    ['of streams, whatever the events hold', (body: string) => body],
    ['of compressed ones', (body: string) => gzipSync(body)],
  ])('%s', async (_name, pack) => {
    const tokens = await tokensOf(
      () => pack(sse('Strawberries are unques', 'tionably red; 12,345', ' of them weigh a tonne.')),
      { requests: 10 },
      true,
    )
    expect(tokens).toMatchObject({ output: 10 * o200k(TEXT), fromTokenizer: 10, fromEvents: 0 })
  })

  it('of more answers than are kept: by their bytes', async () => {
    const answers = (asked: number): string => json(TEXT.repeat(1 + (asked % 7)))
    const tokens = await tokensOf(answers, { requests: 700 })
    const meanTokens = [1, 2, 3, 4, 5, 6, 7].reduce((sum, times) => sum + o200k(TEXT.repeat(times)) / 7, 0)
    expect(tokens.fromTokenizer).toBe(700)
    expect(tokens.samples.length).toBeLessThanOrEqual(64)
    expect(tokens.output / 700 / meanTokens).toBeGreaterThan(0.97)
    expect(tokens.output / 700 / meanTokens).toBeLessThan(1.03)
  })

  it('of a stream longer than is kept: by the share that was', async () => {
    const texts = Array.from({ length: 4_000 }, () => TEXT)
    const tokens = await tokensOf(() => sse(...texts), { requests: 2 }, true)
    expect(tokens.samples.every(({ text }) => text.length <= 128 * 1024)).toBe(true)
    expect(tokens.output / (2 * o200k(texts.join('')))).toBeCloseTo(1, 2)
  })

  it.each([
    ['of one letter', 'a'],
    ['of spaces', ' '],
    ['without any word', 'Zm9vYmFyYmF6'],
  ])('of long answers %s, in no more time than the run has, and scaled to what was not counted', async (_, piece) => {
    const body = json(piece.repeat(Math.ceil(100_000 / piece.length)))
    const tokens = await tokensOf(() => body, { requests: 60 })
    const each = o200k(piece.repeat(Math.ceil(4_000 / piece.length))) * 25
    expect(tokens.fromTokenizer).toBe(60)
    expect(tokens.output / (60 * each)).toBeGreaterThan(0.9)
    expect(tokens.output / (60 * each)).toBeLessThan(1.3)
  })

  it('of the input of embeddings', async () => {
    const workload = chooseWorkload({
      seed: 1,
      endpoint: 'embeddings',
      'input-tokens': { kind: 'constant', value: 100 },
    })
    const tokens = await tokensOf(() => '{"data":[{"embedding":[1]}]}', { requests: 5, workload })
    expect(tokens.output).toBe(0)
    expect(tokens.input / 5).toBeGreaterThan(104)
    expect(tokens.input / 5).toBeLessThan(112)
  })

  it('beside those with usage: both count, each in its way', async () => {
    const tokens = await tokensOf((asked) => json(TEXT, asked % 2 === 0 ? USAGE : {}), { requests: 20 })
    expect(tokens).toMatchObject({ fromUsage: 10, fromTokenizer: 10, output: 10 * 3 + 10 * o200k(TEXT) })
  })

  it('are not counted where the provider reports usage: no answer is kept', async () => {
    const tokens = await tokensOf(() => json(TEXT, USAGE), { requests: 20 })
    expect(tokens).toMatchObject({ output: 60, fromUsage: 20, fromTokenizer: 0, samples: [] })
  })

  it('are spent all the same: a token budget stops the run', async () => {
    const tokens = await tokensOf(() => json(TEXT.repeat(20)), { requests: 500, tokenBudget: 3_000 })
    expect(tokens.fromTokenizer).toBeLessThan(20)
  })
})

describe('the answers that are kept', () => {
  const answer = { index: 0, streamed: false, text: 'x', share: 1, bodyBytes: 1, requestChars: 1 }

  it('are few, and from the whole of a run however long', () => {
    const sampler = new AnswerSampler()
    for (let index = 0; index < 100_000; index++) {
      if (sampler.next(index)) sampler.keep({ ...answer, index })
    }
    const indexes = sampler.samples.map(({ index }) => index)
    expect(indexes.length).toBeGreaterThanOrEqual(32)
    expect(indexes.length).toBeLessThan(64)
    const mean = indexes.reduce((sum, index) => sum + index, 0) / indexes.length
    expect(mean / 50_000).toBeCloseTo(1, 0)
  })

  it('are not sampled while usage is reported, and are again when it is not', () => {
    const sampler = new AnswerSampler()
    expect(sampler.next(0)).toBeDefined()
    sampler.usageReported()
    expect(sampler.next(1)).toBeUndefined()
    sampler.keep(undefined)
    expect(sampler.next(2)).toBeDefined()
  })
})
