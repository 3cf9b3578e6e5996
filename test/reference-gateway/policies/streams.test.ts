// Output policies on streams over real sockets: what is held and for how long, what leaves at once, how a stream is
// blocked.
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import OpenAI, { APIError } from 'openai'
import { expect, test } from 'vitest'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { until } from '../../support/waits.ts'
import { wait } from '../support/upstream.ts'
import { assembled, DONE, event, eventsOf, startFilter, token } from './support/filter.ts'
import { gatewayWith } from './support/gateway.ts'

const output = (rest: Record<string, unknown>) => ({ name: 'p', type: 'output_filter', action: 'redact', ...rest })

interface Live {
  /** The provider's side. */
  provider: ServerResponse
  gateway: RunningGateway
  message: IncomingMessage
  received(): string
}

/** A stream that the test writes itself, on its way through a gateway to a client. */
async function live(policies: unknown[], streaming: Record<string, unknown> = {}): Promise<Live> {
  let provider: ServerResponse | undefined
  const gateway = await gatewayWith(
    policies,
    (_request, response) => {
      provider = response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
    },
    { streaming, admin_port: 0 },
  )
  const asking = request(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json' },
  })
  asking.on('error', () => {})
  asking.end('{"model":"m","stream":true,"messages":[]}')
  const [message] = (await once(asking, 'response')) as [IncomingMessage]
  let text = ''
  message.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  if (!provider) throw new Error('the provider was not asked')
  return { provider, gateway, message, received: () => text }
}

test('an event that cannot become a match leaves at once, another once the next word rules a match out', async () => {
  const { provider, received } = await live([output({ detect: ['email'] })], { on_flush: 'hold' })
  provider.write(token('write to, ') + token('bob'))
  await until(() => received() === token('write to, '))
  await wait(150)
  // flush_interval has passed, and with on_flush: hold the event stays.
  expect(received()).toBe(token('write to, '))
  provider.write(token(' or'))
  await until(() => received() === token('write to, ') + token('bob'))
  provider.end(token(' b@x.org.') + DONE)
  await until(() => received().endsWith(DONE))
  expect(assembled(received())['0/content']).toBe('write to, bob or [REDACTED:email].')
})

test('a policy for cards holds digits only: words leave at once', async () => {
  const { provider, received } = await live([output({ detect: ['card', 'ssn'] })])
  const sent: string[] = []
  for (const word of ['The', ' quick', ' brown', ' fox']) {
    provider.write(token(word))
    sent.push(token(word))
    await until(() => received() === sent.join(''))
  }
  provider.end(DONE)
})

test('text leaves after flush_interval though undecided, and the admin port counts it', async () => {
  const { provider, received, gateway, message } = await live([output({ detect: ['email'] })], {
    flush_interval: '40ms',
  })
  provider.write(token('bob'))
  await until(() => assembled(received())['0/content'] === 'bob')
  provider.end(token('@x.org ann@x.org') + DONE)
  await once(message, 'end')
  expect(assembled(received())['0/content']).toBe('bob@x.org [REDACTED:email]')
  const shown = async (path: string) => (await fetch(`${gateway.adminUrl}${path}`)).text()
  expect(JSON.parse(await shown('/stats')).policies).toMatchObject({
    hold_overrun: 1,
    released_undecided: 1,
    policies: { p: { redacted: 1 } },
  })
  const metrics = await shown('/metrics')
  expect(metrics).toContain('\nkt_hold_overrun_total 1\n')
  expect(metrics).toContain('\nkt_released_undecided_total 1\n')
})

test.each([
  ['one stage', [output({ detect: ['email', 'card'] })]],
  ['two stages', [output({ patterns: ['nothing'] }), { ...output({ detect: ['email', 'card'] }), name: 'q' }]],
])('a pause judges what is held as if it ended there: %s', async (_, policies) => {
  const { provider, received, message } = await live(policies, { flush_interval: '40ms' })
  // Each of these could still grow: to a longer address, to another number.
  provider.write(token('ann@x.org'))
  await until(() => assembled(received())['0/content'] === '[REDACTED:email]')
  provider.write(token(' and 4111 1111 1111 1111'))
  await until(() => assembled(received())['0/content'] === '[REDACTED:email] and [REDACTED:card]')
  provider.end(token(' or bob@x.org') + DONE)
  await once(message, 'end')
  expect(assembled(received())['0/content']).toBe('[REDACTED:email] and [REDACTED:card] or [REDACTED:email]')
})

test('no event waits longer than flush_interval while those of another choice come and go', async () => {
  const { provider, received, message } = await live([output({ detect: ['email'] })], { flush_interval: '100ms' })
  provider.write(token('bob'))
  let others = 0
  while (assembled(received())['0/content'] === undefined && others < 100) {
    others++
    provider.write(token('go on, ', 1))
    await wait(20)
  }
  expect(others).toBeLessThan(100)
  provider.end(DONE)
  await once(message, 'end')
})

