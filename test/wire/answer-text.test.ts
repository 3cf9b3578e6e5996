import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { extractAnswerText, extractRequestText } from '../../src/wire/answer-text.ts'
import { readStreamEvent } from '../../src/wire/formats.ts'

const streams = fileURLToPath(new URL('../../../shared/data/streams', import.meta.url))

describe.skipIf(!existsSync(streams))('recorded streams (skipped where ../shared/data is absent)', () => {
  it.each(globSync(`${streams}/*.chunks.txt`).map((file) => file.slice(streams.length + 1)))(
    '%s: the text is as long as the characters counted on the way',
    (file) => {
      const payloads = readFileSync(`${streams}/${file}`, 'utf8')
        .split('\n')
        .filter((line) => line.trim() !== '')
      let chars = 0
      for (const payload of payloads) {
        const event = readStreamEvent(payload)
        chars += (event?.visibleChars ?? 0) + (event?.reasoningChars ?? 0) + (event?.toolChars ?? 0)
      }
      const text = extractAnswerText(payloads.map((payload) => `data: ${payload}\n\n`).join(''), true)
      expect(text.length).toBe(chars)
    },
  )
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
