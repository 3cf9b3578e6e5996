// What a user changes in the requests that kt writes: the bodies as they leave, and what is refused.
import { crc32, inflateSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { parseBenchOptions } from '../../../src/bench/options.ts'
import { requestMaker } from '../../../src/workload/request-maker.ts'
import { expectedTokens, workloadSha256 } from '../../../src/workload/workload.ts'
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

describe('what stands beside the prompt', () => {
  interface Part {
    type: string
    text?: string
    image_url?: { url: string }
  }
  const partsOf = (body: Record<string, unknown>): Part[] => (body.messages as { content: Part[] }[])[0]?.content ?? []

  it('--image is a PNG of that size, before the text, and --images are unlike each other', () => {
    const parts = partsOf(sent({ prompt: 'Look', image: '64x48', images: '2' }))
    expect(parts.map(({ type }) => type)).toEqual(['image_url', 'image_url', 'text'])
    expect(parts.at(-1)?.text).toBe('Look NONCE')
    const [one, other] = parts.slice(0, 2).map(({ image_url: { url = '' } = {} }) => readPng(url))
    expect(one).toMatchObject({ width: 64, height: 48, chunks: ['IHDR', 'IDAT', 'IEND'], bytes: 48 * (1 + 64 * 3) })
    expect(other?.data).not.toEqual(one?.data)
    // The same again, and none of it is a token of the prompt.
    expect(sent({ prompt: 'Look', image: '64x48', images: '2' })).toEqual(
      sent({ prompt: 'Look', image: '64x48', images: '2' }),
    )
    const tokens = (values: Record<string, unknown>) => expectedTokens(workloadOf({ prompt: 'Look', ...values })).input
    expect(tokens({ image: '512x512' }) - tokens({})).toBeLessThan(100)
  })

  it('goes into the last message of a dataset, and after its own parts', () => {
    const messages = [{ role: 'system', content: 'Be brief.' }, ...said([{ type: 'text', text: 'Look' }])]
    const prompts = dir.write('messages.jsonl', JSON.stringify({ messages }))
    const body = sent({ prompts, image: '8x8' }) as { messages: { role: string; content: Part[] }[] }
    expect(body.messages[0]).toEqual({ role: 'system', content: 'Be brief.' })
    expect(body.messages[1]?.content.map(({ type }) => type)).toEqual(['image_url', 'text'])
  })

  it('--tools are so many, of about so many tokens, with --extra-body beside them', async () => {
    const { tools, tool_choice: choice } = sent({
      prompt: 'Hi',
      tools: '8x400',
      'extra-body': '{"tool_choice":"none"}',
    })
    const { encode } = await import('gpt-tokenizer')
    const defined = tools as { type: string; function: { name: string } }[]
    expect(choice).toBe('none')
    expect(new Set(defined.map((tool) => tool.function.name)).size).toBe(8)
    for (const tool of defined) {
      const tokens = encode(JSON.stringify(tool.function)).length
      expect(Math.abs(tokens - 400)).toBeLessThan(60)
    }
  })

  it('--json-schema asks for an answer of that form', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } }
    const format = (content: unknown) =>
      sent({ prompt: 'Hi', 'json-schema': dir.write('s.json', content) }).response_format
    expect(format(schema)).toEqual({ type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } })
    const whole = { name: 'mine', strict: false, schema }
    expect(format(whole)).toEqual({ type: 'json_schema', json_schema: whole })
  })

  it.each<[Record<string, unknown>, string]>([
    [{ image: '512' }, "--image: '512' is not a size in pixels such as '512x512'"],
    [{ image: '0x5' }, "--image: '0x5' is not a size"],
    [{ image: '99999x99999' }, "'99999x99999' is too large"],
    [{ image: '4096x4096', images: '100' }, 'is above 16,777,216 pixels or 100 images'],
    [{ images: '2' }, '--images says how many, not how large'],
    [{ tools: 'many' }, "--tools: 'many' is not a number of tools"],
    [{ 'json-schema': 'no-such.json' }, '--json-schema: no-such.json: ENOENT'],
    [{ image: '8x8', endpoint: 'completions' }, '--image does not go with --endpoint completions'],
    [{ tools: '2x100', endpoint: 'messages' }, '--tools does not go with --endpoint messages'],
    [{ image: '8x8', body: 'b.json' }, '--image does not go with --body'],
    [{ 'max-tokens': '5', 'max-tokens-field': 'max_tokens', endpoint: 'responses' }, '--max-tokens-field does not go'],
  ])('%o is refused', (values, message) => {
    expect(messageOf(() => parseBenchOptions({ values }))).toContain(message)
  })
})

/** By RFC 2083; throws where a check does not agree. */
function readPng(url: string) {
  const png = Buffer.from(url.replace('data:image/png;base64,', ''), 'base64')
  const chunks: string[] = []
  let at = 8
  let data = Buffer.alloc(0)
  while (at < png.length) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    if (crc32(png.subarray(at + 4, at + 8 + length)) !== png.readUInt32BE(at + 8 + length)) throw new Error(type)
    if (type === 'IDAT') data = inflateSync(png.subarray(at + 8, at + 8 + length))
    chunks.push(type)
    at += 12 + length
  }
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), chunks, data, bytes: data.length }
}
