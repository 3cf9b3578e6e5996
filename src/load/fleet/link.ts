/**
 * The connection to a NATS broker, with NATS' own means of telling who one is: a credentials file, a user, a token,
 * TLS. The client is an optional package, and is loaded only here.
 */

import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'
import { reasonOf, UserError } from '../../errors.ts'
import { readText } from '../../parse/file.ts'
import { requireOptional } from '../../system/optional-package.ts'
import type { Credentials } from './flags.ts'

const PACKAGES = ['@nats-io/transport-node', '@nats-io/jetstream']
const CONNECT_WITHIN_MS = 5_000
/** A broker that comes back is found at once, and one that hangs is noticed within seconds. */
const RECONNECT_MS = 200
const PING_MS = 1_000
const CONSUMER = 'coordinator'
const KEPT_NS = 24 * 3_600 * 1e9
/** What was on its way when the broker went comes again after this time. */
const ACK_NS = 2e9
/** So many records are added up within the time after which they would come again, and are not much to hold. */
const FETCH = { max_messages: 32, expires: 1_000 }
/** Who takes messages says and hears other things at least as often. */
const TURN_MS = 5

/** The flags, and for what they leave out the variables of NATS. */
export interface BrokerAccess extends Credentials {
  user?: string | undefined
  password?: string | undefined
  token?: string | undefined
}

export function accessFrom(flags: Credentials, env: NodeJS.ProcessEnv): BrokerAccess {
  return {
    'nats-creds': flags['nats-creds'] ?? env.NATS_CREDS,
    'nats-ca': flags['nats-ca'] ?? env.NATS_CA,
    'nats-cert': flags['nats-cert'] ?? env.NATS_CERT,
    'nats-key': flags['nats-key'] ?? env.NATS_KEY,
    user: env.NATS_USER,
    password: env.NATS_PASSWORD,
    token: env.NATS_TOKEN,
  }
}

export interface Link {
  nc: NatsConnection
  js: JetStreamClient
  jsm(): Promise<JetStreamManager>
  /** False while the broker cannot be reached. */
  readonly connected: boolean
  /** When that last changed, in milliseconds of performance.now(). */
  readonly changedMs: number
  /** A stream that keeps what is said on this subject until the run is over, or a day. */
  openStream(jsm: JetStreamManager, name: string, subject: string): Promise<void>
  /** Hands out what a stream holds and gets; what was not taken before a break comes again. */
  consume(stream: string, signal: AbortSignal, take: (subject: string, data: Uint8Array) => void): Promise<void>
  /** All that a stream holds by now. */
  readAll(stream: string, take: (subject: string, data: Uint8Array) => void): Promise<void>
  close(): Promise<void>
}

type Client = [typeof import('@nats-io/transport-node'), typeof import('@nats-io/jetstream')]

/** `purpose`: what wants the client, for whoever has not installed it. */
export function loadClient(purpose: string): Promise<Client> {
  return requireOptional(PACKAGES, purpose, () =>
    Promise.all([import('@nats-io/transport-node'), import('@nats-io/jetstream')]),
  )
}

export async function connectTo(address: string, access: BrokerAccess, purpose: string): Promise<Link> {
  const [transport, jetstream] = await loadClient(purpose)
  const { 'nats-creds': creds, 'nats-ca': caFile, 'nats-cert': certFile, 'nats-key': keyFile } = access
  const { user, password: pass, token } = access
  const servers = address.split(',').map((one) => one.trim())
  const tls = caFile || certFile || keyFile || servers.some((one) => one.startsWith('tls:'))
  const options: NodeConnectionOptions = {
    // The client knows no scheme.
    servers: servers.map((one) => one.replace(/^\w+:\/\//, '').replace(/\/+$/, '')),
    name: 'kt',
    timeout: CONNECT_WITHIN_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    ...(tls ? { tls: pick({ ca: text(caFile), cert: text(certFile), key: text(keyFile) }) } : {}),
    ...(creds ? { authenticator: transport.credsAuthenticator(credentialsIn(creds)) } : {}),
    ...pick({ user, pass, token }),
  }
  const nc = await transport.connect(options).catch((error) => {
    throw refusal(address, error)
  })
  const js = jetstream.jetstream(nc)
  let connected = true
  let changedMs = performance.now()
  const watch = async (): Promise<void> => {
    for await (const { type } of nc.status()) {
      if (type !== 'disconnect' && type !== 'reconnect') continue
      connected = type === 'reconnect'
      changedMs = performance.now()
    }
  }
  void watch()
  return {
    nc,
    js,
    jsm: async () => {
      try {
        return await jetstream.jetstreamManager(nc)
      } catch (error) {
        throw new UserError(
          `the broker at ${address} keeps nothing: ${reasonOf(error)}`,
          'A fleet needs JetStream: start it as nats-server --jetstream.',
        )
      }
    },
    get connected() {
      return connected
    },
    get changedMs() {
      return changedMs
    },
    async openStream(jsm, name, subject) {
      await jsm.streams.add({ name, subjects: [subject], max_age: KEPT_NS })
      const durable_name = CONSUMER
      await jsm.consumers.add(name, { durable_name, ack_policy: jetstream.AckPolicy.Explicit, ack_wait: ACK_NS })
    },
    async consume(stream, signal, take) {
      while (!signal.aborted && !nc.isClosed()) {
        try {
          const consumer = await js.consumers.get(stream, CONSUMER)
          const turn = takeTurns(TURN_MS)
          while (!signal.aborted) {
            for await (const message of await consumer.fetch(FETCH)) {
              take(message.subject, message.data)
              message.ack()
              await turn()
            }
          }
        } catch {
          // The broker is gone, or comes up again.
          await sleep(RECONNECT_MS)
        }
      }
    },
    async readAll(stream, take) {
      const consumer = await js.consumers.get(stream)
      const { num_pending: pending } = await consumer.info()
      for (let left = pending; left > 0; ) {
        for await (const message of await consumer.fetch({
          ...FETCH,
          max_messages: Math.min(left, FETCH.max_messages),
        })) {
          take(message.subject, message.data)
          left--
        }
      }
    },
    close: () => nc.close(),
  }
}

/** Lets timers and sockets have their turn where the last one was so long ago. */
function takeTurns(ms: number): () => Promise<void> {
  let lastMs = performance.now()
  return async () => {
    if (performance.now() - lastMs < ms) return
    await setImmediate()
    lastMs = performance.now()
  }
}

/** What a file of credentials holds: a JWT that names the user, and the seed of the user's key. */
function credentialsIn(path: string): Uint8Array {
  const held = readText(path, 'file of credentials')
  if (/BEGIN NATS USER JWT[\s\S]*BEGIN USER NKEY SEED/.test(held)) return new TextEncoder().encode(held)
  throw new UserError(
    `${path} holds no credentials of a NATS user`,
    'Give the .creds file that nsc wrote for the user.',
  )
}

function refusal(address: string, error: unknown): UserError {
  const reason = reasonOf(error)
  if (error instanceof Error && error.name === 'AuthorizationError') {
    return new UserError(
      `the broker at ${address} refuses these credentials: ${reason}`,
      'Give --nats-creds, or NATS_USER and NATS_PASSWORD, or NATS_TOKEN, as the broker has them.',
    )
  }
  return new UserError(
    `no NATS broker answers at ${address}: ${reason}`,
    'Start one (nats-server --jetstream), or let kt start one here: --fleet local:3.',
  )
}

function text(path: string | undefined): string | undefined {
  return path === undefined ? undefined : readText(path, 'file for the broker')
}

function pick<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}
