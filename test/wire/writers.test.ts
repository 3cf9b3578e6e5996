/** What the writers of answers write, the readers of their formats read: any text, usage and finish reason. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnswerDelta, AnswerReader, AnswerWriter, FinishReason, TextAnswer } from '../../src/wire/answer.ts'
import { extractAnswerText } from '../../src/wire/answer-text.ts'
import { AnthropicReader, anthropicWriter } from '../../src/wire/anthropic.ts'
import { readStreamEvent, type StreamEvent } from '../../src/wire/formats.ts'
import { GeminiReader, geminiWriter, generatePath, readGeneratePath } from '../../src/wire/gemini.ts'
import { parseObject } from '../../src/wire/json.ts'
import { readJsonAnswer } from '../../src/wire/json-answer.ts'
import { ChatStreamWriter, openaiChatWriter, writeChatAnswer } from '../../src/wire/openai-chat.ts'
import { openaiCompletionsWriter } from '../../src/wire/openai-completions.ts'
import { openaiResponsesWriter } from '../../src/wire/openai-responses.ts'
import { SseReader } from '../../src/wire/sse.ts'
import { mergeUsage, type TokenUsage } from '../../src/wire/usage.ts'

const STAMP = 'kt1.abcdefghabcdefgh.1.42'
const MEMBERS = `,"system_fingerprint":"${STAMP}"`
const ERROR = { status: 500, message: 'it "broke"', type: 'server_error', param: null, code: null }
const FORMATS: readonly [string, AnswerWriter][] = [
  ['openai-chat', openaiChatWriter],
  ['openai-completions', openaiCompletionsWriter],
  ['openai-responses', openaiResponsesWriter],
  ['anthropic', anthropicWriter],
  ['gemini', geminiWriter],
]
const READERS: readonly [string, AnswerWriter, () => AnswerReader][] = [
  ['anthropic', anthropicWriter, () => new AnthropicReader()],
  ['gemini', geminiWriter, () => new GeminiReader('asked')],
]

const finishReason = fc.constantFrom<FinishReason>('stop', 'length', 'content_filter')
const count = fc.nat(1_000_000)
const usage = fc
  .record({ fresh: count, cached: count, cacheWritten: count, visible: count, reasoning: count })
  .map(({ fresh, cached, cacheWritten, visible, reasoning }): TokenUsage => {
    // One that counts nothing is not told.
    return {
      input: fresh + cached + cacheWritten + 1,
      output: visible + reasoning + 1,
      reasoning,
      cached,
      cacheWritten,
    }
  })
const answers: fc.Arbitrary<TextAnswer> = fc.record({
  id: fc.stringMatching(/^[a-z0-9]{1,12}$/),
  created: count,
  model: fc.string(),
  finishReason,
  usage,
  limit: fc.option(count),
  includeUsage: fc.constant(true),
  obfuscation: fc.boolean(),
  promptFilterEvent: fc.boolean(),
})
const texts = fc.array(fc.string({ unit: 'binary', minLength: 1 }), { maxLength: 5 })

function inside(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** The whole stream; `fails` ends it with an error. */
function streamOf(writer: AnswerWriter, answer: TextAnswer, parts: readonly string[], fails = false): string {
  const { open, event, close, fail } = writer.stream(answer)
  const visible = answer.usage.output - answer.usage.reasoning
  const events = parts.map((part) => event(inside(part), visible, MEMBERS))
  return [open(MEMBERS), ...events, fails ? fail(ERROR, MEMBERS) : close(MEMBERS)].join('')
}

function readAll(stream: string): StreamEvent[] {
  const events: StreamEvent[] = []
  const reader = new SseReader((data, name) => {
    const event = readStreamEvent(data, name)
    expect(event).toBeDefined()
    if (event) events.push(event)
  })
  reader.push(Buffer.from(stream))
  return events
}

function usageOf(events: readonly StreamEvent[]): TokenUsage | undefined {
  return events.reduce<TokenUsage | undefined>(
    (all, event) => (event.usage ? mergeUsage(all, event.usage) : all),
    undefined,
  )
}

/** Anthropic has no count of its own for reasoning, the others none for what is written to a cache. */
function toldBy(format: string, told: TokenUsage): TokenUsage {
  return { ...told, ...(format === 'anthropic' ? { reasoning: 0 } : { cacheWritten: 0 }) }
}

describe.each(FORMATS)('%s', (name, writer) => {
  test('a whole answer: text, usage, stamp', () => {
    fc.assert(
      fc.property(answers, fc.string({ unit: 'binary' }), (answer, text) => {
        const body = writer.whole(answer, inside(text))(MEMBERS, ' end')
        expect(extractAnswerText(body, false)).toBe(`${text} end`)
        const read = readJsonAnswer(Buffer.from(body))
        expect(read).toMatchObject({ usage: toldBy(name, answer.usage), stamp: { providerUs: 42 } })
      }),
    )
  })

  test('a stream: texts, usage, stamps, the end', () => {
    fc.assert(
      fc.property(answers, texts, (answer, parts) => {
        const stream = streamOf(writer, answer, parts)
        expect(extractAnswerText(stream, true)).toBe(parts.join(''))
        const events = readAll(stream)
        expect(usageOf(events)).toEqual(toldBy(name, answer.usage))
        expect(events.at(-1)).toMatchObject({ ended: true })
        expect(events.filter(({ ended }) => ended)).toHaveLength(1)
        const stamped = events.filter(({ fingerprint }) => fingerprint === STAMP)
        expect(stamped.length).toBeGreaterThan(parts.length)
      }),
    )
  })

  test('a stream that fails ends with an error', () => {
    fc.assert(
      fc.property(answers, texts, (answer, parts) => {
        const events = readAll(streamOf(writer, answer, parts, true))
        expect(events.at(-1)).toMatchObject({ error: 'it "broke"', ended: false })
      }),
    )
  })
})

