// What two workloads ask, whatever the API and the model that they ask it of.
import { afterAll, describe, expect, it } from 'vitest'
import type { ApiEndpoint } from '../../src/wire/endpoints.ts'
import { workloadDigests } from '../../src/workload/asked.ts'
import { chooseWorkload, type WorkloadOptions } from '../../src/workload/choose.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const MESSAGE_APIS: ApiEndpoint[] = ['chat', 'messages', 'responses', 'gemini']

const digests = (endpoint: ApiEndpoint, more: Partial<WorkloadOptions> = {}) =>
  workloadDigests(chooseWorkload({ seed: 1, 'max-tokens': 16, endpoint, ...more }))

function kinds(): [string, Partial<WorkloadOptions>][] {
  const talk = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello.' },
    { role: 'user', content: 'And now?' },
  ]
  const rows = [{ prompt: 'One', max_tokens: 4 }, { messages: talk }].map((row) => JSON.stringify(row))
  const file = dir.write('rows.jsonl', rows.join('\n'))
  return [
    ['a prompt', { prompt: 'Say "hello"' }],
    [
      'generated text after a shared prefix',
      {
        'input-tokens': { kind: 'constant', value: 40 },
        'shared-prefix-tokens': 20,
      },
    ],
    ['the rows of a dataset', { prompts: file }],
    ['a streamed profile', { workload: 'chat' }],
    ['members of the user', { changes: { extra: { temperature: 0 } } }],
  ]
}

describe('what is asked', () => {
  it.each(kinds())('%s is the same of every API that takes messages', (_, options) => {
    const each = MESSAGE_APIS.map((endpoint) => digests(endpoint, options))
    expect(new Set(each.map(({ asked }) => asked)).size).toBe(1)
    expect(new Set(each.map(({ sha256 }) => sha256)).size).toBe(MESSAGE_APIS.length)
  })

  it('is the same of another model', () => {
    const [a, b] = ['one', 'other'].map((name) => digests('chat', { model: [{ name, weight: 1 }] }))
    expect(a?.asked).toBe(b?.asked)
    expect(a?.sha256).not.toBe(b?.sha256)
  })

  it.each<[string, Partial<WorkloadOptions>]>([
    ['another prompt', { prompt: 'Something else' }],
    ['another seed', { seed: 2 }],
    ['another limit', { 'max-tokens': 17 }],
    ['a stream', { stream: true }],
    ['a member of the user', { changes: { extra: { temperature: 1 } } }],
    ['no nonce', { changes: { nonce: false } }],
  ])('is not the same with %s', (_, other) => {
    expect(digests('messages', other).asked).not.toBe(digests('chat').asked)
  })

  it('counts the limit that an API insists on, where nothing else limits an answer', () => {
    const none = { 'max-tokens': undefined }
    expect(digests('messages', none).asked).not.toBe(digests('chat', none).asked)
    expect(digests('messages', none).asked).toBe(digests('chat', { 'max-tokens': 256 }).asked)
  })

  it('is unknown of a raw body', () => {
    const body = dir.write('body.json', { any: 1 })
    expect(digests('raw', { body, 'max-tokens': undefined })).toEqual({ sha256: expect.any(String) })
  })
})
