// Every API over a real socket, to a provider that insists on its key and its headers: tokens are counted, whole and
// streamed, and the provider's stamp gives the overhead.
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPlan } from '../../src/bench/build-plan.ts'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { resolveTarget } from '../../src/client/target.ts'
import { type SimulatedProvider, startProvider } from '../../src/provider/server.ts'
import { answerText } from '../../src/provider/text.ts'
import { ENDPOINTS, endpointOf } from '../../src/wire/endpoints.ts'
import { buildConversation } from '../../src/wire/template.ts'
import { canConverse } from '../../src/workload/choose.ts'
import { decoded, httpServer, run, type TestServer } from '../support/engine.ts'
import { quickProvider } from '../support/provider.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
let provider: SimulatedProvider

beforeAll(async () => {
  const at = (us: number) => ({ kind: 'fixed' as const, us })
  const latency = { ttft: at(2_000), tokenGap: at(500), seed: 1 }
  provider = await startProvider({ host: '127.0.0.1', port: 0, tokens: 8, apiKey: 'sk-any', latency })
})
afterAll(async () => {
  await provider.close()
  dir.remove()
})

function planOf(values: Record<string, unknown>) {
  const { target, request, load } = parseBenchOptions({
    values: { url: provider.url, 'api-key': 'sk-any', requests: '6', concurrency: '2', warmup: '0', ...values },
  })
  const plan = buildPlan(target, request, load, target.at ? [['target', target.at]] : [])
  return { ...plan, jitWarmup: false }
}

const SPOKEN = ENDPOINTS.filter((name) => name !== 'raw')
const CASES = SPOKEN.flatMap((endpoint) =>
  [false, true].filter((stream) => !stream || endpointOf(endpoint).streams).map((stream) => ({ endpoint, stream })),
)

describe('each API', () => {
  it.each(CASES)('$endpoint, streamed: $stream', async ({ endpoint, stream }) => {
    const { limit } = endpointOf(endpoint)
    const asked = limit ? { 'input-tokens': '20', 'shared-prefix-tokens': '5', 'max-tokens': '7' } : {}
    const { arm } = await run(planOf({ endpoint, stream, ...asked }))
    expect(arm.outcomes, JSON.stringify(arm.details)).toEqual({ OK: 6 })
    expect(decoded(arm.stamped.total).count).toBe(6)
    expect(arm.stamped).toMatchObject({ cacheHits: 0, retried: 0 })
    expect(arm.tokens).toMatchObject({ fromUsage: 6, output: limit ? 42 : 0 })
    expect(arm.tokens.input).toBeGreaterThan(6 * 8)
    if (!stream) return
    expect(decoded(arm.metrics.ttft).count).toBe(6)
    expect(decoded(arm.stamped.perToken).count).toBeGreaterThan(0)
  })

  it.each(SPOKEN.filter((endpoint) => endpointOf(endpoint).limit))('%s: no limit is asked for', async (endpoint) => {
    const { arm } = await run(planOf({ endpoint, requests: '1', prompt: 'Say hello' }))
    expect(arm.outcomes, JSON.stringify(arm.details)).toEqual({ OK: 1 })
    expect(arm.tokens.output).toBe(endpointOf(endpoint).usualLimit ?? 8)
  })

  it('a workload of one API goes to another that takes messages too', async () => {
    const { arm } = await run(planOf({ endpoint: 'messages', workload: 'chat', 'max-tokens': '3' }))
    expect(arm.outcomes, JSON.stringify(arm.details)).toEqual({ OK: 6 })
    expect(() => planOf({ endpoint: 'rerank', workload: 'chat' })).toThrow('goes to the chat endpoint')
  })

  it.each(SPOKEN)('%s: the key goes where the API wants it', async (endpoint) => {
    const { arm } = await run(planOf({ endpoint, requests: '1', 'api-key': 'sk-other' }))
    expect(arm.outcomes).toEqual({ KT_HTTP_401: 1 })
    const [{ headers } = { headers: {} }] = planOf({ endpoint }).arms
    const [name, value] = endpointOf(endpoint).keyHeader('sk-any')
    expect(headers).toMatchObject({ [name]: value, ...endpointOf(endpoint).headers })
  })
})

