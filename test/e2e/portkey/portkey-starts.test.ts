// The third-party gateway itself runs here and passes JSON and streams on: what kt measures through it rests on that.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Portkey, portkeyHeaders, startPortkey } from '../../setup/portkey.ts'

const chunk = (content: string) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  system_fingerprint: 'fp-through',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
})

const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  system_fingerprint: 'fp-through',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
}

let upstream: Server
let portkey: Portkey
let headers: Record<string, string>

beforeAll(async () => {
  upstream = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      if (JSON.parse(body).stream !== true) {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const text of ['a', 'b', 'c']) response.write(`data: ${JSON.stringify(chunk(text))}\n\n`)
      response.end('data: [DONE]\n\n')
    })
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  headers = {
    'content-type': 'application/json',
    authorization: 'Bearer x',
    ...portkeyHeaders(`http://127.0.0.1:${port}/v1`),
  }
  portkey = await startPortkey()
})

afterAll(async () => {
  await portkey?.stop()
  upstream?.close()
})

function chat(stream: boolean): Promise<Response> {
  const body = JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'hi' }] })
  return fetch(`${portkey.url}/chat/completions`, { method: 'POST', headers, body })
}

test('passes a JSON answer on', async () => {
  const response = await chat(false)
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({
    system_fingerprint: 'fp-through',
    choices: [{ message: { content: 'hello' } }],
  })
})

test('passes a stream on, event by event', async () => {
  const response = await chat(true)
  expect(response.status).toBe(200)
  const events = (await response.text()).split('\n\n').filter((event) => event.startsWith('data: {'))
  expect(events.map((event) => JSON.parse(event.slice(6)).choices[0].delta.content)).toEqual(['a', 'b', 'c'])
})