test('hold_overrun is counted whether held or released', async () => {
  for (const onFlush of ['hold', 'release']) {
    const { filter, stages, context } = startFilter([output({ detect: ['email'] })], {
      flush_interval: '150ms',
      on_flush: onFlush,
    })
    filter.write(Buffer.from(token('quick')))
    filter.write(Buffer.from(token(' word')))
    expect(stages.stats().hold_overrun).toBe(0)
    await wait(300)
    filter.end()
    expect(stages.stats().hold_overrun).toBe(1)
    expect(context.policies).toBeUndefined()
    await stages.close()
  }
})

test('hold is reported apart from compute, in the trailer', async () => {
  const { provider, message } = await live([output({ detect: ['email'] })])
  provider.write(token('held'))
  await wait(120)
  provider.end(token(' on') + DONE)
  await once(message, 'end')
  const timing = message.trailers['server-timing'] ?? ''
  const ms = (name: string): number => Number(new RegExp(`kt-${name};dur=([\\d.]+)`).exec(timing)?.[1])
  expect(ms('hold')).toBeGreaterThan(80)
  expect(ms('output-policy')).toBeLessThan(60)
  expect(ms('overhead')).toBeLessThan(80)
})

test('a blocked stream ends with an error event that the client raises; the upstream is cancelled', async () => {
  const { provider, received, message } = await live([output({ action: 'block', patterns: ['SECRET'] })])
  const left = once(provider, 'close')
  provider.write(token('the '))
  provider.write(token('SEC'))
  provider.write(token('RET is out'))
  await once(message, 'end')
  await left
  expect(assembled(received())['0/content']).toBe('the ')
  const gateway = await gatewayWith([output({ action: 'block', patterns: ['SECRET'] })], (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(token('my ') + token('SECRET'))
  })
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const texts: string[] = []
  const reading = (async () => {
    const stream = await client.chat.completions.create({ model: 'm', stream: true, messages: [] })
    for await (const chunk of stream) texts.push(chunk.choices[0]?.delta.content ?? '')
  })()
  const error = await reading.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(APIError)
  expect(error).toMatchObject({ code: 'content_filter' })
  expect(texts.join('')).toBe('my ')
})

test('a changed event keeps its stamp, ids, usage and finish reason', () => {
  const { filter, written, stages } = startFilter([output({ patterns: ['SECRET'] })])
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
  const last = {
    id: 'c',
    system_fingerprint: 'kt1.b.1.2',
    choices: [{ index: 0, delta: { content: 'RET.' }, finish_reason: 'stop' }],
    usage,
  }
  filter.write(Buffer.from(token('a SEC') + event(last) + event({ choices: [], usage }) + DONE))
  filter.end()
  const events = eventsOf(Buffer.concat(written).toString())
  expect(events).toEqual([
    ...eventsOf(token('a [REDACTED]')),
    { ...last, choices: [{ index: 0, delta: { content: '.' }, finish_reason: 'stop' }] },
    { choices: [], usage },
    '[DONE]',
  ])
  void stages.close()
})

test('a choice that is held does not delay another', () => {
  const { filter, written } = startFilter([output({ detect: ['email'] })])
  filter.write(Buffer.from(token('bob', 0) + token('free. ', 1)))
  expect(Buffer.concat(written).toString()).toBe(token('free. ', 1))
  filter.abort()
})

test('logprobs repeat the text: they are removed where it is changed', () => {
  const { filter, written } = startFilter([output({ patterns: ['SECRET'] })])
  const logprobs = { content: [{ token: 'SECRET', logprob: -0.1 }] }
  filter.write(Buffer.from(event({ choices: [{ index: 0, delta: { content: 'SECRET' }, logprobs }] }) + DONE))
  filter.end()
  const text = Buffer.concat(written).toString()
  expect(text).not.toContain('SECRET')
  expect(eventsOf(text)[0]).toEqual({ choices: [{ index: 0, delta: { content: '[REDACTED]' }, logprobs: null }] })
})

test('events of every form: CR LF, several data lines, comments, no space, escapes in keys', () => {
  const inner = JSON.stringify({ choices: [{ index: 0, delta: { content: 'SECRET 2' } }] })
  const forms = [
    `data:${inner}\r\n\r\n`,
    `: ping\r\n\r\n`,
    `: SECRET 5\n\n`,
    `event: message\ndata: ${inner.slice(0, 12)}\ndata: ${inner.slice(12)}\nid: 7\n\n`,
    `data: {"choices":[{"index":0,"delt\\u0061":{"c\\u006fntent":"SEC\\u0052ET 3"}}]}\r\r`,
    `data: {"choices" : [ { "delta" : { "content" : "SECRET 4" } , "index" : 0 } ] }\n\n`,
  ]
  const { filter, written } = startFilter([output({ patterns: ['SECRET'] })])
  for (const byte of Buffer.from(`\ufeff${forms.join('')}`)) filter.write(Buffer.of(byte))
  filter.end()
  const text = Buffer.concat(written).toString()
  expect(text).not.toMatch(/SEC/)
  expect(text).toContain(': ping\r\n\r\n')
  expect(text).toContain('id: 7')
  expect(text.match(/\[REDACTED\]/g)).toHaveLength(5)
})