describe('conversations', () => {
  const CONVERSING = SPOKEN.filter(canConverse)
  /** Passes requests on, and keeps their bodies. */
  async function recorded(): Promise<TestServer & { bodies: Record<string, unknown>[] }> {
    const bodies: Record<string, unknown>[] = []
    const server = await httpServer((request, response) => {
      let text = ''
      request.on('data', (part) => {
        text += part
      })
      request.on('end', async () => {
        bodies.push(JSON.parse(text))
        const headers = Object.fromEntries(
          Object.entries(request.headers).flatMap(([name, value]) =>
            name.includes('-') ? [[name, String(value)]] : [],
          ),
        )
        const authorization = request.headers.authorization ?? ''
        const answer = await fetch(provider.url + request.url, {
          method: 'POST',
          headers: { ...headers, authorization },
          body: text,
        })
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
        response.end(Buffer.from(await answer.arrayBuffer()))
      })
    })
    return { ...server, bodies }
  }

  interface Said {
    role?: string
    content?: string | { text: string }[]
    parts?: { text: string }[]
  }
  interface Body {
    messages?: Said[]
    system?: string
    input?: Said[]
    instructions?: string
    contents?: Said[]
    systemInstruction?: Said
  }
  /** Who said what, as each API has it. */
  const SAID: Record<string, (body: Body) => [string, string][]> = {
    chat: ({ messages = [] }) => rolesOf(messages),
    messages: ({ messages = [], system = '' }) => [['system', system], ...rolesOf(messages)],
    responses: ({ input = [], instructions = '' }) => [['system', instructions], ...rolesOf(input)],
    gemini: ({ contents = [], systemInstruction = {} }) => rolesOf([systemInstruction, ...contents]),
  }
  function rolesOf(list: readonly Said[]): [string, string][] {
    return list.map(({ role = 'system', content, parts = [] }) => {
      const held = content ?? parts
      return [role.replace('model', 'assistant'), typeof held === 'string' ? held : held.map(({ text }) => text).join()]
    })
  }
  it.each(CONVERSING.flatMap((endpoint) => [false, true].map((stream) => ({ endpoint, stream }))))(
    '$endpoint, streamed: $stream: each request holds what was said, and the model’s own answers',
    async ({ endpoint, stream }) => {
      const server = await recorded()
      try {
        const asked = { 'input-tokens': '3', 'shared-prefix-tokens': '2', 'max-tokens': '4' }
        const load = { requests: undefined, turns: '3', sessions: '2', concurrency: '1' }
        const { arm } = await run(planOf({ endpoint, stream, url: server.origin, ...asked, ...load }))
        expect(arm.outcomes, JSON.stringify(arm.details)).toEqual({ OK: 6 })
        expect(decoded(arm.stamped.total).count).toBe(6)
        expect(arm.tokens.output).toBe(24)
        const said = SAID[endpoint]?.(server.bodies[2] ?? {}) ?? []
        expect(said.map(([role]) => role)).toEqual(['system', 'user', 'assistant', 'user', 'assistant', 'user'])
        expect([said[2]?.[1], said[4]?.[1]]).toEqual([answerText(4), answerText(4)])
        expect(said.at(-1)?.[1]).toMatch(/ kt[a-z]{16}$/)
      } finally {
        await server.close()
      }
    },
  )

  it.each(CONVERSING)('%s: messages of a dataset, with calls of tools and their results', async (endpoint) => {
    const server = await recorded()
    try {
      const call = { id: 'c1', type: 'function', function: { name: 'look_up', arguments: '{"of":"x"}' } }
      const messages = [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Look it up.' },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c1', content: 'found' },
        { role: 'user', content: 'And now?' },
      ]
      const prompts = dir.file('messages.jsonl')
      writeFileSync(prompts, `${JSON.stringify({ messages })}\n`)
      const { arm } = await run(planOf({ endpoint, url: server.origin, prompts, requests: '2', 'max-tokens': '4' }))
      expect(arm.outcomes, JSON.stringify(arm.details)).toEqual({ OK: 2 })
      expect(decoded(arm.stamped.total).count).toBe(2)
      expect(JSON.stringify(server.bodies[0])).toMatch(
        /Be brief\..*Look it up\..*look_up.*found.*And now\? kt[a-z]{16}/,
      )
    } finally {
      await server.close()
    }
  })

  it.each(CONVERSING)('%s: the nonce may end what a tool returned', async (endpoint) => {
    const nonce = 'abcdefghijklmnop'
    const messages = [
      { role: 'user', content: 'Look it up.' },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: `found kt${nonce}` },
    ]
    const shape = { endpoint, model: 'm', stream: false }
    const { origin, path } = resolveTarget(provider.url, shape)
    const { keyHeader, headers } = endpointOf(endpoint)
    const answer = await fetch(origin + path, {
      method: 'POST',
      headers: Object.fromEntries([...Object.entries(headers), keyHeader('sk-any')]),
      body: JSON.stringify({
        ...buildConversation(shape, messages),
        ...(endpoint === 'messages' && { max_tokens: 2 }),
      }),
    })
    expect(await answer.text()).toContain(`kt1.${nonce}.`)
  })

  it('what another API has no words for is refused with its place, before anything is sent', () => {
    const prompts = dir.file('odd.jsonl')
    const content = [
      { type: 'input_audio', input_audio: { data: 'QUJD' } },
      { type: 'text', text: 'What is it?' },
    ]
    writeFileSync(prompts, `${JSON.stringify({ messages: [{ role: 'user', content }] })}\n`)
    expect(() => planOf({ endpoint: 'messages', prompts })).toThrow(
      'odd.jsonl:1: --endpoint messages does not carry content of the type input_audio',
    )
    expect(() => planOf({ endpoint: 'rerank', turns: '3' })).toThrow('--turns does not go with --endpoint rerank')
  })
})

