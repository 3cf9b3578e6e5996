// Everybody reads a stream alike: the client that times it, the count of its tokens, the gateway's events, its output
// policies, and the doctor. The same event is the first token, and text and usage are the same.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ResponseFacts } from '../../reference-gateway/events/response-facts.ts'
import { StreamTimings } from '../../src/client/stream-timings.ts'
import { targetAt } from '../../src/doctor/probe/measure.ts'
import { Prober } from '../../src/doctor/probe/prober.ts'
import { isEmptyAnswer } from '../../src/wire/answer-content.ts'
import { extractAnswerText } from '../../src/wire/answer-text.ts'
import type { TextKind } from '../../src/wire/format.ts'
import { eachEventText } from '../../src/wire/formats.ts'
import { parseObject } from '../../src/wire/json.ts'
import { SseReader } from '../../src/wire/sse.ts'
import { startFilter } from '../reference-gateway/policies/support/filter.ts'
import { httpServer, type TestServer } from '../support/engine.ts'
import { generatedStreams, LETTERS, SECRET, STREAMED_FORMATS } from '../support/generated-streams.ts'
import { asEvents, streamNames, streamPayloads } from '../support/streams.ts'

interface Reading {
  /** Which event holds the first token; -1 without one. */
  first: number
  text: string
}

/** As a client reads it: an event at a time, at the time of its number. */
function byClient(events: readonly string[]) {
  let at = 0
  const timings = new StreamTimings(() => {})
  const reader = new SseReader(
    (data, name) => timings.event(data, at, name),
    (bytes, start, end) => timings.eventBytes(bytes, start, end, at),
  )
  for (const [i, event] of events.entries()) {
    at = i
    reader.push(Buffer.from(event))
  }
  reader.end()
  const { firstTokenUs, tokenEvents, usage, error, garbage } = timings
  const outcome = isEmptyAnswer(timings, usage) ? 'KT_EMPTY' : 'OK'
  expect({ error, garbage }).toEqual({ error: undefined, garbage: undefined })
  return { first: Number.isNaN(firstTokenUs) ? -1 : firstTokenUs, tokenEvents, usage, outcome }
}

/** Output without text: the beginning of a call that has a name, and sound. */
const WITHOUT_TEXT = /"name":\s*"look_up"|"QUJD"/
const REPEATS = /"response\.(?:\w+\.done|completed)"/

/** By the text that counting tokens rests on, and the output that has none. */
function byText(events: readonly string[]): Reading {
  const first = events.findIndex(
    (event, i) =>
      extractAnswerText(events.slice(0, i + 1).join(''), true) !== '' ||
      (WITHOUT_TEXT.test(event) && !REPEATS.test(event)),
  )
  return { first, text: extractAnswerText(events.join(''), true) }
}

/** As the gateway's events tell it. */
function byFacts(events: readonly string[]) {
  const facts = new ResponseFacts({ status: 200, isEventStream: true, contentType: 'text/event-stream' })
  let first = -1
  for (const [i, event] of events.entries()) {
    facts.data(Buffer.from(event))
    if (first < 0 && facts.firstTokenMs > 0) first = i
  }
  return { first, usage: facts.usage() }
}

/** What output policies leave of a stream that they redact by `pattern`, and the first event that they changed. */
function byPolicies(events: readonly string[], pattern: string): Reading & { left: string } {
  const policy = { name: 'p', type: 'output_filter', action: 'redact', replacement: '#', patterns: [pattern] }
  const { filter, written } = startFilter([policy])
  let first = -1
  for (const [i, event] of events.entries()) {
    filter.write(Buffer.from(event))
    if (first < 0 && Buffer.concat(written).includes('#')) first = i
  }
  filter.end()
  const left = Buffer.concat(written).toString()
  return { first, left, text: extractAnswerText(left, true) }
}

/** All texts of each kind, in order. */
function textsByKind(stream: string): Record<TextKind, string> {
  const texts = { visible: '', reasoning: '', tool: '' }
  const reader = new SseReader((data) =>
    eachEventText(parseObject(data) ?? {}, (kind, text) => {
      texts[kind] += text
    }),
  )
  reader.push(Buffer.from(stream))
  return texts
}

/** What the events of a stream hold, without escapes. */
function dataOf(stream: string): string {
  let all = ''
  const reader = new SseReader((data) => {
    all += JSON.stringify(parseObject(data))
  })
  reader.push(Buffer.from(stream))
  return all
}

let served = ''
let server: TestServer
let prober: Prober

beforeAll(async () => {
  server = await httpServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(served)
  })
  prober = new Prober(targetAt(server.origin, 'chat', 'm'), {})
})

afterAll(async () => {
  await prober.close()
  await server.close()
})

/** As the doctor reads it, through a socket. */
async function byDoctor(events: readonly string[]) {
  served = events.join('')
  const { outcome, tokens, usage, text } = await prober.send({ nonce: '', body: '{}', stream: true })
  return { outcome, tokenEvents: tokens.length, usage, text }
}

const billed = (usage: { input: number; output: number } | undefined) => ({
  input_tokens: usage?.input ?? null,
  output_tokens: usage?.output ?? null,
})

async function expectAlike(events: readonly string[]): Promise<void> {
  const client = byClient(events)
  const counted = byText(events)
  const facts = byFacts(events)
  const doctor = await byDoctor(events)
  expect({ counted: counted.first, facts: facts.first }).toEqual({ counted: client.first, facts: client.first })
  expect(facts.usage).toEqual(billed(client.usage))
  expect(doctor).toEqual({
    outcome: client.outcome,
    tokenEvents: client.tokenEvents,
    usage: client.usage,
    text: counted.text,
  })
}

test.each(streamNames)('the recorded stream %s', async (name) => {
  const payloads = streamPayloads(name)
  const isOpenAi = payloads.some((payload) => payload.includes('"choices"'))
  const events = [...payloads, ...(isOpenAi ? ['[DONE]'] : [])].map((payload) => asEvents([payload]))
  await expectAlike(events)
  const { first, text } = byText(events)
  expect(first).toBeGreaterThanOrEqual(0)
  const policies = byPolicies(events, '[^#]')
  expect(policies.text).toBe(text.replaceAll(/[^#]/gu, '#'))
  // Policies look at every string, and so at some before the first token.
  expect(policies.first).toBeLessThanOrEqual(first)
  expect(policies.first).toBeGreaterThanOrEqual(0)
})

test.each(STREAMED_FORMATS)('property: streams of %s, with text in every place', async (format) => {
  const property = fc.asyncProperty(generatedStreams(format), async ({ events, usage }) => {
    await expectAlike(events)
    expect(byClient(events).usage).toMatchObject(usage)
    // Each letter by itself: not one is left, in whatever repeats it.
    const { text } = byText(events)
    const letters = byPolicies(events, LETTERS.source)
    expect(letters.text).toBe(text.replaceAll(new RegExp(LETTERS, 'gu'), '#'))
    expect(dataOf(letters.left)).not.toMatch(LETTERS)
    // Letters that follow each other: in whatever pieces they come.
    const whole = textsByKind(events.join(''))
    const secrets = byPolicies(events, SECRET)
    expect(textsByKind(secrets.left)).toEqual({
      visible: whole.visible.replaceAll(SECRET, '#'),
      reasoning: whole.reasoning.replaceAll(SECRET, '#'),
      tool: whole.tool.replaceAll(SECRET, '#'),
    })
    expect(dataOf(secrets.left)).not.toContain(SECRET)
  })
  await fc.assert(property, { numRuns: 150 })
})
