// Where nothing is found nothing changes, and where something is redacted only that text does.
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { asEvents, streamNames, streamPayloads } from '../../support/streams.ts'
import { ask, post } from '../support/harness.ts'
import { chat, echo, gatewayWith } from './support/gateway.ts'

/** The two policies of the guide. */
const GUIDE = [
  { name: 'content-filter', type: 'output_filter', parallel_group: 'a', action: 'block' },
  { name: 'pii-redaction', type: 'output_filter', parallel_group: 'a', action: 'redact' },
]

async function through(policies: unknown[], body: string, type = 'text/event-stream'): Promise<string> {
  const gateway = await gatewayWith(policies, async (_request, response) => {
    response.writeHead(200, { 'content-type': type })
    // Pieces as a network may cut them.
    for (let at = 0; at < body.length; at += 1_000) {
      response.write(body.slice(at, at + 1_000))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    response.end()
  })
  const answer = await post(gateway, { ...chat('hi'), stream: type === 'text/event-stream' })
  await gateway.close()
  return answer.body.toString()
}

test.each(streamNames)('the recorded stream %s leaves byte for byte', async (name) => {
  const stream = asEvents(streamPayloads(name))
  expect(await through(GUIDE, stream)).toBe(stream)
})

test('so does every other form of a stream', async () => {
  const stream =
    '\ufeff: hello\r\n\r\nevent: x\r\ndata: {"a":\r\ndata:  1.0}\r\nid: 7\r\n\r\n: z\n\n' +
    'data:{ "b" : "c" }\r\rdata: [DONE]'
  expect(await through(GUIDE, stream)).toBe(stream)
})

test('the official client’s helper assembles the same message as without policies', async () => {
  const chunk = (delta: unknown, finish: string | null = null) => ({
    ...{ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' },
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
  const call = (part: unknown) => ({ tool_calls: [{ index: 0, ...(part as object) }] })
  const events = [
    chunk({ role: 'assistant', content: 'Let me look up the weather in San' }),
    chunk({ content: ' Francisco.' }),
    chunk(call({ id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city": "San' } })),
    chunk(call({ function: { arguments: ' Francisco"}' } })),
    chunk({}, 'tool_calls'),
  ]
  const body = `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`
  const messages: unknown[] = []
  for (const policies of [[], GUIDE]) {
    const gateway = await gatewayWith(policies, (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(body),
    )
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
    messages.push(await client.chat.completions.stream({ model: 'm', messages: [] }).finalMessage())
  }
  expect(messages[1]).toEqual(messages[0])
  expect(messages[0]).toMatchObject({ role: 'assistant', tool_calls: [{ id: 'call_1' }] })
})

const ODD =
  '{ "model":"m", "seed":9007199254740993, "t":1.0, "big":1e-1, "neg":-0.0, "__proto__":{"a":1}, "esc":"\\u00e9\\/", ' +
  '"logprobs":true, "messages":[{"role":"user","content":"a@b.org"}],"2":"b","1":"a"}'

test('a redaction changes its text alone, in requests and answers: numbers, order and options stay', async () => {
  const asked: string[] = []
  const policy = { name: 'p', type: 'input_filter', action: 'redact', detect: ['email'] }
  const gateway = await gatewayWith([policy], echo(asked))
  await ask(`${gateway.url}/v1/chat/completions`, { method: 'POST' }, ODD)
  expect(asked).toEqual([ODD.replace('a@b.org', '[REDACTED:email]')])
  const answered = await through([{ ...policy, type: 'output_filter' }], ODD, 'application/json')
  expect(answered).toBe(ODD.replace('a@b.org', '[REDACTED:email]'))
})

test('logprobs are emptied in the choice whose text changed, in the form that they had', async () => {
  const choice = (content: string, logprobs: unknown) => ({ message: { content }, logprobs })
  const [one, two] = [{ content: [{ token: 'a@b.org' }] }, { content: [{ token: 'hi' }] }]
  const body = JSON.stringify({
    choices: [choice('a@b.org', one), choice('hi', two)],
    output: [{ text: 'a@b.org', logprobs: [1] }],
  })
  const policy = { name: 'p', type: 'output_filter', action: 'redact', detect: ['email'] }
  expect(JSON.parse(await through([policy], body, 'application/json'))).toEqual({
    choices: [choice('[REDACTED:email]', null), choice('hi', two)],
    output: [{ text: '[REDACTED:email]', logprobs: [] }],
  })
})
