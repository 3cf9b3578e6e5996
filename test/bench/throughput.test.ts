// What a run carried a second: the time that rates are over, the basis of tokens, and what is in no figure.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { buildThroughput, loadTimeUs } from '../../src/bench/build-throughput.ts'
import type { ArmRecord } from '../../src/load/arm-record.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { httpServer, planFor, run, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(() => server?.close())

type Answer = (response: ServerResponse, asked: number) => void

async function armOf(answer: Answer, changes: Partial<RunPlan>, stream = false): Promise<ArmRecord> {
  let asked = 0
  server = await httpServer((request: IncomingMessage, response) => {
    request.resume().on('end', () => answer(response, asked++))
  })
  return (await run(planFor(server.origin, changes, stream))).arm
}

const throughputOf = (arm: ArmRecord) => {
  const loadUs = arm.dueUs > 0 ? loadTimeUs(arm) : arm.activeUs
  return buildThroughput(arm, arm.outcomes.OK ?? 0, loadUs)
}

const HIDDEN = { prompt_tokens: 10, completion_tokens: 100, completion_tokens_details: { reasoning_tokens: 90 } }
const event = (delta: object, rest: object = {}): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta }], ...rest })}\n\n`
const words = (count: number): string => event({ content: 'w ' }).repeat(count)
const stream = (...parts: string[]): string => `${parts.join('')}data: [DONE]\n\n`
const whole = (usage: object, message: object = { content: 'one two three' }): string =>
  JSON.stringify({ choices: [{ message, finish_reason: 'stop' }], usage })
const send =
  (body: string): Answer =>
  (response) =>
    response.end(body)

describe('tokens', () => {
  it('of the same answers are the same, streamed and whole, hidden reasoning by name', async () => {
    const streamed = await armOf(send(stream(words(10), event({}, { usage: HIDDEN }))), { requests: 4 }, true)
    await server?.close()
    const asWhole = await armOf(send(whole(HIDDEN)), { requests: 4 })
    for (const { tokens } of [streamed, asWhole]) {
      expect(tokens).toMatchObject({ input: 40, output: 400, hidden: 360, fromUsage: 4 })
    }
    expect(throughputOf(asWhole).hiddenTokensPerSec).toBeCloseTo(
      0.9 * (throughputOf(asWhole).outputTokensPerSec ?? Number.NaN),
      1,
    )
  })

  it('of reasoning whose text is sent are not hidden, streamed or whole', async () => {
    const streamed = await armOf(
      send(stream(event({ reasoning_content: 'hm' }), words(10), event({}, { usage: HIDDEN }))),
      { requests: 2 },
      true,
    )
    await server?.close()
    const asWhole = await armOf(send(whole(HIDDEN, { reasoning_content: 'hm', content: 'w' })), { requests: 2 })
    expect([streamed.tokens.hidden, asWhole.tokens.hidden]).toEqual([0, 0])
    expect(throughputOf(asWhole)).not.toHaveProperty('hiddenTokensPerSec')
  })

  it('of usage that grows with every event are those of the last one', async () => {
    const growing = [4, 8, 12].map((completion_tokens) =>
      event({ content: 'a b c d ' }, { usage: { prompt_tokens: 9, completion_tokens } }),
    )
    const { tokens } = await armOf(send(stream(...growing)), { requests: 3 }, true)
    expect(tokens).toMatchObject({ input: 27, output: 36 })
  })

  it('read from a prompt cache and written to it are parts of the input, in any words', async () => {
    const openai = { prompt_tokens: 100, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 40 } }
    const litellm = { ...openai, cache_read_input_tokens: 40, cache_creation_input_tokens: 10 }
    const anthropic = {
      ...{ input_tokens: 50, output_tokens: 5, cache_read_input_tokens: 40, cache_creation_input_tokens: 10 },
    }
    const gemini = { promptTokenCount: 100, candidatesTokenCount: 5, cachedContentTokenCount: 40 }
    const bodies = [
      whole(openai),
      whole(litellm),
      JSON.stringify({ content: [{ type: 'text', text: 'a' }], usage: anthropic }),
      JSON.stringify({ candidates: [{ content: { parts: [{ text: 'a' }] } }], usageMetadata: gemini }),
    ]
    const arm = await armOf((response, asked) => response.end(bodies[asked]), { requests: 4 })
    expect(arm.tokens).toMatchObject({ input: 400, output: 20, cached: 160, cacheWritten: 20, fromUsage: 4 })
    const { inputTokensPerSec, cachedTokensPerSec, cacheWrittenTokensPerSec } = throughputOf(arm)
    expect((cachedTokensPerSec ?? 0) / (inputTokensPerSec ?? 1)).toBeCloseTo(0.4, 3)
    expect((cacheWrittenTokensPerSec ?? 0) / (inputTokensPerSec ?? 1)).toBeCloseTo(0.05, 3)
  })

  it.each([
    ['zeros', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }],
    ['nothing', {}],
    ['a total of zero', { total_tokens: 0, total_characters: 0 }],
    ['no output, although there is some', { prompt_tokens: 7, completion_tokens: 0 }],
  ])('of usage that tells %s are not told', async (_, usage) => {
    const asWhole = await armOf(send(whole(usage)), { requests: 2 })
    await server?.close()
    const streamed = await armOf(send(stream(event({ content: 'a' }, { usage }))), { requests: 2 }, true)
    for (const { tokens } of [asWhole, streamed]) {
      expect(tokens).toMatchObject({ fromUsage: 0, input: 0, withoutUsage: { requests: 2 } })
    }
  })

  it('of the input alone are told by embeddings', async () => {
    const body = JSON.stringify({ data: [{ embedding: [1] }], usage: { prompt_tokens: 7, total_tokens: 7 } })
    const { tokens } = await armOf(send(body), { requests: 2 })
    expect(tokens).toMatchObject({ input: 14, output: 0, fromUsage: 2 })
  })

  it('that failed answers had generated are apart', async () => {
    const part = (completion_tokens: number): string =>
      event({ content: 'w ' }, { usage: { prompt_tokens: 9, completion_tokens } })
    const all = Array.from({ length: 20 }, (_, i) => part(i + 1))
    const arm = await armOf(
      (response, asked) => {
        if (asked % 2 === 0) response.end(stream(...all))
        else response.write(all.slice(0, 10).join(''), () => setTimeout(() => response.destroy(), 20))
      },
      { requests: 10 },
      true,
    )
    expect(arm.outcomes).toEqual({ OK: 5, KT_TRUNCATED: 5 })
    expect(arm.tokens).toMatchObject({ input: 45, output: 100, fromUsage: 5, failedAnswers: 5, failedOutput: 50 })
    expect(throughputOf(arm)).toMatchObject({
      counted: { usage: 5, tokenizer: 0, events: 0 },
      failedAnswers: { answers: 5, outputTokens: 50 },
    })
  })
})

describe('rates', () => {
  const open = (rps: number, maxInFlight = 100): RunPlan['load'] => ({ mode: 'open', rps, maxInFlight })
  const answerAfter =
    (ms: number): Answer =>
    (response) =>
      setTimeout(() => response.end(whole({ prompt_tokens: 1, completion_tokens: 1 })), ms)

  it('are over the time in which requests were due: the gap after the last one is a part of it', async () => {
    const arm = await armOf(answerAfter(0), { requests: 5, load: open(20) })
    expect(arm.dueUs).toBe(250_000)
    expect(throughputOf(arm).requestsPerSec / 20).toBeCloseTo(1, 1)
  })

  it('have no drain in their time, however long answers take', async () => {
    const arm = await armOf(answerAfter(500), { requests: undefined, durationUs: 500_000, load: open(20) })
    expect(arm.outcomes).toEqual({ OK: 10 })
    expect(arm.dueUs).toBe(500_000)
    expect(arm.activeUs).toBeGreaterThan(900_000)
    expect(throughputOf(arm).requestsPerSec / 20).toBeGreaterThan(0.8)
  })

  it('are lower where requests left late', async () => {
    const arm = await armOf(answerAfter(50), { requests: 20, load: open(200, 1) })
    expect(arm.dueUs).toBe(100_000)
    expect(arm.lateUs).toBeGreaterThan(500_000)
    expect(throughputOf(arm).requestsPerSec).toBeLessThan(25)
  })

  it('are those of the answers where these fall behind requests that left in time', async () => {
    let busy = Promise.resolve()
    // One answer after another, 20 ms each: 50 a second.
    const serial: Answer = (response) => {
      busy = busy.then(
        () =>
          new Promise((resolve) =>
            setTimeout(() => {
              response.end(whole({ prompt_tokens: 1, completion_tokens: 1 }))
              resolve()
            }, 20),
          ),
      )
    }
    const arm = await armOf(serial, { requests: 50, load: open(100) })
    expect(arm.outcomes).toEqual({ OK: 50 })
    expect(throughputOf(arm).requestsPerSec).toBeLessThan(65)
  })
})