test('an event with a name keeps all of its form but the text', () => {
  const of = (text: string, line: string) => ['event: message', `data: {"a":"${text}"}`, '', ''].join(line)
  const forms = ['\n', '\r\n', '\r'].map((line) => [of('SECRET', line), of('[REDACTED]', line)])
  const [given, left] = [0, 1].map((i) => forms.map((form) => form[i]).join(''))
  for (const size of [1, 7, 1_000]) {
    const { filter, written } = startFilter([output({ patterns: ['SECRET'] })])
    const bytes = Buffer.from(given ?? '')
    for (let at = 0; at < bytes.length; at += size) filter.write(bytes.subarray(at, at + size))
    filter.end()
    expect(Buffer.concat(written).toString()).toBe(left)
  }
})

test('the events of Responses: deltas, and the whole texts that repeat them', () => {
  const delta = (text: string) =>
    event({ type: 'response.output_text.delta', item_id: 'i', output_index: 0, content_index: 0, delta: text })
  const done = { type: 'response.output_text.done', item_id: 'i', output_index: 0, content_index: 0, text: 'my SECRET' }
  const completed = {
    type: 'response.completed',
    response: { id: 'r', output: [{ type: 'message', content: [{ type: 'output_text', text: 'my SECRET' }] }] },
  }
  const { filter, written } = startFilter([output({ patterns: ['SECRET'] })])
  filter.write(Buffer.from(delta('my S') + delta('ECR') + delta('ET') + event(done) + event(completed)))
  const text = Buffer.concat(written).toString()
  expect(text).not.toMatch(/SECRET|ECR/)
  const events = eventsOf(text) as { type: string; delta?: string; text?: string }[]
  expect(events.map((one) => one.delta ?? '').join('')).toBe('my [REDACTED]')
  expect(events.at(-2)).toEqual({ ...done, text: 'my [REDACTED]' })
  expect(events.at(-1)).toEqual({
    ...completed,
    response: { id: 'r', output: [{ type: 'message', content: [{ type: 'output_text', text: 'my [REDACTED]' }] }] },
  })
  filter.abort()
})

test('parts of a Responses answer are separate texts; the end or start of one does not end another', () => {
  const delta = (part: number, text: string) =>
    event({ type: 'response.output_text.delta', output_index: part, content_index: 0, delta: text })
  const end = (part: number) =>
    event({ type: 'response.output_text.done', output_index: part, content_index: 0, text: '' })
  const added = event({ type: 'response.output_item.added', output_index: 2, item: { type: 'message' } })
  const { filter, written } = startFilter([output({ patterns: ['SECRET'] })])
  filter.write(Buffer.from(delta(0, 'a SEC') + delta(1, 'b SEC') + end(1) + added + delta(0, 'RET.')))
  filter.end()
  const deltas = eventsOf(Buffer.concat(written).toString()) as { output_index: number; delta?: string }[]
  const textOf = (part: number) =>
    deltas
      .filter((one) => one.output_index === part)
      .map((one) => one.delta ?? '')
      .join('')
  expect([textOf(0), textOf(1)]).toEqual(['a [REDACTED].', 'b SEC'])
})

test('the events of Anthropic Messages: text, thinking and tool input of each block', () => {
  const delta = (index: number, value: unknown) => event({ type: 'content_block_delta', index, delta: value })
  const { filter, written } = startFilter([output({ patterns: ['SECRET'] })])
  filter.write(
    Buffer.from(
      delta(0, { type: 'thinking_delta', thinking: 'SEC' }) +
        delta(0, { type: 'thinking_delta', thinking: 'RET' }) +
        event({ type: 'content_block_stop', index: 0 }) +
        delta(1, { type: 'text_delta', text: 'SEC' }) +
        delta(1, { type: 'text_delta', text: 'RET' }) +
        delta(2, { type: 'input_json_delta', partial_json: '{"a":"SEC' }) +
        delta(2, { type: 'input_json_delta', partial_json: 'RET"}' }) +
        event({ type: 'message_stop' }),
    ),
  )
  const text = Buffer.concat(written).toString()
  expect(text.match(/\[REDACTED\]/g)).toHaveLength(3)
  expect(text).not.toMatch(/SEC|:"RET/)
  expect(text).toContain('message_stop')
  filter.abort()
})
