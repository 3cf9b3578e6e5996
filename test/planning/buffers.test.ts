// Buffers: the guide's profiles, what they cost in memory, and the directives.
import { describe, expect, test } from 'vitest'
import { UserError } from '../../src/errors.ts'
import { renderBuffers } from '../../src/output/planning-tables.ts'
import { bufferProfileFor, kongDirectives, kongPluginConfig, planBuffers } from '../../src/plan/buffers.ts'
import { bufferRequest, parseBufferFlags } from '../../src/planning/buffer-request.ts'
import { readSizing } from '../../src/planning/sizing.ts'
import { PAGE } from '../support/page.ts'
import { chat, type Typed } from '../support/plan.ts'

const sizing = readSizing()
const KIB = 1024
const MIB = 1024 ** 2

// Kong AI Gateway resource sizing guidelines, buffer and memory guidance. 512 KiB to 1 MiB is open there; it counts to
// RAG here.
test.each([
  [1, 'chat'],
  [512 * KIB - 1, 'chat'],
  [512 * KIB, 'rag'],
  [MIB, 'rag'],
  [4 * MIB - 1, 'rag'],
  [4 * MIB, 'batch'],
  [16 * MIB, 'batch'],
  [16 * MIB + 1, undefined],
])('a prompt of %d bytes is %s', (bytes, name) => {
  expect(bufferProfileFor(bytes, sizing)?.name).toBe(name)
})

describe('the profiles of the page', () => {
  test.each([
    ['chat', [2, 4], [256 * KIB, 512 * KIB], '4m', '512k'],
    ['rag', [8, 16], [MIB, 2 * MIB], '16m', '2m'],
    ['batch', [16, 64], [2 * MIB, 4 * MIB], '64m', '4m'],
  ])('%s', (name, body, buffer, maxBody, bufferSize) => {
    const profile = sizing.buffers.profiles.find((entry) => entry.name === name)
    if (!profile) throw new Error(name)
    expect([profile.body.minBytes / MIB, profile.body.maxBytes / MIB]).toEqual(body)
    expect([profile.buffer.minBytes, profile.buffer.maxBytes]).toEqual(buffer)
    expect(kongDirectives(planBuffers(profile, 1, 1))).toEqual({
      nginx_http_client_max_body_size: maxBody,
      nginx_http_client_body_buffer_size: bufferSize,
    })
  })
})

test('the buffer holds the largest prompt that was named, and the AI plugins read all of the body', () => {
  const [, rag] = sizing.buffers.profiles
  if (!rag) throw new Error('no rag')
  const plan = planBuffers(rag, 1, 1, { largestPromptBytes: 3 * MIB })
  expect(plan.bufferBytes).toBeGreaterThan(3 * MIB)
  expect(plan.bufferBytes).toBeLessThan(3.5 * MIB)
  expect(kongDirectives(plan).nginx_http_client_body_buffer_size).toBe('3456k')
  expect(kongPluginConfig(plan)).toEqual({ max_request_body_size: 16 * MIB })
  const text = renderBuffers([plan], sizing, PAGE)
  expect(text).toContain('max_request_body_size: 16777216')
  expect(text).not.toContain('Without them Kong allows any size')
  expect(renderBuffers([planBuffers(rag, 1, 1)], sizing, PAGE)).toContain(
    "rag: its prompts go up to 4 MiB, over the guide's",
  )
})

// Kong, large payloads: at 1,000 concurrent requests +1 MB of buffer adds roughly 1 GB.
test('a thousand requests: a megabyte more of buffer is about a gigabyte', () => {
  const [chat, rag] = sizing.buffers.profiles
  if (!chat || !rag) throw new Error('no profiles')
  const difference = planBuffers(rag, 1_000, 1).memory.fullBytes - planBuffers(chat, 1_000, 1).memory.fullBytes
  expect(difference / 1e9).toBeCloseTo(1.5 * 1.048576, 6)
})

const requested = async (flags: Typed) => bufferRequest(parseBufferFlags(flags))

test('from a demand: what is in flight, and what the mean prompt fills', async () => {
  const { profiles } = await requested({ 'input-peak': '80M', 'output-peak': '10M', kind: 'chat' })
  const [only] = profiles
  expect(only?.concurrency).toBe(247_394)
  expect(only?.meanBodyBytes).toBeCloseTo((80e6 / (10e6 / chat.outputTokens)) * 4.5, 6)
})

test('fits 100 columns', async () => {
  const { profiles } = await requested({ 'input-peak': '8G', 'output-peak': '1G' })
  const plans = profiles.map(({ profile, concurrency, workers, meanBodyBytes }) =>
    planBuffers(profile, concurrency, workers, { meanBodyBytes }),
  )
  expect(
    Math.max(
      ...renderBuffers(plans, sizing, PAGE)
        .split('\n')
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(100)
})

test.each([
  [{}, 'how many requests are in flight is not said'],
  [{ concurrency: '10', rps: '5' }, 'both say how many requests are in flight'],
  [{ concurrency: '10', kind: 'rags' }, "no buffer profile 'rags'"],
  [{ concurrency: '10', 'largest-prompt': '20MiB' }, "beyond the guide's largest prompts"],
  [{ concurrency: '10', 'largest-prompt': '300000' }, "'300000' is not a size with its unit"],
  [{ concurrency: '0' }, '--concurrency: must be a whole number of at least 1, not 0'],
])('%j is refused', async (flags, message) => {
  const refusal: unknown = await requested(flags).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(UserError)
  expect((refusal as UserError).message).toContain(message)
})
