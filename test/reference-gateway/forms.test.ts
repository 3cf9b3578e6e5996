// A form passes unread where OpenAI takes forms. Anywhere else it is refused before it reaches the provider.
import { once } from 'node:events'
import { connect } from 'node:net'
import OpenAI, { toFile } from 'openai'
import { expect, test } from 'vitest'
import type { RunningGateway } from '../../reference-gateway/gateway.ts'
import { chat, gatewayWith } from './policies/support/gateway.ts'
import { ask, errorOf } from './support/harness.ts'
import { answerJson, bodyOf } from './support/upstream.ts'

const BLOCK = { name: 'words', type: 'input_filter', action: 'block', keywords: ['project falcon'] }
const POLICIES: [string, unknown[]][] = [
  ['without policies', []],
  ['under policies', [BLOCK]],
]
const FORBIDDEN = JSON.stringify(chat('tell me about project falcon'))
const FORM = '--x\r\ncontent-disposition: form-data; name="prompt"\r\n\r\nproject falcon\r\n--x--\r\n'

interface Asked {
  path: string | undefined
  type: string | undefined
  body: string
}

async function gatewayThatRecords(policies: unknown[]): Promise<{ gateway: RunningGateway; asked: Asked[] }> {
  const asked: Asked[] = []
  const gateway = await gatewayWith(policies, async (request, response) => {
    asked.push({ path: request.url, type: request.headers['content-type'], body: await bodyOf(request) })
    answerJson(response, { id: 'x', text: 'x', data: [] })
  })
  return { gateway, asked }
}

const send = (gateway: RunningGateway, path: string, type: string, body = FORBIDDEN, method = 'POST') =>
  ask(`${gateway.url}${path}`, { method, headers: { 'content-type': type, 'content-length': body.length } }, body)

/** The response's head to a request with these header lines, which node:http would not send. */
async function raw(gateway: RunningGateway, path: string, lines: string[], body = FORBIDDEN): Promise<string> {
  const socket = connect(gateway.port, '127.0.0.1')
  const head = [`POST ${path} HTTP/1.1`, 'host: x', 'connection: close', `content-length: ${body.length}`, ...lines]
  socket.setEncoding('utf8').write(`${head.join('\r\n')}\r\n\r\n${body}`)
  let text = ''
  socket.on('data', (part: string) => {
    text += part
  })
  await once(socket, 'close')
  return text
}

const FORMS = [
  'multipart/form-data',
  'multipart/form-data; boundary=x',
  'multipart/x',
  'Multipart/Mixed; boundary="a,b"',
  'MULTIPART/FORM-DATA;boundary=x',
  'application/x-www-form-urlencoded',
  'Application/X-WWW-Form-Urlencoded; charset=utf-8',
  'application/json, multipart/form-data',
]
const JSON_PATHS = [
  '/v1/chat/completions',
  '/v1/chat/completions?a=/audio/transcriptions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/images/generations',
  '/v1/audio/speech',
  '/v1/uploads/u1/complete',
]
const FORM_PATHS = [
  '/v1/audio/transcriptions',
  '/v1/audio/transcriptions?language=en',
  '/v1/audio/translations',
  '/v1/images/edits',
  '/v1/images/variations',
  '/v1/files',
  '/v1/uploads/upload_a-1/parts',
  '/v1/containers/cntr_1/files',
  '/v1/videos',
  '/v1/skills/skill_1/versions',
]

test.each(POLICIES)(
  '%s, a form on an endpoint that takes JSON is answered 415 and goes nowhere',
  async (_, policies) => {
    const { gateway, asked } = await gatewayThatRecords(policies)
    const cases = [
      ...FORMS.map((type) => ['/v1/chat/completions', type] as const),
      ...JSON_PATHS.map((path) => [path, 'multipart/form-data; boundary=x'] as const),
    ]
    for (const [path, type] of cases) {
      const answer = await send(gateway, path, type)
      expect([path, type, answer.status]).toEqual([path, type, 415])
      expect(errorOf(answer)).toEqual({
        message: 'this endpoint takes JSON',
        type: 'invalid_request_error',
        param: null,
        code: 'unsupported_content_type',
      })
    }
    const unannounced = { method: 'POST', headers: { 'content-type': 'multipart/x', 'transfer-encoding': 'chunked' } }
    expect((await ask(`${gateway.url}/v1/chat/completions`, unannounced, FORBIDDEN)).status).toBe(415)
    expect((await send(gateway, '/v1/files', 'multipart/form-data', FORBIDDEN, 'DELETE')).status).toBe(405)
    for (const path of [
      '/uploads/a/b/parts',
      '/files/',
      '/Files',
      '/%66iles',
      '/x/audio/transcriptions',
      '/anything',
    ]) {
      expect((await send(gateway, `/v1${path}`, 'multipart/form-data', FORBIDDEN)).status).toBe(404)
    }
    expect(asked).toEqual([])
  },
)

