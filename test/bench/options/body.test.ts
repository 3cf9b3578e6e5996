// What a user changes in the requests that kt writes: the bodies as they leave, and what is refused.
import { afterAll, describe, expect, it } from 'vitest'
import { parseBenchOptions } from '../../../src/bench/options.ts'
import { requestMaker } from '../../../src/workload/request-maker.ts'
import { workloadSha256 } from '../../../src/workload/workload.ts'
import { messageOf } from '../../support/refusal.ts'
import { tempDir } from '../../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

const workloadOf = (values: Record<string, unknown>) => parseBenchOptions({ values }).request

function sent(values: Record<string, unknown>): Record<string, unknown> {
  const { nonce, body } = requestMaker(workloadOf(values))('aaaaaaaa', 0)
  return JSON.parse(body.replace(`kt${nonce}`, 'NONCE'))
}

const model = 'gpt-4o-mini'
const said = (content: unknown) => [{ role: 'user', content }]

describe('--extra-body', () => {
  it('merges members deep, into every kind of request that kt writes', () => {
    const extra = '{"temperature":0,"stream_options":{"include_obfuscation":false},"metadata":{"a":[1,2]}}'
    const merged = {
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
      metadata: { a: [1, 2] },
    }
    const prompts = dir.write('p.jsonl', '{"prompt":"Hi","temperature":1}\n')
    for (const what of [{ prompt: 'Hi' }, { 'input-tokens': '5' }, { prompts }, { workload: 'chat' }]) {
      expect(sent({ ...what, stream: true, 'extra-body': extra })).toMatchObject(merged)
    }
  })

  it('is read from a file, and from the members of a config file', () => {
    const path = dir.write('extra.json', '{"top_p":0.5}')
    const wanted = { model, messages: said('Hi NONCE'), top_p: 0.5 }
    expect(sent({ prompt: 'Hi', 'extra-body': `@${path}` })).toEqual(wanted)
    expect(sent({ prompt: 'Hi', 'extra-body': { top_p: 0.5 } })).toEqual(wanted)
  })

  it('may hold what stands for the nonce before it is known, and a member of any name', () => {
    const body = sent({ prompt: 'Hi', 'extra-body': '{"user":"kt-hole","__proto__":{"polluted":true}}' })
    expect(body).toMatchObject({ user: 'kt-hole', messages: said('Hi NONCE') })
    expect(Object.keys(body)).toContain('__proto__')
    expect('polluted' in {}).toBe(false)
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['no JSON', { 'extra-body': '{' }, '--extra-body: '],
    ['no object', { 'extra-body': '[1]' }, '--extra-body: must be a JSON object'],
    ['no file', { 'extra-body': '@no-such.json' }, 'no-such.json: ENOENT'],
    ['the model', { 'extra-body': '{"model":"a"}' }, "sets 'model', which --model says"],
    ['the prompt', { 'extra-body': '{"messages":[]}' }, "sets 'messages', in place of the prompts"],
    ['a stream', { 'extra-body': '{"stream":true}' }, "sets 'stream', and the run is measured otherwise"],
    ['no stream', { 'extra-body': '{"stream":false}', stream: true }, "sets 'stream', and the run"],
    [
      'no usage',
      { 'extra-body': '{"stream_options":{"include_usage":false}}', stream: true },
      "sets 'stream_options.include_usage'",
    ],
    ['tokens', { 'extra-body': '{"max_tokens":5}', 'output-tokens': '5' }, "sets 'max_tokens', and the run asks"],
    ['newer tokens', { 'extra-body': '{"max_completion_tokens":5}', 'max-tokens': '5' }, "'max_completion_tokens'"],
    ['a whole body', { 'extra-body': '{}', body: 'b.json' }, '--extra-body does not go with --body'],
    ['a whole body', { usage: false, body: 'b.json' }, '--no-usage does not go with --body'],
  ])('%s is refused: %o', (_what, values, message) => {
    expect(messageOf(() => parseBenchOptions({ values }))).toContain(message)
  })

  it('may say what the run does not', () => {
    expect(sent({ prompt: 'Hi', stream: true, 'extra-body': '{"stream":true,"max_tokens":5}' })).toMatchObject({
      max_tokens: 5,
    })
  })
})

describe('the names of members', () => {
  it.each([
    [{ 'max-tokens': '7' }, { max_tokens: 7 }],
    [{ 'max-tokens': '7', 'max-tokens-field': 'max_completion_tokens' }, { max_completion_tokens: 7 }],
    [{ 'output-tokens': '7', 'max-tokens-field': 'max_completion_tokens' }, { max_completion_tokens: 7 }],
  ])('%o', (values, wanted) => {
    expect(sent({ prompt: 'Hi', ...values })).toEqual({ model, messages: said('Hi NONCE'), ...wanted })
  })

  it('--no-usage asks for a stream and nothing else', () => {
    expect(sent({ prompt: 'Hi', stream: true, usage: false })).toEqual({
      model,
      messages: said('Hi NONCE'),
      stream: true,
    })
  })
})

describe('--no-nonce', () => {
  const text = 'Say hello'
  it.each<[string, Record<string, unknown>, unknown]>([
    ['a prompt', { prompt: text }, said(text)],
    ['a dataset', { prompts: () => dir.write('d.jsonl', `{"prompt":"${text}"}\n`) }, said(text)],
    [
      'messages of parts',
      {
        prompts: () =>
          dir.write(
            'parts.jsonl',
            JSON.stringify({ messages: said([{ type: 'image_url', image_url: { url: 'data:,x' } }]) }),
          ),
      },
      said([{ type: 'image_url', image_url: { url: 'data:,x' } }]),
    ],
    ['a whole body', { body: () => dir.write('b.json', JSON.stringify({ model, messages: said(text) })) }, said(text)],
  ])('leaves %s as it is', (_what, values, messages) => {
    const made = Object.entries(values).map(([name, value]) => [name, typeof value === 'function' ? value() : value])
    expect(sent({ ...Object.fromEntries(made), nonce: false })).toEqual({ model, messages })
  })

  it('ends generated text with its last word', () => {
    const { messages } = sent({ 'input-tokens': '5', nonce: false }) as { messages: { content: string }[] }
    expect(messages[0]?.content.split(' ')).toHaveLength(5)
  })

  it('is another workload, and the rest is the same one as ever', () => {
    const usual = workloadSha256(workloadOf({ prompt: text, 'max-tokens': '5' }))
    const hash = (more: Record<string, unknown>) =>
      workloadSha256(workloadOf({ prompt: text, 'max-tokens': '5', ...more }))
    expect(hash({ nonce: true, usage: true, 'max-tokens-field': 'max_tokens' })).toBe(usual)
    expect(hash({ nonce: false })).not.toBe(usual)
    expect(hash({ 'max-tokens-field': 'max_completion_tokens' })).not.toBe(usual)
  })
})
