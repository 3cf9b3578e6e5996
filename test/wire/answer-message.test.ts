// The model's message in an answer, as the history of a conversation holds it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAnswerMessage } from '../../src/wire/answer-message.ts'

const event = (choice: object) => `data: ${JSON.stringify({ id: 'x', choices: [choice], usage: null })}\n\n`
const delta = (part: object, index = 0) => event({ index, delta: part, finish_reason: null })
const END = 'data: [DONE]\n\n'

describe('a stream', () => {
  it('gives its text in one piece, whatever it holds', () => {
    const pieces = fc.array(fc.string({ unit: 'binary' }), { minLength: 1 })
    const tricky = fc.constantFrom('"delta":{"content":"', '\\', '\\"', '"', '"tool_calls":', '\n\n', 'data: ')
    fc.assert(
      fc.property(fc.array(fc.oneof(tricky, fc.string()), { minLength: 1 }), pieces, (some, others) => {
        const texts = [...some, ...others]
        const stream = [delta({ role: 'assistant', content: '' }), ...texts.map((content) => delta({ content })), END]
        expect(readAnswerMessage(stream.join(''), true)).toEqual({ text: texts.join(''), calls: [] })
      }),
    )
  })

  it.each([
    ['spaces in its JSON', 'data: {"choices": [{"index": 0, "delta": {"content": "one two"}}]}\n\n'],
    ['other members before the text', delta({ refusal: null, content: 'one two' })],
    ['reasoning beside it', delta({ reasoning_content: 'hm' }) + delta({ content: 'one two' })],
    ['a second choice', delta({ content: 'one ' }) + delta({ content: 'no' }, 1) + delta({ content: 'two' })],
    ['content as parts', delta({ content: [{ type: 'text', text: 'one two' }] })],
    ['an end that is cut off', `${delta({ content: 'one two' })}data: {"choices":[{"index":0,"delta":{"content":"thr`],
  ])('with %s', (_, stream) => {
    expect(readAnswerMessage(stream, true).text).toBe('one two')
  })

  it('gives tool calls whose pieces come one by one, beside a text', () => {
    const begun = { index: 0, id: 'call_1', type: 'function', function: { name: 'look', arguments: '' } }
    const piece = (text: string) => delta({ tool_calls: [{ index: 0, function: { arguments: text } }] })
    const stream = [delta({ content: 'wait' }), delta({ tool_calls: [begun] }), piece('{"a"'), piece(':1}'), END]
    const calls = [{ id: 'call_1', name: 'look', arguments: '{"a":1}' }]
    expect(readAnswerMessage(stream.join(''), true)).toEqual({ text: 'wait', calls })
  })
})

it('a whole answer gives its text and its calls; without any both are empty', () => {
  const called = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
  const whole = (message: object) => JSON.stringify({ choices: [{ index: 0, message }] })
  expect(readAnswerMessage(whole({ content: 'hi "you"' }), false)).toEqual({ text: 'hi "you"', calls: [] })
  expect(readAnswerMessage(whole({ content: null, tool_calls: [called] }), false)).toEqual({
    text: '',
    calls: [{ id: 'c', name: 'f', arguments: '{}' }],
  })
  expect(readAnswerMessage('{}', false)).toEqual({ text: '', calls: [] })
})