describe('a gateway that translates drops the member of the stamp', () => {
  it.each([false, true])('the stamp in the text gives the overhead, streamed: %s', async (stream) => {
    const behind = await quickProvider({ stampInText: true, gapMs: 100 })
    // As LiteLLM does it with Anthropic's answers.
    const server = await httpServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', async () => {
        const answer = await fetch(behind.url + request.url, { method: 'POST', body: Buffer.concat(chunks) })
        response.writeHead(200, { 'content-type': answer.headers.get('content-type') ?? '' })
        for await (const piece of answer.body ?? []) {
          response.write(
            Buffer.from(piece)
              .toString()
              .replaceAll(/,"system_fingerprint":"[^"]*"/g, ''),
          )
        }
        response.end()
      })
    })
    try {
      const asked = { url: server.origin, 'max-tokens': '2', concurrency: '1', requests: '3' }
      const { arm } = await run(planOf({ stream, ...asked }))
      expect(arm.outcomes, JSON.stringify(arm.details)).toEqual({ OK: 3 })
      expect(arm.tokens.output).toBe(6)
      const total = decoded(arm.stamped.total)
      expect(total.count).toBe(3)
      // The end has a stamp of its own: the 100 ms after the last token are the provider's.
      expect(total.quantileUs(0)).toBeLessThan(80_000)
      if (stream) expect(decoded(arm.stamped.perToken).count).toBeGreaterThan(0)
    } finally {
      await Promise.all([server.close(), behind.close()])
    }
  })
})

describe('a body of the user', () => {
  const BODIES = {
    messages: { model: 'claude', max_tokens: 5, messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] },
    responses: {
      model: 'gpt',
      max_output_tokens: 5,
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }],
    },
    gemini: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], generationConfig: { maxOutputTokens: 5 } },
    rerank: { model: 'ranker', query: 'Hi', documents: ['a', { text: 'b' }], top_n: 1 },
  } as const

  it.each(Object.entries(BODIES))(
    '%s: the nonce ends its last text, and nothing else changes',
    async (endpoint, own) => {
      const body = dir.file(`${endpoint}.json`)
      writeFileSync(body, JSON.stringify(own))
      const { arm } = await run(planOf({ endpoint, body, requests: '3', model: 'gemini-2.5-flash' }))
      expect(arm.outcomes, JSON.stringify(arm.details)).toEqual({ OK: 3 })
      expect(arm.tokens.output).toBe(endpoint === 'rerank' ? 0 : 15)
      expect(decoded(arm.stamped.total).count).toBe(3)
    },
  )

  it('raw: any JSON as it is, counted by status and by its first and last byte', async () => {
    const bodies: string[] = []
    const server = await httpServer((request, response) => {
      let text = ''
      request.on('data', (part) => {
        text += part
      })
      request.on('end', () => {
        bodies.push(text)
        const failed = bodies.length === 2
        response.writeHead(failed ? 418 : 200, { 'content-type': 'text/csv', 'server-timing': 'kt-provider;dur=0.5' })
        response.write('a,b\n')
        setTimeout(() => response.end('1,2\n'), 5)
      })
    })
    try {
      const body = dir.file('raw.json')
      const text = '[ 1, {"any": "JSON"} ]\n'
      writeFileSync(body, text)
      const { arm } = await run(
        planOf({ endpoint: 'raw', url: `${server.origin}/any?x=1`, body, requests: '4', concurrency: '1' }),
      )
      expect(bodies).toEqual([text, text, text, text])
      expect(arm.outcomes).toEqual({ OK: 3, KT_HTTP_4XX: 1 })
      expect(decoded(arm.metrics.latency).count).toBe(3)
      expect(decoded(arm.stamped.total).count).toBe(3)
      expect(arm.tokens).toMatchObject({ input: 0, output: 0 })
    } finally {
      await server.close()
    }
  })
})

describe('what cannot be asked for', () => {
  const raw = dir.file('any.json')
  writeFileSync(raw, '{}')
  it.each([
    [{ endpoint: 'raw' }, '--endpoint raw sends a file as it is'],
    [{ endpoint: 'raw', body: raw, url: undefined }, '--endpoint raw sends a file to an address'],
    [{ endpoint: 'raw', body: raw, model: 'm' }, '--model does not go with --endpoint raw'],
    [{ endpoint: 'raw', body: raw, 'cache-hits': '30%' }, '--cache-hits does not go with --endpoint raw'],
    [{ endpoint: 'raw', body: raw, stream: true }, '--stream does not go with --endpoint raw'],
    [{ endpoint: 'rerank', stream: true }, '--stream does not go with --endpoint rerank'],
    [{ endpoint: 'rerank', 'max-tokens': '5' }, '--max-tokens does not go with --endpoint rerank'],
    [{ endpoint: 'messages', body: raw }, "the body has no 'messages'"],
  ])('%o', (values, why) => {
    expect(() => planOf(values)).toThrow(why)
  })
})
