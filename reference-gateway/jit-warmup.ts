/**
 * The JIT warm-up: a process that serves asks itself before it says that it is ready. V8 compiles what has run often,
 * so that the first thousands of requests of a process take longer, and pay for the compiler on the cores that they
 * need. The same code serves here by the same config, before a provider in this process: nothing reaches a provider,
 * the cache, the events, the counts or the log of the gateway. It stands back while a client is served.
 */
import type { ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { reasonOf } from '../src/errors.ts'
import { Agent, createServer, request } from '../src/system/node-http.ts'
import { listenAt } from '../src/system/serve.ts'
import { ChatStreamWriter, writeChatAnswer } from '../src/wire/openai-chat.ts'
import { NO_USAGE } from '../src/wire/usage.ts'
import type { GatewayConfig } from './config/config.ts'
import { asHttp1 } from './http/http2-request.ts'
import { type GatewayServer, startServer } from './server.ts'
import type { GatewayOptions, Publisher, RpcHandlers } from './workers/worker-group.ts'

const HOST = '127.0.0.1'
const PATH = '/v1/chat/completions'
const REQUESTS = 1_200
const TOKENS = 24
const IN_FLIGHT = 8
/** On a slow or busy machine what is compiled by then must do. */
const LIMIT_MS = 3_000
/** How long it stands back at a time. */
const PAUSE_MS = 20
/** Every third answer is whole; every fourth prompt came before, for the cache. */
const WHOLE_EVERY = 3
const REPEATED_EVERY = 4
const STREAMED = ',"stream":true'
const PROMPT = 'Please sum up in plain words what this text says, and name whoever wrote it. '.repeat(4)
const HEAD = { id: 'chatcmpl-warmup', model: 'warmup', fingerprint: undefined }
const WORDS = ['The', ' answer', ' names', ' nobody', ', and', ' its', ' 42', ' words', ' are', ' plain', '.', '\n']
const TEXT = Array.from({ length: TOKENS }, (_, index) => WORDS[index % WORDS.length] ?? '')
const WHOLE = {
  head: HEAD,
  choices: [{ text: TEXT.join(''), reasoning: '', signed: [], toolCalls: [], finishReason: 'stop' as const }],
  usage: NO_USAGE,
}

/** Somebody seems to listen, so that what is published is made. */
const NOBODY: Publisher = { hasSubscribers: () => true, publish: () => {} }

/** A server as startServer makes it, which warms up where options and config say so, and is not ready before. */
export async function startWarming(
  config: GatewayConfig,
  options: GatewayOptions,
  publisher: Publisher,
  handlers: RpcHandlers,
): Promise<GatewayServer> {
  const server = await startServer(config, options, publisher, handlers)
  if (!options.jitWarmup || !config.warmup.jit) return server
  let isWanted = true
  const isBusy = (): boolean => server.inFlight() > 0
  const warm = warmJit(config, isBusy, () => isWanted).catch((error: unknown) =>
    options.report?.(`JIT warm-up: ${reasonOf(error)}`),
  )
  server.notReadyUntil(warm, 'warming up')
  return {
    ...server,
    warmedUp: Promise.all([server.warmedUp, warm]).then(() => {}),
    close: async () => {
      isWanted = false
      await Promise.all([server.close(), warm])
    },
  }
}

/**
 * Resolves when enough was asked, when its time is over, or soon after `isWanted` says no. `isBusy`: a client is
 * served.
 */
async function warmJit(config: GatewayConfig, isBusy: () => boolean, isWanted: () => boolean): Promise<void> {
  const endMs = performance.now() + LIMIT_MS
  const provider = await openProvider(config)
  const gateway = await startServer(rehearsed(config, provider.origin), {}, NOBODY, {})
  await gateway.warmedUp
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT })
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < REQUESTS && performance.now() < endMs && isWanted()) {
      if (isBusy()) await pause(PAUSE_MS)
      else await ask(gateway.url, agent, next++)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  agent.destroy()
  await gateway.close()
  await provider.close()
}

/** What asks others, writes somewhere or refuses clients is left out; all else is as it was. */
function rehearsed(config: GatewayConfig, origin: string): GatewayConfig {
  const [{ name }] = config.providers
  const { events, cache, policies } = config
  return {
    ...config,
    ...{ host: HOST, port: 0, tls: undefined, clientKeys: undefined },
    ...{ adminPort: undefined, metrics: undefined, accessLog: undefined },
    providers: [
      { name, origin, basePath: '/v1', protocol: 'openai', apiKey: undefined, models: ['*'], weight: undefined },
    ],
    upstream: { ...config.upstream, httpVersion: speaksHttp2(config) ? 'h2' : 'h1' },
    policies: policies.filter(({ kind }) => kind !== 'webhook'),
    cache: { ...cache, backend: 'memory' },
    events: { ...events, file: undefined, otlp: undefined },
  }
}

function speaksHttp2({ providers, upstream: { httpVersion } }: GatewayConfig): boolean {
  return httpVersion === 'h2' || (httpVersion === 'auto' && providers[0].origin.startsWith('https:'))
}

async function openProvider(config: GatewayConfig): Promise<{ origin: string; close(): Promise<unknown> }> {
  const server = speaksHttp2(config)
    ? createHttp2Server((asked, response) => void answer(...asHttp1(asked, response)))
    : createServer((asked, response) => void answer(asked, response))
  const { authority } = await listenAt(server, 0, HOST)
  return { origin: `http://${authority}`, close: () => new Promise((resolve) => server.close(resolve)) }
}

/** The tokens of a stream leave one by one, as a provider's do. */
async function answer(asked: Readable, response: ServerResponse): Promise<void> {
  if (!(await text(asked)).includes(STREAMED)) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(writeChatAnswer(WHOLE, 0))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const writer = new ChatStreamWriter(0, false)
  writer.setHead(HEAD)
  response.write(writer.write({ kind: 'begin', choice: 0 }))
  for (const token of TEXT) {
    await nextTurn()
    response.write(writer.write({ kind: 'text', choice: 0, text: token }))
  }
  response.write(writer.write({ kind: 'finish', choice: 0, reason: 'stop' }))
  response.end(writer.end(NO_USAGE))
}

/** Resolves at the end of the answer; rejects where there is none. */
function ask(url: string, agent: InstanceType<typeof Agent>, number: number): Promise<void> {
  const about = number % REPEATED_EVERY === 0 ? number - 1 : number
  const prompt = JSON.stringify([{ role: 'user', content: `${PROMPT}${about}` }])
  const body = `{"model":"warmup","messages":${prompt}${number % WHOLE_EVERY > 0 ? STREAMED : ''}}`
  const headers = { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request(url + PATH, { method: 'POST', agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`it was answered ${response.statusCode}`))
      response.on('close', resolve)
      response.resume()
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