test.each(POLICIES)('%s, a form goes up byte for byte where forms belong', async (_, policies) => {
  const { gateway, asked } = await gatewayThatRecords(policies)
  for (const path of FORM_PATHS) {
    for (const type of ['multipart/form-data; boundary=x', 'Multipart/Form-Data; boundary="x"']) {
      expect((await send(gateway, path, type, FORM)).status).toBe(200)
      expect(asked.pop()).toEqual({ path, type, body: FORM })
    }
  }
})

test('where forms belong, JSON is still judged, and other kinds of forms are refused', async () => {
  const { gateway, asked } = await gatewayThatRecords([BLOCK])
  const blocked = await send(gateway, '/v1/images/edits', 'application/json', '{"prompt":"project falcon"}')
  expect(blocked.status).toBe(400)
  expect(errorOf(blocked)).toMatchObject({ code: 'content_filter' })
  for (const type of ['multipart/mixed', 'multipart/form-datax', 'application/x-www-form-urlencoded']) {
    expect((await send(gateway, '/v1/images/edits', type, FORM)).status).toBe(415)
  }
  expect(asked).toEqual([])
})

test.each(POLICIES)('%s, several content types do not get around the checks', async (_, policies) => {
  const { gateway, asked } = await gatewayThatRecords(policies)
  const json = 'Content-Type: application/json'
  const form = 'CONTENT-TYPE: multipart/form-data; boundary=x'
  const status = async (path: string, lines: string[]) => Number((await raw(gateway, path, lines)).split(' ')[1])
  for (const lines of [[json, form], [form, json], [form, form], [`${json},multipart/x`]]) {
    expect(await status('/v1/chat/completions', lines)).toBe(415)
  }
  for (const lines of [[json, form], [form, json], [form, form], [`${form}, application/json`]]) {
    expect(await status('/v1/images/edits', lines)).toBe(400)
  }
  expect(await raw(gateway, '/v1/chat/completions', [json, 'content-type: text/plain'])).toMatch(
    /^HTTP\/1.1 400 .*"code":"invalid_content_type"/s,
  )
  expect(asked).toEqual([])
  expect(await status('/v1/images/edits', ['content-type: multipart/form-data; boundary="a,\\",b"'])).toBe(200)
})

test('a request without a body is no form, whatever its content type', async () => {
  const { gateway, asked } = await gatewayThatRecords([])
  for (const [method, path] of [
    ['GET', '/v1/models'],
    ['POST', '/v1/batches/b1/cancel'],
  ] as const) {
    expect((await send(gateway, path, 'application/x-www-form-urlencoded', '', method)).status).toBe(200)
  }
  expect(asked.map(({ body }) => body)).toEqual(['', ''])
})

test('the official client uploads through policies, and gets an error where it cannot', async () => {
  const { gateway, asked } = await gatewayThatRecords([BLOCK])
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const file = await toFile(Buffer.from('project falcon'), 'a.wav')
  await client.audio.transcriptions.create({ model: 'm', file })
  await client.audio.translations.create({ model: 'm', file })
  await client.images.edit({ model: 'm', image: file, prompt: 'x' })
  await client.images.createVariation({ image: file })
  await client.files.create({ file, purpose: 'assistants' })
  await client.uploads.parts.create('upload_1', { data: file })
  await client.containers.files.create('cntr_1', { file })
  await client.audio.voices.create({ audio_sample: file, consent: 'c', name: 'n' })
  await client.videos.create({ prompt: 'x', input_reference: file })
  await client.skills.create({ files: [file] })
  await client.skills.versions.create('skill_1', { files: [file] })
  expect(asked.map(({ path }) => path)).toEqual([
    '/v1/audio/transcriptions',
    '/v1/audio/translations',
    '/v1/images/edits',
    '/v1/images/variations',
    '/v1/files',
    '/v1/uploads/upload_1/parts',
    '/v1/containers/cntr_1/files',
    '/v1/audio/voices',
    '/v1/videos',
    '/v1/skills',
    '/v1/skills/skill_1/versions',
  ])
  for (const { type, body } of asked) {
    expect(type).toMatch(/^multipart\/form-data; *boundary=/)
    expect(body).toContain('project falcon')
  }
  const misplaced = client.chat.completions.create(
    { model: 'm', messages: [] },
    { headers: { 'content-type': 'multipart/form-data' } },
  )
  await expect(misplaced).rejects.toMatchObject({ status: 415, code: 'unsupported_content_type' })
})
