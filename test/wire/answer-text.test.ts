import { expect, test } from 'vitest'
import { extractAnswerText, extractRequestText, readAnswerTexts } from '../../src/wire/answer-text.ts'
import { readStreamEvent } from '../../src/wire/formats.ts'
import { asEvents, streamNames, streamPayloads } from '../support/streams.ts'

test.each(streamNames)('recorded stream %s: the text is as long as the characters counted on the way', (name) => {
  const payloads = streamPayloads(name)
  let chars = 0
  for (const payload of payloads) {
    const event = readStreamEvent(payload)
    chars += (event?.visibleChars ?? 0) + (event?.reasoningChars ?? 0) + (event?.toolChars ?? 0)
  }
  expect(chars).toBeGreaterThan(0)
  expect(extractAnswerText(asEvents(payloads), true).length).toBe(chars)
})

test.each([
  [
    'chat',
    {
      choices: [
        {
          message: {
            content: 'a',
            reasoning_content: 'b',
            reasoning: 'b',
            tool_calls: [{ id: 'x', function: { name: 'f', arguments: '{}' } }],
          },
        },
      ],
    },
    'ba{}',
  ],
  ['completions', { choices: [{ text: 'a' }] }, 'a'],
  [
    'Messages',
    {
      type: 'message',
      content: [
        { type: 'text', text: 'a' },
        { type: 'thinking', thinking: 'b' },
      ],
    },
    'ab',
  ],
  ['Gemini', { candidates: [{ content: { parts: [{ text: 'a' }, { text: 'b' }], role: 'model' } }] }, 'ab'],
  ['Responses', { output: [{ type: 'message', content: [{ type: 'output_text', text: 'a' }] }] }, 'a'],
  ['embeddings', { data: [{ embedding: [1] }] }, ''],
])('a whole answer of %s', (_name, answer, text) => {
  const found = extractAnswerText(JSON.stringify(answer), false)
  expect([...found].sort()).toEqual([...text].sort())
})

test('what is no JSON has no text, and does not throw', () => {
  for (const streamed of [true, false]) expect(extractAnswerText('data: {"choices": [{"de', streamed)).toBe('')
})

test.each([
  [
    {
      messages: [
        { role: 'system', content: 'a' },
        { role: 'user', content: [{ type: 'text', text: 'b' }] },
      ],
    },
    'a\nb',
  ],
  [{ prompt: 'a' }, 'a'],
  [{ input: ['a', 'b'] }, 'a\nb'],
])('the text of a request: %j', (body, text) => {
  expect(extractRequestText(JSON.stringify(body)).trim()).toBe(text)
})

test('the texts of several choices are apart, however their events come in turns', () => {
  const event = (index: number, delta: object) => JSON.stringify({ choices: [{ index, delta }] })
  const ab = [event(0, { content: 'a' }), event(1, { content: 'x' }), event(0, { content: 'b' })]
  const said = [
    { choice: 0, kind: 'visible', text: 'ab' },
    { choice: 1, kind: 'visible', text: 'x' },
  ]
  expect(readAnswerTexts(asEvents(ab), true)).toEqual(said)
  const [a = '', x = '', b = ''] = ab
  expect(readAnswerTexts(asEvents([x, a, b]), true)).toEqual(said)
  const whole = { choices: [0, 1].map((index) => ({ index, message: { content: index === 0 ? 'ab' : 'x' } })) }
  expect(readAnswerTexts(JSON.stringify(whole), false)).toEqual(said)
})

test.each(streamNames)('recorded stream %s: the texts apart are as long as all of it', (name) => {
  const body = asEvents(streamPayloads(name))
  const length = readAnswerTexts(body, true).reduce((sum, { text }) => sum + text.length, 0)
  expect(length).toBe(extractAnswerText(body, true).length)
})
