// Every format of datasets, from its fixture to the requests that are sent.
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { tempDir } from '../../support/temp-dir.ts'
import { asks, fixture, sendAll } from './sent.ts'

const dir = tempDir()
afterAll(() => dir.remove())

describe('found out by the file', () => {
  it('ShareGPT: the conversation up to the last user, tool calls as OpenAI has them', () => {
    const { bodies, workload } = sendAll(fixture('sharegpt.json'))
    expect(bodies).toEqual([
      {
        model: 'gpt-4o-mini',
        messages: [
          { role: 'system', content: 'Answer in one sentence.' },
          { role: 'user', content: 'What does a gateway add to the latency of a request?' },
          {
            role: 'assistant',
            content: 'The time of its own work, twice a hop on the network, and a wait where it is busy.',
          },
          { role: 'user', content: 'And "tail latency": is it [only] noise?\nSay why. NONCE' },
        ],
      },
      {
        model: 'gpt-4o-mini',
        messages: [
          { role: 'user', content: 'How warm is it in Oslo?' },
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
            ],
          },
          { role: 'tool', tool_call_id: 'call_1', content: '{"celsius": 4}' },
          { role: 'assistant', content: 'Four degrees.' },
          { role: 'user', content: 'And in Łódź? NONCE' },
        ],
      },
    ])
    expect(workload.notes).toEqual([`${fixture('sharegpt.json')}: 1 row asks nothing and is left out`])
  })

  it('OpenAI Batch: each request with its own model, members and max_tokens', () => {
    const { bodies, workload } = sendAll(fixture('openai-batch.jsonl'), { stream: true })
    expect(bodies).toEqual([
      {
        model: 'gpt-4o',
        temperature: 0.2,
        messages: [
          { role: 'system', content: 'Answer in one word.' },
          { role: 'user', content: 'The capital of Norway? NONCE' },
        ],
        max_tokens: 12,
        stream: true,
        stream_options: { include_usage: true },
      },
      asks('The capital of Poland?', { stream: true, stream_options: { include_usage: true } }),
    ])
    expect(workload.model).toBe('gpt-4o, gpt-4o-mini')
    expect(
      sendAll(fixture('openai-batch.jsonl'), { model: [{ name: 'm', weight: 1 }] }).bodies.map(({ model }) => model),
    ).toEqual(['m', 'm'])
  })

  it("vLLM's custom dataset: an output length a row", () => {
    expect(sendAll(fixture('vllm.jsonl')).bodies).toEqual([
      asks('Name three rivers of Europe.', { max_tokens: 16 }),
      asks('Write a haiku about queues.', { max_tokens: 40 }),
    ])
  })

  it('AIPerf single_turn: texts, images, output lengths, extra members', () => {
    const { bodies } = sendAll(fixture('aiperf-single-turn.jsonl'))
    expect(bodies).toEqual([
      asks('What is machine learning?', { max_tokens: 50 }),
      {
        model: 'gpt-4o-mini',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Compare these two words.' },
              { type: 'text', text: 'Latency, throughput. NONCE' },
            ],
          },
        ],
        temperature: 0.7,
      },
      {
        model: 'gpt-4o-mini',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is in the picture? NONCE' },
              { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            ],
          },
        ],
      },
    ])
  })

  it('AIPerf multi_turn: a leading system turn goes before the first user', () => {
    expect(sendAll(fixture('aiperf-multi-turn.jsonl')).bodies).toEqual([
      {
        model: 'gpt-4o-mini',
        messages: [
          { role: 'system', content: 'You are terse.' },
          { role: 'user', content: 'What is machine learning?' },
          { role: 'user', content: 'Give an example. NONCE' },
        ],
        max_tokens: 30,
      },
      asks('Explain neural networks.'),
    ])
  })

  it('rows of the hub: instruction and context are one prompt', () => {
    expect(sendAll(fixture('hub.jsonl')).bodies).toEqual([
      asks('Shorten the text.\n\nIt is the case that queues are waiting.'),
      asks('Name a prime number.'),
    ])
  })

  it('CSV: quotes, commas and line ends within fields', () => {
    expect(sendAll(fixture('questions.csv')).bodies).toEqual([
      asks('What is 2 + 2, in one word?'),
      asks('He said "why?"\nWhat is meant?'),
    ])
  })

  it('Parquet by zstd, in two groups of rows, with a value that is missing', () => {
    expect(sendAll(fixture('prompts.zstd.parquet')).bodies).toEqual([
      asks('Say hello.', { max_tokens: 5 }),
      asks('Name a river: Łyna?', { max_tokens: 6 }),
      asks('Count to three.'),
    ])
  })

  it('Parquet by snappy, with lists of messages', () => {
    expect(sendAll(fixture('messages.snappy.parquet')).bodies).toEqual([
      {
        model: 'gpt-4o-mini',
        messages: [
          { role: 'system', content: 'Be terse.' },
          { role: 'user', content: 'Hello? NONCE' },
        ],
      },
      asks('Why?'),
    ])
  })

  it('plain text: a line a prompt, also where it begins like JSON', () => {
    expect(sendAll(fixture('prompts.txt')).bodies).toEqual([
      asks('Say hello in one word'),
      asks('[INST] Count to three. [/INST]'),
      asks('"Why?" she asked: answer her.'),
    ])
  })
})

