import { mkdirSync } from 'node:fs'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { afterAll, describe, expect, it } from 'vitest'
import { chooseWorkload } from '../../src/workload/choose.ts'
import { readWorkloadProfile, workloadNames } from '../../src/workload/profile.ts'
import { requestMaker } from '../../src/workload/request-maker.ts'
import { expectedTokens } from '../../src/workload/workload.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)
describe('workload profiles', () => {
  it('are the nine and a mix of them', () => {
    expect(workloadNames()).toEqual(
      'batch chat chat-long-context code-agent code-generation embeddings mix rag reasoning summarise'.split(' '),
    )
  })

  it.each([
    ['chat', 1_155, 211, true],
    ['chat-long-context', 32_000, 512, true],
    ['rag', 4_096, 512, true],
    ['code-agent', 2_048, 28, true],
    ['code-generation', 1_500, 2_000, true],
    ['summarise', 8_000, 500, true],
    ['batch', 1_000, 1_000, false],
    ['embeddings', 500, 0, false],
    ['reasoning', 1_000, 1_000, true],
  ])('%s: %d tokens in and %d out on average, streamed %s', (name, input, output, stream) => {
    const workload = chooseWorkload({ seed: 1, workload: name })
    expect(workload).toMatchObject({ name, stream })
    const expected = expectedTokens(workload)
    expect(Math.abs(expected.input - 10 - input)).toBeLessThanOrEqual(1)
    expect(Math.abs(expected.output - output)).toBeLessThanOrEqual(1)
    const { body } = requestMaker(workload)('aaaaaaaa', 0)
    expect(JSON.parse(body).stream ?? false).toBe(stream)
  })

  it('rag: the shared instructions are the same system message in every request', () => {
    const make = requestMaker(chooseWorkload({ seed: 1, workload: 'rag' }))
    const systems = [0, 1, 2].map((index) => JSON.parse(make('aaaaaaaa', index).body).messages[0])
    expect(new Set(systems.map(({ content }) => content)).size).toBe(1)
    expect(countTokens(systems[0].content)).toBe(512)
  })

  it('mix: each part has its share, streamed or not as it is', () => {
    const workload = chooseWorkload({ seed: 1, workload: 'mix' })
    const make = requestMaker(workload)
    const streamed = Array.from({ length: 4_000 }, (_, index) => make('aaaaaaaa', index)).filter(({ stream }) => stream)
    expect(streamed.length / 4_000).toBeCloseTo(0.9, 1)
    expect(streamed.every(({ body }) => body.includes('"stream":true'))).toBe(true)
  })

  it('flags win over the profile', () => {
    const changed = chooseWorkload({
      seed: 1,
      workload: 'chat',
      model: [{ name: 'm', weight: 1 }],
      stream: false,
      'output-tokens': { kind: 'constant', value: 3 },
    })
    expect(JSON.parse(requestMaker(changed)('aaaaaaaa', 0).body)).toMatchObject({ model: 'm', max_tokens: 3 })
    expect(changed.stream).toBe(false)
  })

  it("a user's own file, and a mix of them found beside it", () => {
    const own = dir.write('own.yaml', 'about: mine\nsource: me\ninput_tokens: 10\n')
    expect(chooseWorkload({ seed: 1, workload: own })).toMatchObject({
      name: 'own.yaml',
      endpoint: 'chat',
      stream: false,
    })
    const mix = dir.write(
      'two.yaml',
      'about: two\nsource: me\nmix: [{ workload: ./own.yaml, weight: 1 }, { workload: chat, weight: 1 }]',
    )
    expect(readWorkloadProfile(mix).parts).toHaveLength(2)
  })
})

describe('a profile is refused in one message', () => {
  const profile = 'about: a\nsource: s\n'
  it.each([
    ['an unknown name', 'chatt', "there is no workload 'chatt' (did you mean 'chat'?)"],
    ['a name like none', 'zzzzzz', "there is no workload 'zzzzzz'"],
    ['a missing file', './no-such.yaml', 'no such file or folder'],
  ])('%s', (_name, given, message) => {
    expect(() => readWorkloadProfile(given)).toThrow(message)
  })

  it.each([
    ['an unknown key', `${profile}input_token: 5`, "unknown key 'input_token' (did you mean 'input_tokens'?)"],
    ['a negative sigma', `${profile}input_tokens: lognormal(6,-1)`, 'input_tokens: the sigma of lognormal'],
    ['no length', profile, 'input_tokens: expected tokens such as 500'],
    [
      'streamed embeddings',
      `${profile}endpoint: embeddings\nstream: true\ninput_tokens: 5`,
      'answers of embeddings are never streamed',
    ],
    ['a prefix too large', `${profile}input_tokens: 5\nshared_prefix: { tokens: 1000000, count: 9 }`, 'tokens x count'],
    ['a weight of zero', `${profile}mix: [{ workload: chat, weight: 0 }]`, 'mix.0.weight'],
    ['an empty mix', `${profile}mix: []`, 'mix: '],
    ['a mix in a mix', `${profile}mix: [{ workload: mix, weight: 1 }]`, 'mix is a mix itself'],
    ['a mix with a typo', `${profile}mix: [{ workload: ragg, weight: 1 }]`, "did you mean 'rag'?"],
    [
      'a mix of endpoints',
      `${profile}mix: [{ workload: chat, weight: 1 }, { workload: embeddings, weight: 1 }]`,
      'embeddings endpoint, chat to chat',
    ],
    ['no YAML', 'a: [', 'not valid YAML'],
    ['no mapping', '- a', 'not a usable workload profile'],
    ['nothing', '', 'not a usable workload profile'],
  ])('%s', (_name, text, message) => {
    expect(() => readWorkloadProfile(dir.write('bad.yaml', text))).toThrow(message)
  })

  it('a folder', () => {
    mkdirSync(dir.file('folder.yaml'))
    expect(() => readWorkloadProfile(dir.file('folder.yaml'))).toThrow('it is a folder')
  })
})
