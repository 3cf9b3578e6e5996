// Answers that nest deeper than a recursive function can follow: read, or told to be errors, never an end of the run.
import { expect, test } from 'vitest'
import { errorText, errorTextIn } from '../../src/wire/answer-error.ts'
import { extractAnswerText, extractRequestText, readAnswerTexts } from '../../src/wire/answer-text.ts'
import { readStreamEvent } from '../../src/wire/formats.ts'
import { readErrorAnswer, readJsonAnswer } from '../../src/wire/json-answer.ts'

const DEPTH = 50_000
const deep = '['.repeat(DEPTH) + ']'.repeat(DEPTH)

test.each([
  `{"error":{"message":${deep}}}`,
  `{"error":${deep}}`,
  `{"error":{"code":${deep}}}`,
  `{"type":"error","code":${deep}}`,
  `{"choices":[{"index":0,"finish_reason":"error","error":{"code":${deep}}}]}`,
])('an error is told: %.40s', (text) => {
  expect(errorText(JSON.parse(text))).toBe('"(nested too deep)"')
  expect(errorTextIn(`[${text}]`)).toBe('"(nested too deep)"')
  expect(readErrorAnswer(text)).toBe('"(nested too deep)"')
  expect(readStreamEvent(text)?.error).toBe('"(nested too deep)"')
  expect(readJsonAnswer(Buffer.from(text))).toBeUndefined()
})

const chat = (message: string): string => `{"choices":[{"index":0,"message":{"role":"assistant",${message}}}]}`

test.each<[string, boolean]>([
  [chat(`"content":${deep}`), false],
  [chat(`"content":"a","tool_calls":[{"id":"t","function":{"name":"f","arguments":${deep}}}]`), true],
  [`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":${deep}}}}]}}]}`, true],
  [
    `{"type":"message","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":${deep}}}],` +
      '"stop_reason":"tool_use"}',
    true,
  ],
  [`{"choices":[{"index":0,"message":{"content":"a"}}],"usage":{"prompt_tokens":${deep}}}`, true],
])('an answer is read: %.60s', (text, shown) => {
  expect(readJsonAnswer(Buffer.from(text))?.content.shown).toBe(shown)
  expect(() => [extractAnswerText(text, false), readAnswerTexts(text, false), extractRequestText(text)]).not.toThrow()
  const event = text.replace('"message":', '"delta":')
  expect(() => [readStreamEvent(event), extractAnswerText(`data: ${event}\n\n`, true)]).not.toThrow()
})
