// A failure inside a stream or an answer of a good status is one in every shape, and reaches OpenAI's client as one.
import { expect, test } from 'vitest'
import { post } from '../support/harness.ts'
import { collect, type Reply, translated } from '../support/translated.ts'

const HI = [{ role: 'user' as const, content: 'hi' }]
const BEGUN = {
  gemini: { candidates: [{ content: { role: 'model', parts: [{ text: 'Hel' }] }, index: 0 }] },
  anthropic: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
}
const DONE = {
  gemini: { candidates: [{ content: { role: 'model', parts: [{ text: 'lo' }] }, index: 0, finishReason: 'STOP' }] },
  anthropic: { type: 'message_stop' },
}
const PROTOCOLS = ['gemini', 'anthropic'] as const
const FAILURES: [string, string, string][] = [
  ['{error: …}', '{"error":{"message":"overloaded"}}', 'overloaded'],
  ['{error: "…"}', '{"error":"overloaded"}', 'overloaded'],
  ['a flat object', '{"object":"error","message":"too long","code":400}', 'too long'],
  ['an error_code', '{"error_code":"TEMPORARILY_UNAVAILABLE","message":"later"}', 'later'],
  ['an event named error, JSON', '{"message":"worker lost"}\nevent: error', 'worker lost'],
  ['an event named error, text', 'upstream connect error\nevent: error', 'upstream connect error'],
]

const stream = async (protocol: (typeof PROTOCOLS)[number], reply: Reply) => {
  const { client } = await translated(protocol, reply)
  return collect(await client.chat.completions.create({ model: 'm', messages: HI, stream: true }))
}

test.each(PROTOCOLS.flatMap((protocol) => FAILURES.map((failure) => [protocol, ...failure] as const)))(
  '%s, %s',
  async (protocol, _name, event, words) => {
    const events = [JSON.stringify(BEGUN[protocol]), event, JSON.stringify(DONE[protocol])]
    await expect(stream(protocol, { raw: true, events })).rejects.toMatchObject({ error: { message: words } })
  },
)

test.each(PROTOCOLS.flatMap((protocol) => [null, false, 0, '', {}, []].map((error) => [protocol, { error }] as const)))(
  '%s, %j is none',
  async (protocol, error) => {
    const events = [
      { ...BEGUN[protocol], ...error },
      { ...DONE[protocol], ...error },
    ]
    const chunks = await stream(protocol, { events })
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toMatch(/^Hel/)
  },
)

test.each([
  ['gemini', '[{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}]', 'overloaded'],
  ['gemini', '{"object":"error","message":"too long","code":400}', 'too long'],
  ['anthropic', '{"error":"overloaded"}', 'overloaded'],
] as const)('%s, whole: %s', async (protocol, text, words) => {
  const { gateway } = await translated(protocol, { text })
  const answer = await post(gateway, { model: 'm', messages: HI })
  expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { message: words } })
})