describe.each(READERS)('%s for a translation', (name, writer, readerOf) => {
  test('a whole answer becomes a chat answer that says the same', () => {
    fc.assert(
      fc.property(answers, fc.string({ unit: 'binary' }), (answer, text) => {
        const read = readerOf().readWhole(parseObject(writer.whole(answer, inside(text))(MEMBERS, '')) ?? {})
        if ('error' in read) throw new Error(read.error.message)
        expect(read.choices).toEqual([
          { text, reasoning: '', signed: [], toolCalls: [], finishReason: answer.finishReason },
        ])
        expect(read.head).toMatchObject({ model: answer.model, fingerprint: STAMP })
        const chat = writeChatAnswer(read, answer.created)
        expect(extractAnswerText(chat, false)).toBe(text)
        expect(readJsonAnswer(Buffer.from(chat))).toMatchObject({
          usage: { ...toldBy(name, answer.usage), cacheWritten: 0 },
          stamp: { providerUs: 42 },
        })
        expect(parseObject(chat)).toMatchObject({
          id: read.head.id,
          model: answer.model,
          created: answer.created,
          choices: [{ index: 0, finish_reason: answer.finishReason }],
        })
      }),
    )
  })

  test('a stream becomes deltas, complete at its end and not before', () => {
    fc.assert(
      fc.property(answers, texts, (answer, parts) => {
        const reader = readerOf()
        const deltas: AnswerDelta[] = []
        const sse = new SseReader((data) => deltas.push(...reader.readEvent(parseObject(data) ?? {})))
        const { open, event, close } = writer.stream(answer)
        sse.push(Buffer.from(open(MEMBERS) + parts.map((part) => event(inside(part), 0, MEMBERS)).join('')))
        expect(reader.isComplete).toBe(false)
        sse.push(Buffer.from(close(MEMBERS)))
        expect(reader.isComplete).toBe(true)
        const said = deltas.flatMap((delta) => (delta.kind === 'text' ? delta.text : []))
        expect(said.join('')).toBe(parts.join(''))
        expect(deltas.filter(({ kind }) => kind === 'finish')).toEqual([
          { kind: 'finish', choice: 0, reason: answer.finishReason },
        ])
        const told = deltas.flatMap((delta) => (delta.kind === 'usage' ? delta.usage : []))
        expect(told.reduce<TokenUsage | undefined>(mergeUsage, undefined)).toEqual(toldBy(name, answer.usage))
      }),
    )
  })

  test.each(['constructor', 'toString', 'whatever'])('the finish reason %s is a stop', (reason) => {
    const whole = name === 'gemini' ? { candidates: [{ finishReason: reason }] } : { content: [], stop_reason: reason }
    expect(readerOf().readWhole(whole)).toMatchObject({ choices: [{ finishReason: 'stop' }] })
  })
})

test('a translated stream: reasoning, text and tool calls of several choices, in OpenAI’s chunks', () => {
  const told: TokenUsage = { input: 9, output: 7, reasoning: 2, cached: 4, cacheWritten: 0 }
  const writer = new ChatStreamWriter(1, true)
  writer.setHead({ id: 'i"d', model: 'm', fingerprint: STAMP })
  const toolCall = { id: 'c', name: 'f', arguments: '' }
  const stream = [
    writer.write({ kind: 'begin', choice: 1 }),
    writer.write({ kind: 'reasoning', choice: 1, text: 'h"m' }),
    writer.write({ kind: 'text', choice: 1, text: 'a\n' }),
    writer.write({ kind: 'call', choice: 1, call: 0, toolCall }),
    writer.write({ kind: 'arguments', choice: 1, call: 0, text: '{}' }),
    writer.write({ kind: 'finish', choice: 1, reason: 'tool_calls' }),
    writer.end(told),
  ].join('')
  const chunks = stream
    .split('\n\n')
    .map((event) => parseObject(event.slice('data: '.length)))
    .filter((chunk) => chunk !== undefined)
  expect(chunks.every(({ id, object }) => id === 'i"d' && object === 'chat.completion.chunk')).toBe(true)
  expect(chunks.map(({ choices }) => choices)).toMatchObject([
    [{ index: 1, delta: { role: 'assistant', content: '' }, finish_reason: null }],
    [{ index: 1, delta: { reasoning_content: 'h"m' } }],
    [{ index: 1, delta: { content: 'a\n' } }],
    [{ index: 1, delta: { tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f' } }] } }],
    [{ index: 1, delta: { tool_calls: [{ index: 0, function: { arguments: '{}' } }] } }],
    [{ index: 1, delta: {}, finish_reason: 'tool_calls' }],
    [],
  ])
  const events = readAll(stream)
  expect(usageOf(events)).toEqual(told)
  expect(events.reduce((sum, { toolChars }) => sum + toolChars, 0)).toBe(2)
})

test('the address of a request for Gemini names the model and whether to stream', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.boolean(), (model, stream) => {
      const [path = ''] = generatePath(model, stream).split('?')
      expect(readGeneratePath(path)).toEqual({ model: encodeURIComponent(model), stream })
    }),
  )
})
