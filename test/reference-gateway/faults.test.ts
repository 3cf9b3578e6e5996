/**
 * A fault in any step of the pipeline, at once or later, ends its own request as a failure. Everything that the request
 * held is released, and the next request is served. The hooks that fail belong to the test.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { BodyParser } from '../../reference-gateway/http/body-parser.ts'
import { type GuardedResponse, RequestGuard } from '../../reference-gateway/http/guard.ts'
import type {
  CacheFill,
  InputHook,
  Observer,
  PipelineHooks,
  StreamFilter,
  StreamSink,
} from '../../reference-gateway/http/hooks.ts'
import type { RequestContext } from '../../reference-gateway/http/request-context.ts'
import { Admission } from '../../reference-gateway/pipeline/intake.ts'
import { RequestPipeline } from '../../reference-gateway/pipeline/request-pipeline.ts'
import { Translator } from '../../reference-gateway/protocols/translator.ts'
import { ConnectionPool } from '../../reference-gateway/upstream/pool.ts'
import { Router } from '../../reference-gateway/upstream/router.ts'
import { Upstream } from '../../reference-gateway/upstream/upstream.ts'
import { until } from '../support/waits.ts'
import { routeOf } from './support/context.ts'
import { ask, atEnd, upstream } from './support/harness.ts'
import { answerJson, bodyOf } from './support/upstream.ts'

function fail(): never {
  throw new TypeError('out of order')
}

const later = (): Promise<never> => Promise.reject(new TypeError('out of order'))
const turn = () => new Promise((resolve) => setTimeout(resolve, 1))

/** The pipeline with these hooks, for requests whose body says `"fails":true`; all others pass. */
async function pipelineWith(hooks: Partial<PipelineHooks>, injectDelayMs = 0) {
  const provider = await upstream(async (request, response) => {
    if (!(await bodyOf(request)).includes('"stream":true')) return answerJson(response, { text: 'hello' })
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"n":1}\n\n')
    await turn()
    response.end('data: [DONE]\n\n')
  })
  const config = gatewayConfigSchema({}).parse({
    gateway: {
      providers: [{ name: 'p', base_url: provider.url }],
      connection_pool: { max_total: 1 },
      circuit_breaker: { failures: 1 },
    },
  })
  const pool = new ConnectionPool(config.pool, config.upstream)
  const done: RequestContext[] = []
  const reports: string[] = []
  const { observers = [], ...others } = hooks
  const all: PipelineHooks = { observers: [...observers, { onEnd: (context) => done.push(context) }], ...others }
  const settings = {
    breaker: config.upstream.breaker,
    ownKeys: false,
    severalTenants: false,
    readsAnswers: false,
    via: 'kt',
  }
  const dependencies = {
    router: new Router(config.providers.map((one) => new Upstream(one, settings))),
    pool,
    observers: all.observers,
    hooks: all,
    clientKeys: undefined,
    injectDelayMs,
    admission: new Admission(),
    bodies: new BodyParser((problem) => reports.push(problem)),
    translator: new Translator((problem) => reports.push(problem)),
    sharesSlots: false,
    maxInFlight: 100,
    maxBodyBytes: 1_000_000,
    maxBufferedBytes: 100_000_000,
    uploads: { most: 100, idleMs: 1_000, totalMs: 1_000 },
    largeAboveBytes: 100_000,
    readerTimeoutMs: 1_000,
    passChunks: true,
    fallback: true,
    draining: false,
    report: (problem: string) => reports.push(problem),
  }
  const server = createServer((request, response) =>
    new RequestPipeline(dependencies, request, response, asked(request.method, request.url)).start(),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(async () => {
    server.closeAllConnections()
    server.close()
    await pool.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`
  const send = (body: object) => ask(url, { method: 'POST' }, JSON.stringify({ model: 'm', ...body }))
  return { send, pool, done, reports }
}

const asked = (method = '', url = '') => {
  const path = url.slice('/v1'.length)
  return { path, route: routeOf(method, path) }
}

const fails = (context: RequestContext): boolean => context.json?.fails === true
const input = (check: InputHook['check']): Partial<PipelineHooks> => ({
  input: { check: (context) => (fails(context) ? check(context) : { kind: 'pass' }) },
})
const observing = (observer: Observer): Partial<PipelineHooks> => ({
  observers: [
    {
      upstreamHeaders: (context) => (fails(context) ? (observer.upstreamHeaders?.(context) ?? []) : []),
      onResponse: (context, head) => (fails(context) ? observer.onResponse?.(context, head) : undefined),
      onEnd: (context) => (fails(context) ? observer.onEnd?.(context) : undefined),
    },
  ],
})
const whole = (apply: () => never | Promise<never>): Partial<PipelineHooks> => ({
  output: { filter: (context) => (fails(context) ? { kind: 'whole', apply } : undefined) },
})
/** No body that any policy makes. */
const UNSERIALIZABLE = { kind: 'changed', body: null as never } as const

test.each<[string, Partial<PipelineHooks>]>([
  ['an input policy, at once', input(fail)],
  ['an input policy, later', input(later)],
  ['what follows an input policy', input(() => UNSERIALIZABLE)],
  ['what follows an input policy later', input(async () => UNSERIALIZABLE)],
  ['the cache, at once', { cache: { lookup: (context) => (fails(context) ? fail() : { kind: 'bypass' }) } }],
  ['the cache, later', { cache: { lookup: (context) => (fails(context) ? later() : { kind: 'bypass' }) } }],
  ['headers for the provider', observing({ upstreamHeaders: fail })],
  ['the choice of a filter', { output: { filter: (context) => (fails(context) ? fail() : undefined) } }],
  ['a filter of whole answers, at once', whole(fail)],
  ['a filter of whole answers, later', whole(later)],
])('%s fails: 500 in OpenAI’s shape, and the next request is served', async (_, hooks) => {
  const { send, pool, done, reports } = await pipelineWith(hooks)
  const answer = await send({ fails: true })
  expect(answer.status).toBe(500)
  expect(JSON.parse(answer.body.toString()).error).toMatchObject({ code: 'internal_error', type: 'api_error' })
  expect(done.map(({ status, error }) => [status, error])).toEqual([[500, 'internal_error']])
  expect(reports).toEqual([expect.stringMatching(/^request \S+: the gateway failed over this request \(TypeError: /)])
  // There is one connection only: if the failed request kept it, this request would never get it.
  expect((await send({})).status).toBe(200)
  expect(pool.stats()).toMatchObject({ inFlight: 0, busy: 0, waiting: 0 })
})

test('a fault behind an injected delay, with requests that share one connection', async () => {
  const { send, done } = await pipelineWith(observing({ upstreamHeaders: fail }), 2)
  const answers = await Promise.all([send({}), send({ fails: true }), send({}), send({ fails: true }), send({})])
  expect(answers.map(({ status }) => status)).toEqual([200, 500, 200, 500, 200])
  expect(done).toHaveLength(5)
})

const filtering = (make: (sink: StreamSink) => Partial<StreamFilter>): Partial<PipelineHooks> => ({
  output: {
    filter: (context) =>
      fails(context)
        ? {
            kind: 'stream',
            start: (sink) => ({
              write: (chunk) => sink.write(chunk),
              end: () => sink.end(),
              drained: () => {},
              abort: () => {},
              ...make(sink),
            }),
          }
        : undefined,
  },
})

test.each<[string, Partial<PipelineHooks>]>([
  ['a stream filter’s start', filtering(fail)],
  ['a stream filter’s piece', filtering(() => ({ write: fail }))],
  ['a stream filter’s end', filtering(() => ({ end: fail }))],
  [
    'a stream filter’s timer',
    filtering((sink) => {
      setTimeout(() => sink.run(fail), 1)
      return { end: () => {} }
    }),
  ],
  ['who reads along', observing({ onResponse: () => ({ data: fail }) })],
])('%s fails after the head: the stream breaks off, and the next request is served', async (_, hooks) => {
  const { send, pool, done, reports } = await pipelineWith(hooks)
  const answer = await send({ fails: true, stream: true }).catch(() => undefined)
  // A fault in the turn of the head destroys the head as well.
  expect(answer === undefined || answer.broken).toBe(true)
  await until(() => done.length === 1)
  expect(done[0]).toMatchObject({ error: 'internal_error' })
  expect(reports).toHaveLength(1)
  expect((await send({})).status).toBe(200)
  expect(pool.stats()).toMatchObject({ inFlight: 0, busy: 0, waiting: 0 })
})

test('an error while resources are released does not keep the others from being released', async () => {
  let abandoned = 0
  const fill: CacheFill = {
    reserve: () => true,
    store: fail,
    abandon: () => {
      abandoned++
      fail()
    },
  }
  const { send, pool, done, reports } = await pipelineWith({
    ...filtering(() => ({ write: fail, abort: fail })),
    cache: { lookup: (context) => (fails(context) ? { kind: 'miss', fill } : { kind: 'bypass' }) },
    observers: observing({ onEnd: fail }).observers ?? [],
  })
  const answer = await send({ fails: true, stream: true }).catch(() => undefined)
  expect(answer === undefined || answer.broken).toBe(true)
  await until(() => done.length === 1)
  expect(abandoned).toBe(1)
  // The piece, the cache fill, the filter's end and the observer each reported its fault.
  expect(reports).toHaveLength(4)
  expect((await send({})).status).toBe(200)
  expect(pool.stats()).toMatchObject({ inFlight: 0, busy: 0, waiting: 0 })
})

test('a guard destroys a response whose fail() throws', () => {
  const heard: string[] = []
  const ending: GuardedResponse = { ended: false, fail, destroy: ({ code }) => heard.push(`cut off: ${code}`) }
  const guard = new RequestGuard(ending, ({ message }) => heard.push(message))
  guard.run(() => heard.push('ran'))
  expect(guard.tripped).toBe(false)
  guard.run(fail)
  expect(guard.tripped).toBe(true)
  expect(heard).toEqual([
    'ran',
    'the gateway failed over this request (TypeError: out of order)',
    'cut off: internal_error',
  ])
})

test('thenSync runs at once for a value, later for a promise, and calls onEnded after the end', async () => {
  const heard: string[] = []
  const ending = { ended: false, fail, destroy: fail }
  const guard = new RequestGuard(ending, fail)
  guard.thenSync('now', (value) => heard.push(value))
  expect(heard).toEqual(['now'])
  const next = (value: string): void => void heard.push(value)
  guard.thenSync(Promise.resolve('later'), next)
  await turn()
  ending.ended = true
  guard.thenSync(Promise.resolve('too late'), next, (value) => heard.push(`given back: ${value}`))
  await turn()
  expect(heard).toEqual(['now', 'later', 'given back: too late'])
})
