// Errors inside answers, in the shapes that providers and gateways send.
import { describe, expect, it, test } from 'vitest'
import { errorText, quotable } from '../../src/wire/answer-error.ts'
import { readStreamEvent } from '../../src/wire/formats.ts'

const choices = [{ index: 0, delta: { content: 'a' }, finish_reason: null }]

describe('an error', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['OpenAI, Gemini', { error: { message: 'overloaded', code: 503, status: 'UNAVAILABLE' } }, 'overloaded'],
    ['of text (TGI, Ollama)', { error: 'no memory', error_type: 'generation' }, 'no memory'],
    ['without a message', { error: { code: 500 } }, '{"code":500}'],
    ['a message in parts', { error: { message: { detail: 'bad' } } }, '{"detail":"bad"}'],
    ['a list', { error: ['a', 'b'] }, '["a","b"]'],
    ['a flag, with the words beside it', { error: true, message: 'worker lost' }, 'worker lost'],
    ['a flag alone', { error: true }, 'true'],
    ['beside choices', { choices, error: { message: 'late' } }, 'late'],
    ['Anthropic', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'Overloaded'],
    ['Responses', { type: 'error', code: 'server_error', message: 'try again', param: null }, 'try again'],
    ['vLLM', { object: 'error', message: 'too long', type: 'BadRequestError', param: null, code: 400 }, 'too long'],
    ['beside empty choices', { object: 'error', message: 'too long', choices: [] }, 'too long'],
    ['an event in JSON', { event: 'error', task_id: 'x', message: 'quota' }, 'quota'],
    ['Databricks', { error_code: 'BAD_REQUEST', message: 'no such endpoint' }, 'no such endpoint'],
    ['other words', { error_code: 336003, error_msg: 'bad format' }, 'bad format'],
    ['a code alone', { error_code: 'BAD_REQUEST' }, '{"error_code":"BAD_REQUEST"}'],
    ['a code and a message', { message: 'worker lost', code: 503 }, 'worker lost'],
    ['a code in words', { code: 'InvalidApiKey', message: 'no key', request_id: 'x' }, 'no key'],
    ['a type that ends so', { message: 'no key', type: 'authentication_error', code: null }, 'no key'],
    ['a response that failed', { object: 'response', status: 'failed', error: null }, 'the response failed'],
    ['a choice', { choices: [{ finish_reason: 'error' }] }, "a choice ended with finish_reason 'error'"],
    ['with its reason', { choices: [...choices, { finish_reason: 'error', error: { message: 'gone' } }] }, 'gone'],
  ])('%s', (_name, json, words) => {
    expect(errorText(json)).toBe(words)
    expect(readStreamEvent(JSON.stringify(json))).toMatchObject({ error: words, visibleChars: 0, ended: false })
  })
})

describe('no error', () => {
  it.each([null, false, 0, '', {}, []])('error: %j', (error) => {
    expect(errorText({ choices, error })).toBeUndefined()
    expect(errorText({ error })).toBeUndefined()
    expect(readStreamEvent(JSON.stringify({ choices, error }))).toMatchObject({ visibleChars: 1 })
  })

  it.each<[string, Record<string, unknown>]>([
    ['a good code', { code: 0, message: 'success' }],
    ['a good status', { code: 200, message: 'OK' }],
    ['a code in words', { code: 'Success', message: 'done' }],
    ['an empty code', { code: '', message: '' }],
    ['a code beside an answer', { code: 7, message: 'ok', choices }],
    ['a code that a tool runs', { type: 'response.code_interpreter_call_code.done', code: 'print(1)' }],
    ['a progress note', { message: 'loading the model' }],
    ['Gemini', { candidates: [{ content: { parts: [] } }], message: 'x', code: 1 }],
    ['a beginning', { type: 'message_start', message: { usage: { input_tokens: 1 } } }],
    ['an answer cut at its length', { choices: [{ finish_reason: 'length' }] }],
  ])('%s', (_name, json) => {
    expect(errorText(json)).toBeUndefined()
  })
})

test('a response that failed says why, or at least that it did', () => {
  const failed = (response: object): string => JSON.stringify({ type: 'response.failed', response })
  expect(readStreamEvent(failed({ error: { code: 'server_error', message: 'sorry' } }))?.error).toBe('sorry')
  expect(readStreamEvent(failed({ error: null }))?.error).toBe('the response failed')
})

test('it is quoted on one line, and not at any length', () => {
  expect(quotable(' a\n b ')).toBe('a b')
  expect(quotable('x'.repeat(10_000)).length).toBe(161)
})
