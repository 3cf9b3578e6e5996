// Output policies on responses that are one JSON document.
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { post } from '../support/harness.ts'
import { answerJson } from '../support/upstream.ts'
import { answerOf, chat, echo, gatewayWith } from './support/gateway.ts'

const output = (rest: Record<string, unknown>) => ({ name: 'p', type: 'output_filter', action: 'redact', ...rest })

test('text, reasoning and tool arguments are redacted; ids, usage, stamps and other fields stay', async () => {
  const message = {
    role: 'assistant',
    content: 'write to bob@example.com',
    reasoning_content: 'his number is 078-05-1120',
    tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'mail', arguments: '{"to":"bob@example.com"}' } }],
  }
  const logprobs = { content: [{ token: 'bob@example.com', logprob: -1 }] }
  const answer = { ...answerOf(''), choices: [{ index: 0, message, logprobs, finish_reason: 'stop' }] }
  const gateway = await gatewayWith([output({ detect: ['email', 'ssn'] })], (_request, response) =>
    answerJson(response, answer),
  )
  const got = await post(gateway, chat('hi'))
  expect(JSON.parse(got.body.toString())).toEqual({
    ...answer,
    choices: [
      {
        index: 0,
        message: {
          ...message,
          content: 'write to [REDACTED:email]',
          reasoning_content: 'his number is [REDACTED:ssn]',
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'mail', arguments: '{"to":"[REDACTED:email]"}' } },
          ],
        },
        // Logprobs repeat the text.
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
  })
  expect(got.message.headers['content-length']).toBe(String(got.body.length))
  expect(got.message.headers['server-timing']).toMatch(/kt-output-policy;dur=\d.*kt-hold;dur=0\.000/)
})

test('an answer in which nothing is found leaves byte for byte', async () => {
  const body = '{"choices":[ {"message":{"content":"hello","x":1.50}}]}'
  const gateway = await gatewayWith([output({ detect: ['email'] })], (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(body),
  )
  expect((await post(gateway, chat('hi'))).body.toString()).toBe(body)
})

test('a blocked answer is an error in OpenAI’s shape, and nothing of it leaves', async () => {
  const gateway = await gatewayWith([output({ action: 'block', patterns: ['S[A-Z]+T'] })], echo())
  const { status, body } = await post(gateway, chat('it is SECRET'))
  expect(status).toBe(400)
  expect(JSON.parse(body.toString())).toEqual({
    error: {
      message: "policy 'p' blocked this answer",
      type: 'invalid_request_error',
      param: null,
      code: 'content_filter',
    },
  })
})

test('the guide’s two policies work by their names alone', async () => {
  const gateway = await gatewayWith(
    [
      { name: 'content-filter', type: 'output_filter', parallel_group: 'output-checks', action: 'block' },
      { name: 'pii-redaction', type: 'output_filter', parallel_group: 'output-checks', action: 'redact' },
    ],
    echo(),
  )
  const redacted = await post(gateway, chat('call +1 (415) 555-2671'))
  expect(JSON.parse(redacted.body.toString()).choices[0].message.content).toBe('call [REDACTED:phone]')
  expect((await post(gateway, chat('-----BEGIN RSA PRIVATE KEY-----\nMII'))).status).toBe(400)
})

test('errors, lists and stored answers are judged as well, and keep their status', async () => {
  const gateway = await gatewayWith([output({ patterns: ['SECRET'] })], (request, response) =>
    answerJson(response, { data: ['SECRET'], error: { message: 'SECRET' } }, request.method === 'GET' ? 200 : 429),
  )
  const refused = await post(gateway, chat('hi'))
  expect([refused.status, refused.body.toString()]).toEqual([
    429,
    '{"data":["[REDACTED]"],"error":{"message":"[REDACTED]"}}',
  ])
  expect(await (await fetch(`${gateway.url}/v1/models`)).text()).not.toContain('SECRET')
})

test('compressed responses cannot be judged, so the provider is asked for uncompressed ones', async () => {
  let encoding: string | undefined
  const gateway = await gatewayWith([output({ action: 'block', patterns: ['SECRET'] })], (request, response) => {
    encoding = request.headers['accept-encoding']
    answerJson(response, answerOf('fine'))
  })
  const { status } = await post(gateway, chat('hi'), { headers: { 'accept-encoding': 'gzip' } })
  expect({ status, encoding }).toEqual({ status: 200, encoding: 'identity' })
})

test('an answer that cannot be judged, too large or compressed unasked, is not passed on', async () => {
  const policies = [output({ action: 'block', patterns: ['SECRET'] })]
  const large = await gatewayWith(policies, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"x":"')
    for (let i = 0; i < 17 && !response.destroyed; i++) response.write('x'.repeat(1024 * 1024))
  })
  const refused = await post(large, chat('hi'))
  expect([refused.status, JSON.parse(refused.body.toString()).error.code]).toEqual([502, 'answer_too_large'])
  const packed = await gatewayWith(policies, (_request, response) => {
    const body = gzipSync(JSON.stringify(answerOf('SECRET')))
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(body)
  })
  const unreadable = await post(packed, chat('hi'))
  expect([unreadable.status, JSON.parse(unreadable.body.toString()).error.code]).toEqual([502, 'upstream_encoding'])
})

test('no depth of nesting is too deep', async () => {
  const deep = `${'['.repeat(20_000)}"bob@example.com"${']'.repeat(20_000)}`
  const text = `{"choices":[{"message":{"content":"write to bob@example.com"}}],"x":${deep}}`
  const provider = (_request: unknown, response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  }
  const untouched = await post(await gatewayWith([output({ keywords: ['nobody'] })], provider), chat('hi'))
  expect([untouched.status, untouched.body.toString()]).toEqual([200, text])
  const redacted = await post(await gatewayWith([output({ detect: ['email'] })], provider), chat('hi'))
  expect(redacted.body.toString()).toBe(text.replaceAll('bob@example.com', '[REDACTED:email]'))
})