describe('said by flags', () => {
  it('columns are named', () => {
    const named = { prompt: 'question', output: 'max_len' }
    expect(sendAll(fixture('questions.csv'), { 'dataset-columns': named }).bodies).toEqual([
      asks('What is 2 + 2, in one word?', { max_tokens: 4 }),
      asks('He said "why?"\nWhat is meant?'),
    ])
    expect(sendAll(fixture('hub.jsonl'), { 'dataset-columns': { prompt: 'response' } }).bodies[1]).toEqual(
      asks('Seven.'),
    )
  })

  it('JSON Lines may be meant as plain text', () => {
    expect(sendAll(fixture('vllm.jsonl'), { 'dataset-format': 'text' }).bodies[1]).toEqual(
      asks('{"prompt": "Write a haiku about queues.", "output_tokens": 40}'),
    )
  })

  it('--output-tokens is for the rows without a length of their own, and --max-tokens limits all', () => {
    const limits = { 'output-tokens': { kind: 'constant', value: 20 }, 'max-tokens': 25 } as const
    const lengths = sendAll(fixture('aiperf-single-turn.jsonl'), limits).bodies.map((body) => body.max_tokens)
    expect(lengths).toEqual([25, 20, 20])
  })

  it('a sample is drawn by the seed', () => {
    const sample = (seed: number) => sendAll(fixture('prompts.txt'), { 'dataset-sample': 2, seed }).bodies
    expect(sample(1)).toHaveLength(2)
    expect(sample(1)).toEqual(sample(1))
    expect(new Set([1, 2, 3, 4, 5, 6].map((seed) => JSON.stringify(sample(seed)))).size).toBeGreaterThan(1)
    expect(sendAll(fixture('prompts.txt'), { 'dataset-sample': 9 }).bodies).toHaveLength(3)
  })
})

describe('gzipped', () => {
  it.each(['sharegpt.json', 'openai-batch.jsonl'])('%s is what it is unpacked', (name) => {
    const packed = dir.file(`${name}.gz`)
    const bytes = readFileSync(fixture(name))
    const half = Math.floor(bytes.length / 2)
    // A file may have several members, as what is put together by cat.
    writeFileSync(packed, Buffer.concat([gzipSync(bytes.subarray(0, half)), gzipSync(bytes.subarray(half))]))
    expect(sendAll(packed).bodies).toEqual(sendAll(fixture(name)).bodies)
  })

  it('a larger one is known by its bytes, whatever it is called, and by the name within .gz', () => {
    const prompts = Array.from({ length: 20_000 }, (_, i) => `prompt number ${i} of many`)
    const rows = prompts.map((prompt) => JSON.stringify({ prompt })).join('\n')
    for (const [name, text] of [
      ['rows.bin', rows],
      ['rows.csv.GZ', ['prompt', ...prompts].join('\n')],
    ] as const) {
      const packed = dir.file(name)
      writeFileSync(packed, gzipSync(text))
      const { bodies } = sendAll(packed)
      expect(bodies).toHaveLength(prompts.length)
      expect(JSON.stringify(bodies.at(-1))).toContain(prompts.at(-1))
    }
  })
})
