// Answers that come encoded: whole, as streams and as errors; each piece of a stream counts from when its bytes came.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough, type Transform } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflate,
  createDeflateRaw,
  createGzip,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { readContentEncoding, StreamDecoder } from '../../src/client/content-encoding.ts'
import { decoded, httpServer, OK_BODY, planFor, run, type TestServer } from '../support/engine.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const zstdFlush = { flush: constants.ZSTD_e_flush }
const brFlush = { flush: constants.BROTLI_OPERATION_FLUSH }
const sync = { flush: constants.Z_SYNC_FLUSH }
const both = (bytes: Buffer | string) => brotliCompressSync(gzipSync(bytes))

/** The header, whole bodies, streams that are flushed at each event. */
const ENCODINGS: [string, (bytes: Buffer | string) => Buffer, () => Transform[]][] = [
  ['gzip', gzipSync, () => [createGzip(sync)]],
  ['x-gzip', gzipSync, () => [createGzip(sync)]],
  ['GZIP', gzipSync, () => [createGzip(sync)]],
  ['deflate', deflateSync, () => [createDeflate(sync)]],
  ['Deflate', deflateRawSync, () => [createDeflateRaw(sync)]],
  ['br', brotliCompressSync, () => [createBrotliCompress(brFlush)]],
  ['zstd', zstdCompressSync, () => [createZstdCompress(zstdFlush)]],
  ['gzip, br', both, () => [createGzip(sync), createBrotliCompress(brFlush)]],
  ['identity', (bytes) => Buffer.from(bytes), () => [new PassThrough()]],
]

const TOKEN = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
const DONE = 'data: [DONE]\n\n'
const EVENTS = { 'content-type': 'text/event-stream' }

const answering =
  (status: number, body: Buffer, headers: Record<string, string>) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    request.resume()
    request.on('end', () => response.writeHead(status, headers).end(body))
  }

describe.each(ENCODINGS)('content-encoding: %s', (encoding, encode, encoders) => {
  it('a whole answer', async () => {
    server = await httpServer(answering(200, encode(OK_BODY), { 'content-encoding': encoding }))
    const { arm } = await run(planFor(server.origin))
    expect(arm.outcomes).toEqual({ OK: 3 })
    expect(arm.tokens.output).toBe(9)
  })

  it.each([false, true])('an error, where a stream was asked for: %s', async (stream) => {
    const error = encode('{"error":{"message":"extra inputs"}}')
    server = await httpServer(answering(400, error, { 'content-encoding': encoding }))
    const { arm } = await run(planFor(server.origin, {}, stream))
    expect(arm.details).toEqual({ KT_HTTP_4XX: 'HTTP 400: extra inputs' })
  })

  it('a stream that is no stream is quoted in clear text', async () => {
    server = await httpServer(answering(200, encode('<html>hi'), { 'content-encoding': encoding }))
    const { arm } = await run(planFor(server.origin, {}, true))
    expect(arm.details).toEqual({ KT_BAD_STREAM: '<html>hi' })
  })

  it('a stream: its first token comes long before its end, and the others apart', async () => {
    server = await httpServer(async (request, response) => {
      request.resume()
      response.writeHead(200, { ...EVENTS, 'content-encoding': encoding })
      const [first, ...others] = encoders()
      if (!first) throw new Error('no encoder')
      const last = others.reduce((from, to) => from.pipe(to), first)
      last.pipe(response)
      for (let i = 0; i < 4; i++) {
        first.write(TOKEN)
        await sleep(40)
      }
      first.end(DONE)
    })
    const { arm } = await run(planFor(server.origin, { requests: 2 }, true))
    expect(arm.outcomes).toEqual({ OK: 2 })
    const [ttft, latency, gaps] = [arm.metrics.ttft, arm.metrics.latency, arm.metrics.interToken].map(decoded)
    expect(gaps?.count).toBe(2 * 3)
    expect(ttft?.quantileUs(0.5)).toBeLessThan((latency?.quantileUs(0.5) ?? 0) / 2)
    expect(gaps?.quantileUs(0.5)).toBeGreaterThan(2_000)
  })
})

describe('what cannot be decoded', () => {
  it.each([false, true])('is named, streamed %s', async (stream) => {
    server = await httpServer(answering(200, Buffer.from(OK_BODY), { 'content-encoding': 'gzip, dcz' }))
    const { arm } = await run(planFor(server.origin, {}, stream))
    expect([arm.outcomes, arm.details]).toEqual([{ KT_ENCODING: 3 }, { KT_ENCODING: 'content-encoding: dcz' }])
  })

  it('is named beside the status of an error', async () => {
    server = await httpServer(answering(400, Buffer.from('x'), { 'content-encoding': 'compress' }))
    const { arm } = await run(planFor(server.origin))
    expect(arm.details.KT_HTTP_4XX).toBe('HTTP 400: a body that cannot be decoded: content-encoding: compress')
  })

  it.each([false, true])('text that is called gzip, streamed %s', async (stream) => {
    const headers = { ...EVENTS, 'content-encoding': 'gzip' }
    server = await httpServer(answering(200, Buffer.from(stream ? TOKEN + DONE : OK_BODY), headers))
    const { arm } = await run(planFor(server.origin, {}, stream))
    expect(arm.details).toEqual({ KT_ENCODING: 'content-encoding: gzip: incorrect header check' })
  })

  it.each([false, true])('a bomb, streamed %s', async (stream) => {
    const line = `: ${'x'.repeat(998)}\n`
    const bomb = gzipSync(line.repeat(70_000))
    expect(bomb.length).toBeLessThan(1_000_000)
    server = await httpServer(answering(200, bomb, { ...EVENTS, 'content-encoding': 'gzip' }))
    const { arm } = await run(planFor(server.origin, { requests: 1 }, stream))
    expect(arm.details).toEqual({ KT_ENCODING: 'content-encoding: gzip: more than 64 MiB when decoded' })
  })

  it('an encoded answer that breaks off is truncated', async () => {
    const half = gzipSync(TOKEN.repeat(200)).subarray(0, 60)
    server = await httpServer(answering(200, half, { ...EVENTS, 'content-encoding': 'gzip' }))
    const { arm } = await run(planFor(server.origin, {}, true))
    expect(arm.outcomes).toEqual({ KT_TRUNCATED: 3 })
  })
})

it('pieces that wait to be decoded keep the time at which they came', async () => {
  const codings = readContentEncoding('gzip, br')
  if (!codings.ok) throw new Error(codings.why)
  const gzip = createGzip(sync)
  const br = createBrotliCompress(brFlush)
  const encoded: Buffer[] = []
  gzip.pipe(br).on('data', (piece: Buffer) => encoded.push(piece))
  for (const letter of ['a', 'b', 'c']) {
    gzip.write(letter)
    await sleep(20)
  }
  gzip.end()
  await new Promise((resolve) => br.on('end', resolve))
  const seen: string[] = []
  await new Promise<string | undefined>((resolve) => {
    const decoder = new StreamDecoder(codings.value, {
      piece: (bytes, atUs) => seen.push(`${bytes} at ${atUs}`),
      ended: resolve,
    })
    for (const [i, piece] of encoded.entries()) decoder.write(piece, 1_000 * (i + 1))
    decoder.end()
  })
  expect(encoded.length).toBeGreaterThanOrEqual(3)
  expect(seen).toEqual(['a at 1000', 'b at 2000', 'c at 3000'])
})
