/** Starts the gateway for one test, and stops whatever the test started. */

import type { RequestListener } from 'node:http'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { afterEach } from 'vitest'
import { gatewayConfigSchema } from '../../../reference-gateway/config/config.ts'
import { type GatewayOptions, type RunningGateway, startGateway } from '../../../reference-gateway/gateway.ts'
import { until } from '../../support/waits.ts'
import { startUpstream, type Upstream } from './upstream.ts'

const stops: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

export function atEnd(stop: () => Promise<void>): void {
  stops.push(stop)
}

export async function upstream(
  handler: RequestListener,
  options: { keepAliveTimeout?: number } = {},
): Promise<Upstream> {
  const started = await startUpstream(handler, options)
  atEnd(() => started.close())
  return started
}

/** A gateway before `url`, without warm-up unless `settings` (keys of the YAML's `gateway`) ask for it. */
export async function gatewayBefore(
  url: string,
  settings: Record<string, unknown> & { limits?: object } = {},
  options: GatewayOptions = {},
): Promise<RunningGateway> {
  const config = gatewayConfigSchema({}).parse({
    gateway: {
      port: 0,
      providers: [{ name: 'openai', base_url: url }],
      warmup: { enabled: false },
      // Tests run beside each other.
      admin_port: 'off',
      ...settings,
      limits: { drain_timeout: '200ms', ...settings.limits },
    },
  })
  const gateway = await startGateway(config, options)
  atEnd(() => gateway.close())
  return gateway
}

export interface Answer {
  status: number
  message: IncomingMessage
  body: Buffer
  /** The error of a response that broke off. */
  broken: boolean
}

/** One request with node:http, read to its end or to where it breaks off. */
export function ask(url: string, options: RequestOptions = {}, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { agent: false, ...options }, (message) => {
      const chunks: Buffer[] = []
      const answer = (broken: boolean): void =>
        resolve({ status: message.statusCode ?? 0, message, body: Buffer.concat(chunks), broken })
      message.on('data', (chunk: Buffer) => chunks.push(chunk))
      message.on('end', () => answer(false))
      message.on('error', () => answer(true))
    })
    request.on('error', reject)
    request.end(body)
  })
}

export function post(gateway: RunningGateway, value: unknown, options: RequestOptions = {}): Promise<Answer> {
  return ask(
    `${gateway.url}/v1/chat/completions`,
    { method: 'POST', ...options, headers: { 'content-type': 'application/json', ...options.headers } },
    JSON.stringify(value),
  )
}

/** The newest events that the admin port shows, a line each, once there are `count`: they get there after the answer. */
export async function recentEvents(gateway: RunningGateway, count: number): Promise<string[]> {
  let lines: string[] = []
  await until(async () => {
    const { body } = await ask(`${gateway.adminUrl}/events/recent`)
    lines = body
      .toString()
      .split('\n')
      .filter((line) => line !== '')
    return lines.length >= count
  }, `${count} events`)
  return lines
}

/** What a refusal says, in the shape of OpenAI's errors. */
export function errorOf(answer: Answer): { type: string; code: string; message: string; param: string | null } {
  return JSON.parse(answer.body.toString()).error
}
