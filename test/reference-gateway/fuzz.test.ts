/**
 * Thousands of requests and responses with values of wrong types, over every protocol with all hooks on, to a gateway
 * in a process of its own. The gateway must not end, and no error may be its own fault. KT_FUZZ_REQUESTS and
 * KT_FUZZ_SEED choose other draws.
 */
import { writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Pool } from 'undici'
import { expect, test } from 'vitest'
import { randomFrom } from '../../src/stats/random.ts'
import { startKt } from '../support/kt.ts'
import { tempDir } from '../support/temp-dir.ts'
import { atEnd, upstream } from './support/harness.ts'
import { odd, pick, written } from './support/odd-values.ts'
import { bodyOf, wait } from './support/upstream.ts'
import { ANSWERS, REQUESTS } from './support/well-formed.ts'

const COUNT = Number(process.env.KT_FUZZ_REQUESTS ?? 3_000)
const SEED = process.env.KT_FUZZ_SEED ?? 'odd types'
const AT_ONCE = 16
/** A thousand requests take a second or two on a slow machine. */
const TIMEOUT_MS = 60_000 + COUNT * 10

const ERROR = { error: { message: 'no', type: 't', code: 'c' } }
const POLICIES = [
  { name: 'in', type: 'input_filter', kind: 'pii', detect: ['email'], action: 'redact' },
  { name: 'in-words', type: 'input_filter', keywords: ['forbidden-word'], action: 'block' },
  { name: 'out', type: 'output_filter', kind: 'pii', detect: ['email'], action: 'redact' },
  { name: 'out-words', type: 'output_filter', keywords: ['forbidden-word'], action: 'block' },
]

interface Figures {
  events: object
  hits: number
}

/** Responses as the protocol wants them, or nearly so; every eighth one is an error. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = '', headers } = request
  // Drawn for this request, whatever the order of requests.
  const random = randomFrom(`${SEED}:answer:${headers['x-request-id']}`)
  const maybeOdd = (value: unknown): string => written(random() < 0.5 ? odd(value, random) : value)
  const body = await bodyOf(request)
  const protocol = /:(?:stream)?generateContent/i.test(url)
    ? 'gemini'
    : url.endsWith('/messages')
      ? 'anthropic'
      : 'openai'
  const { whole, events } = ANSWERS[protocol]
  const status = random() < 0.125 ? 400 : 200
  if (url.includes('stream') || body.includes('"stream":true')) {
    response.writeHead(status, { 'content-type': 'text/event-stream' })
    for (const event of events) {
      response.write(`data: ${maybeOdd(event)}\n\n`)
      if (random() < 0.1) await wait(8)
    }
    response.end(protocol === 'openai' ? 'data: [DONE]\n\n' : undefined)
    return
  }
  const text = random() < 0.05 ? '<html>' : maybeOdd(random() < 0.1 ? ERROR : whole)
  response.writeHead(status, { 'content-type': 'application/json' }).end(text)
}

async function startGateway(url: string) {
  const folder = tempDir()
  atEnd(async () => folder.remove())
  const path = folder.file('gateway.json')
  const provider = (name: string, protocol: string, models: string) => {
    return { name, base_url: url, protocol, models: [models], api_key: 'k' }
  }
  const settings = {
    gateway: {
      port: 0,
      admin_port: 0,
      providers: [
        provider('o', 'openai', 'gpt-*'),
        provider('a', 'anthropic', 'claude-*'),
        provider('g', 'gemini', 'gemini-*'),
      ],
      warmup: { enabled: false },
      cache: { enabled: true },
      events: { file: { path: folder.file('events.ndjson') } },
      streaming: { on_flush: 'release', flush_interval: '5ms' },
    },
    policies: POLICIES,
  }
  // JSON is YAML.
  writeFileSync(path, JSON.stringify(settings))
  const run = startKt(['gateway', 'start', '--config', path, '--json'])
  atEnd(async () => {
    run.child.kill('SIGKILL')
    await run.ended
  })
  let said = ''
  run.child.stdout?.on('data', (text: string) => {
    said += text
  })
  await run.saidOnStdout(/\n/)
  return { ...run, ...(JSON.parse(said) as { url: string; adminUrl: string }) }
}

test(
  `${COUNT} requests of the wrong types end no process and find no fault of the gateway's own`,
  async () => {
    const provider = await upstream(answer)
    const gateway = await startGateway(provider.url)
    const client = new Pool(gateway.url, { connections: AT_ONCE })
    atEnd(() => client.destroy())
    const outcomes = new Map<string, number>()
    const faults: string[] = []
    const one = async (number: number): Promise<void> => {
      const random = randomFrom(`${SEED}:${number}`)
      const [path, given] = pick(random, REQUESTS)
      const body = written(random() < 0.9 ? odd(given, random) : given)
      const headers = { 'content-type': 'application/json', 'x-request-id': String(number) }
      const outcome = await client.request({ path: `/v1${path}`, method: 'POST', headers, body }).then(
        async ({ statusCode, body: answered }) => {
          const whole = await answered.text().catch(() => undefined)
          if (statusCode === 500) faults.push(`${number}: ${whole} <- ${path} ${body.slice(0, 2_000)}`)
          return whole === undefined ? 'broken off' : String(statusCode)
        },
        (error: Error & { code?: string }) => {
          // A stream that breaks off in the turn of its head destroys the head as well.
          if (error.code === 'UND_ERR_SOCKET' && body.includes('"stream":true')) return 'broken off'
          faults.push(`${number}: ${error.message} <- ${path} ${body.slice(0, 2_000)}`)
          return 'no answer'
        },
      )
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < COUNT && faults.length < 10) await one(next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    expect(faults).toEqual([])
    expect(gateway.child.exitCode).toBeNull()
    // Every kind occurred, and no other: answered, refused, unknown model, unreadable response, whole or streamed.
    expect([...outcomes.keys()].sort()).toEqual(['200', '400', '404', '502', 'broken off'])
    const ask = async (what: string) => (await fetch(`${gateway.adminUrl}${what}`)).json() as Promise<Figures>
    expect((await ask('/stats')).events).toMatchObject({ emitted: COUNT, dropped: 0, in_flight: 0 })
    expect(await ask('/pool')).toMatchObject({ inFlight: 0, busy: 0, waiting: 0 })
    expect((await ask('/cache')).hits).toBeGreaterThan(0)
    gateway.ctrlC()
    const { code, stderr } = await gateway.ended
    // What a start says of its config, and nothing else.
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^kt gateway: streams: text .*\n$/)])
  },
  TIMEOUT_MS,
)
