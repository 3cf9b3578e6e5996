import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import { embeddingsBody } from '../../src/provider/embeddings.ts'
import { chatBody, completionsBody } from '../../src/provider/openai.ts'
import { findNonce } from '../../src/wire/nonce.ts'
import { chooseWorkload, type WorkloadOptions } from '../../src/workload/choose.ts'
import type { TokenDistribution } from '../../src/workload/distribution.ts'
import { requestMaker } from '../../src/workload/request-maker.ts'
import { type WorkloadSpec, workloadSha256 } from '../../src/workload/workload.ts'

const constant = (value: number): TokenDistribution => ({ kind: 'constant', value })
const lognormal: TokenDistribution = { kind: 'lognormal', mu: 5, sigma: 1 }
const spec = (options: Partial<WorkloadOptions> = {}): WorkloadSpec => chooseWorkload({ seed: 1, ...options })

interface Sent {
  model: string
  messages: { role: string; content: string }[]
  max_tokens?: number
  stream?: boolean
}

function made(workload: WorkloadSpec, count: number, tag = 'aaaaaaaa'): Sent[] {
  const make = requestMaker(workload)
  return Array.from({ length: count }, (_, index) => chatBody.parse(JSON.parse(make(tag, index).body)) as Sent)
}

const withoutNonce = (text = ''): string => text.replace(/ ?kt[a-z]{16}$/, '')
const userText = (sent: Sent | undefined): string => withoutNonce(sent?.messages.at(-1)?.content)

