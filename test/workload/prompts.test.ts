import { afterAll, describe, expect, it } from 'vitest'
import { chooseWorkload, type WorkloadOptions } from '../../src/workload/choose.ts'
import { requestMaker } from '../../src/workload/request-maker.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

const file = (text: string, name = 'in.jsonl'): string => dir.write(name, text)

function sent(options: Partial<WorkloadOptions>, count = 1): Record<string, unknown>[] {
  const make = requestMaker(chooseWorkload({ seed: 1, ...options }))
  return Array.from({ length: count }, (_, index) => {
    const { nonce, body } = make('aaaaaaaa', index)
    return JSON.parse(body.replace(`kt${nonce}`, 'NONCE'))
  })
}

describe('--prompts', () => {
  it('sends a prompt, a {prompt} and {messages} in turn, and begins again', () => {
    const lines = [
      '"one"',
      '{"prompt": "two"}',
      '',
      '{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "three"}]}',
    ]
    const bodies = sent({ prompts: file(`\uFEFF${lines.join('\r\n')}\r\n`), stream: true, 'max-tokens': 7 }, 5)
    const messages = bodies.map((body) => body.messages as { content: string }[])
    expect(messages.map((list) => list.at(-1)?.content)).toEqual(
      ['one', 'two', 'three', 'one', 'two'].map((text) => `${text} NONCE`),
    )
    expect(messages[2]).toHaveLength(2)
    expect(bodies[2]).toMatchObject({ model: 'gpt-4o-mini', stream: true, max_tokens: 7 })
  })

  it('marks the last text of a message made of parts', () => {
    const image = { type: 'image_url', image_url: { url: 'x' } }
    const prompts = file(
      [[{ type: 'text', text: 'look' }, image], [image]]
        .map((content) => JSON.stringify({ messages: [{ role: 'user', content }] }))
        .join('\n'),
    )
    const [first, second] = sent({ prompts }, 2)
    expect(first?.messages).toEqual([{ role: 'user', content: [{ type: 'text', text: 'look NONCE' }, image] }])
    expect(second?.messages).toEqual([{ role: 'user', content: [image, { type: 'text', text: 'NONCE' }] }])
  })

  it('serves the other endpoints too', () => {
    expect(sent({ prompts: file('"text"'), endpoint: 'embeddings' })).toEqual([
      { model: 'gpt-4o-mini', input: 'text NONCE' },
    ])
    expect(sent({ prompts: file('"text"'), endpoint: 'completions' })[0]).toMatchObject({ prompt: 'text NONCE' })
  })

  it.each([
    ['an empty file', '', 'in.jsonl: the file is empty'],
    ['blank lines alone', '\n \n', 'the file is empty'],
    ['a line that is no JSON', '"a"\n\nSay hello\n', 'in.jsonl:3:1: not JSON'],
    ['a number', '"a"\n5', 'in.jsonl:2: neither a prompt nor messages'],
    ['a list in a list', '[["a"]]', 'in.jsonl:1: neither a prompt nor messages'],
    ['an object of another kind', '{"title": "a"}', 'neither a prompt nor messages'],
    ['an empty prompt', '""', 'in.jsonl:1: prompt: must not be empty'],
    ['no messages', '{"messages": []}', 'messages: must hold at least one message'],
    ['a message without a role', '{"messages": [{"content": "a"}]}', 'in.jsonl:1: messages.0.role'],
    ['a message without content', '{"messages": [{"role": "assistant"}]}', 'the last message has no content'],
    ['an unknown key', '{"prompt": "a", "promt": "b"}', "unknown key 'promt' (did you mean 'prompt'?)"],
  ])('refuses %s', (_name, text, message) => {
    expect(() => sent({ prompts: file(text) })).toThrow(message)
  })

  it('refuses messages where the endpoint has none', () => {
    const prompts = file('{"messages": [{"role": "user", "content": "a"}]}')
    expect(() => sent({ prompts, endpoint: 'completions' })).toThrow('messages do not go with --endpoint completions')
  })
})

describe('--body', () => {
  const body = {
    tools: [{ type: 'function' }],
    messages: [{ role: 'user', name: 'n', content: 'hi' }],
    model: 'm',
    temperature: 0,
  }

  it('sends it as it stands, its keys in their order, with the nonce at the end of the last message', () => {
    const [first] = sent({ body: file(JSON.stringify(body)) })
    expect(JSON.stringify(first)).toBe(JSON.stringify(body).replace('"hi"', '"hi NONCE"'))
  })

  it('takes the model and streaming from the flags where they are given', () => {
    expect(
      sent({ body: file(JSON.stringify(body)), model: [{ name: 'other', weight: 1 }], stream: true })[0],
    ).toMatchObject({
      model: 'other',
      stream: true,
    })
    const streamed = file(JSON.stringify({ ...body, stream: true }))
    expect(chooseWorkload({ seed: 1, body: streamed })).toMatchObject({ model: 'm', stream: true, name: 'in.jsonl' })
  })

  it('serves the other endpoints too', () => {
    expect(sent({ body: file('{"model":"m","prompt":"a"}'), endpoint: 'completions' })[0]).toMatchObject({
      prompt: 'a NONCE',
    })
    expect(sent({ body: file('{"model":"m","input":["a","b"]}'), endpoint: 'embeddings' })[0]).toMatchObject({
      input: ['a', 'b NONCE'],
    })
  })

  it.each<[string, string, Partial<WorkloadOptions>, string]>([
    ['an empty file', ' ', {}, 'the file is empty'],
    ['what is no JSON', '{', {}, 'in.jsonl: not JSON'],
    ['what is no object', '[]', {}, 'not a usable request body'],
    ['a body without messages', '{"model":"m"}', {}, "the body has no 'messages'"],
    ['the body of another endpoint', '{"model":"m","input":"a"}', {}, "the body holds 'input', and --endpoint is chat"],
    [
      'a body of Gemini',
      '{"contents":[{"parts":[{"text":"a"}]}]}',
      {},
      "the body holds 'contents', and --endpoint is chat",
    ],
    ['a rerank body', '{"model":"m","query":"a","documents":["b"]}', {}, "the body holds 'query'"],
    ['token ids', '{"model":"m","input":[1,2]}', { endpoint: 'embeddings' }, "'input' ends with no text"],
    ['no model', '{"messages":[{"role":"user","content":"a"}]}', {}, 'the body names no model'],
    [
      'streaming that contradicts',
      '{"model":"m","stream":false,"messages":[{"role":"user","content":"a"}]}',
      { stream: true },
      '"stream": false, the command line --stream',
    ],
  ])('refuses %s', (_name, text, options, message) => {
    expect(() => sent({ body: file(text), ...options })).toThrow(message)
  })

  it('does not call every body with an input one of embeddings: it may be one of Responses', () => {
    const refused = expect.objectContaining({
      next: 'Pass --endpoint embeddings or responses, if it is a request of that one.',
    })
    expect(() => sent({ body: file('{"model":"m","input":"a"}') })).toThrow(refused)
  })
})