describe('requests', () => {
  it('end with their nonce, whatever the endpoint; the provider reads it', () => {
    for (const [endpoint, schema] of [
      ['chat', chatBody],
      ['completions', completionsBody],
      ['embeddings', embeddingsBody],
    ] as const) {
      for (const options of [
        {},
        { 'input-tokens': constant(5) },
        { 'input-tokens': constant(5), 'shared-prefix-tokens': 3 },
      ]) {
        const { nonce, body } = requestMaker(spec({ endpoint, ...options }))('abcdefgh', 3)
        const sent = schema.parse(JSON.parse(body)) as unknown as {
          messages?: { content: string }[]
          prompt?: string
          input?: string
        }
        expect(findNonce(sent.messages?.at(-1)?.content ?? sent.prompt ?? sent.input ?? '')).toBe(nonce)
      }
    }
  })

  it('survive a prompt that looks like the holes they are cut at, and any text at all', () => {
    for (const prompt of ['kt-hole kt-hole-hole', 'kt-prefix', 'a "quoted" \\ \n line', '漢字 🙂', '{"a":1}}']) {
      expect(userText(made(spec({ prompt, model: [{ name: 'kt-prefix kt-hole', weight: 1 }] }), 1)[0])).toBe(prompt)
    }
    const [sent] = made(
      spec({ model: [{ name: 'kt-prefix', weight: 1 }], 'input-tokens': constant(4), 'shared-prefix-tokens': 2 }),
      1,
    )
    expect(sent).toMatchObject({ model: 'kt-prefix', messages: [{ role: 'system' }, { role: 'user' }] })
  })

  it('have exactly the tokens asked for: the nonce comes on top', () => {
    for (const sent of made(spec({ 'input-tokens': constant(500) }), 5)) expect(countTokens(userText(sent))).toBe(500)
    const texts = made(spec({ 'input-tokens': lognormal }), 200).map(userText)
    expect(new Set(texts.map((text) => text.slice(0, 40))).size).toBeGreaterThan(190)
    const counts = texts.map((text) => countTokens(text)).sort((a, b) => a - b)
    expect(counts[100]).toBeGreaterThan(100)
    expect(counts[100]).toBeLessThan(220)
  })

  it('ask for the output tokens drawn for them, up to the most allowed', () => {
    const limits = made(spec({ 'output-tokens': lognormal, 'max-tokens': 200 }), 200).map(
      (sent) => sent.max_tokens ?? 0,
    )
    expect(Math.max(...limits)).toBe(200)
    expect(new Set(limits).size).toBeGreaterThan(50)
    expect(made(spec({ 'output-tokens': constant(30) }), 1)[0]?.max_tokens).toBe(30)
    expect(made(spec({ 'max-tokens': 40 }), 1)[0]?.max_tokens).toBe(40)
    expect(made(spec(), 1)[0]).not.toHaveProperty('max_tokens')
  })

  it('share prefixes of exactly so many tokens', () => {
    const workload = spec({ 'input-tokens': constant(20), 'shared-prefix-tokens': 100, 'shared-prefixes': 3 })
    const prefixes = made(workload, 100).map((sent) => sent.messages[0]?.content ?? '')
    expect(new Set(prefixes).size).toBe(3)
    expect(prefixes.every((prefix) => countTokens(prefix) === 100)).toBe(true)
    const completions = spec({ endpoint: 'completions', 'input-tokens': constant(20), 'shared-prefix-tokens': 100 })
    const { prompt } = JSON.parse(requestMaker(completions)('aaaaaaaa', 1).body)
    expect(countTokens(withoutNonce(prompt))).toBe(120)
  })

  it('are the same in every arm and run but for the nonce tag, in whatever order they are made', () => {
    const workload = spec({
      'input-tokens': lognormal,
      'output-tokens': lognormal,
      'shared-prefix-tokens': 5,
      'shared-prefixes': 2,
    })
    const [one, other] = [requestMaker(workload), requestMaker(structuredClone(workload))]
    for (const index of [9, 3, 100_000, 0]) {
      const a = one('aaaaaaaa', index)
      const b = other('bbbbbbbb', index)
      expect(a.body.replace(a.nonce, '')).toBe(b.body.replace(b.nonce, ''))
      expect(a.nonce.slice(8)).toBe(b.nonce.slice(8))
    }
    const seeded = (seed: number): string => userText(made({ ...workload, seed }, 1)[0])
    expect(seeded(1)).not.toBe(seeded(2))
  })

  it('are streamed with usage asked for', () => {
    expect(made(spec({ stream: true }), 1)[0]).toMatchObject({ stream: true, stream_options: { include_usage: true } })
  })

  it('cost little to make, however long they are', () => {
    const workload = spec({ 'input-tokens': constant(8_000), 'output-tokens': lognormal })
    const make = requestMaker(workload)
    const startedAt = performance.now()
    let length = 0
    for (let index = 0; index < 20_000; index++) length += make('aaaaaaaa', index).body.length
    // Some 5 us each here; the bound is a hundred times that, and what a copy of 38 kB at each step would not meet.
    expect((performance.now() - startedAt) / 20_000).toBeLessThan(0.5)
    expect(length).toBeGreaterThan(20_000 * 30_000)
  })
})

describe('the hash of a workload', () => {
  const base: Partial<WorkloadOptions> = { 'input-tokens': constant(20), 'output-tokens': constant(5) }
  it.each<[string, Partial<WorkloadOptions>]>([
    ['model', { model: [{ name: 'other', weight: 1 }] }],
    ['seed', { seed: 2 }],
    ['stream', { stream: true }],
    ['input tokens', { 'input-tokens': constant(21) }],
    ['output tokens', { 'output-tokens': constant(6) }],
    ['most tokens', { 'max-tokens': 4 }],
    ['prefix', { 'shared-prefix-tokens': 4 }],
    ['endpoint', { endpoint: 'completions' }],
  ])('changes with the %s, and with nothing else', (_what, changes) => {
    expect(workloadSha256(spec({ ...base, ...changes }))).not.toBe(workloadSha256(spec(base)))
    expect(workloadSha256(spec({ ...base, ...changes }))).toBe(workloadSha256(spec({ ...base, ...changes })))
  })
})
