/**
 * A server that passes requests on to a real provider and its answers back as they come, and keeps the answers with
 * their times. It asks for bodies as they are (accept-encoding: identity), so that a cassette is text and can be
 * stamped. A client that is slow does not slow the recording down: what it has not read waits in memory, where the
 * answer is kept anyway. What a client leaves in the middle is not kept, nor what never reached the provider.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { getProxyForUrl } from 'proxy-from-env'
import { Agent, ProxyAgent } from 'undici'
import { EXIT, UserError } from '../../errors.ts'
import { now, unixMs } from '../../system/clock.ts'
import { listenAt } from '../../system/serve.ts'
import { plainReason } from '../../wire/connection-errors.ts'
import { createListener } from '../listener.ts'
import type { Outgoing } from '../reply.ts'
import { CassetteKeeper } from './keeper.ts'
import { pass, type RecorderCounts, type Shared } from './passage.ts'

export interface RecorderOptions {
  host: string
  /** 0 lets the system choose. */
  port: number
  upstream: URL
  output: string
  keepPrompts: boolean
  /** The version of this kt, for the head of the file. */
  version: string
  /** Hears once what goes wrong on the way to the upstream, and what a file held before. */
  note: (line: string) => void
}

export interface Recorder {
  url: string
  port: number
  /** The proxy of the environment that requests go by. */
  proxy: string | undefined
  counts: Readonly<RecorderCounts>
  kept: () => number
  /** Resolves when the file can take no more answers. */
  broken: Promise<UserError>
  /** Resolves to why the file does not hold all answers, where it does not. */
  close: (graceMs?: number) => Promise<UserError | undefined>
}
const GRACE_MS = 2_000
const REACH_WITHIN_MS = 10_000
/** No proxy stands before this machine itself. */
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const { upstream } = options
  const shown = upstream.origin + upstream.pathname.replace(/\/$/, '')
  const proxy = LOOPBACK.test(upstream.hostname) ? undefined : getProxyForUrl(upstream.href) || undefined
  if (proxy === undefined) await reach(upstream)
  const head = { kt: options.version, startedAt: new Date(unixMs(now())).toISOString(), upstream: shown }
  const keeper = await CassetteKeeper.open(options.output, head)
  keeper.notes.forEach(options.note)
  const settings = { headersTimeout: 0, bodyTimeout: 0, allowH2: false }
  const dispatcher = proxy === undefined ? new Agent(settings) : new ProxyAgent({ uri: proxy, ...settings })
  const counts: RecorderCounts = { streams: 0, broken: 0, left: 0, failed: 0 }
  const said = new Set<string>()
  const broken = Promise.withResolvers<UserError>()
  const shared: Shared = {
    upstream,
    keepPrompts: options.keepPrompts,
    dispatcher,
    keeper,
    counts,
    noteOnce: (line) => {
      if (!said.has(line)) options.note(line)
      said.add(line)
    },
    onFault: broken.resolve,
  }
  const listener = createListener(
    {},
    (request: IncomingMessage | Http2ServerRequest, response: Outgoing) =>
      // Without HTTP/2 in the options all requests are of HTTP/1.1.
      pass(shared, request as IncomingMessage, response as ServerResponse),
    () => {},
  )
  const { port, authority } = await listenAt(listener.server, options.port, options.host).catch(async (error) => {
    await keeper.close()
    throw error
  })
  return {
    url: `http://${authority}`,
    port,
    proxy: proxy && new URL(proxy).origin,
    counts,
    kept: () => keeper.kept,
    broken: broken.promise,
    close: async (graceMs = GRACE_MS) => {
      await listener.close(graceMs)
      await dispatcher.destroy()
      await keeper.close()
      return keeper.fault
    },
  }
}

/** What was recorded, in a sentence. */
export function summaryOf({ kept, counts }: Recorder, output: string): string {
  const { streams, broken, left, failed } = counts
  const parts = [
    `${kept()} answers recorded in ${output}, ${streams} of them to streams`,
    ...(broken > 0 ? [`${broken} that the provider broke off`] : []),
    ...(left > 0 ? [`${left} left out whose client did not wait for the end`] : []),
    ...(failed > 0 ? [`${failed} requests did not reach the provider`] : []),
  ]
  return parts.join('; ')
}

/** Opens a connection to the upstream, and closes it. */
async function reach({ protocol, hostname, port, origin }: URL): Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const secure = protocol === 'https:'
  const at = { host, port: Number(port || (secure ? 443 : 80)), timeout: REACH_WITHIN_MS }
  const socket = secure ? connectTls({ ...at, servername: host }) : connectTcp(at)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => resolve())
      socket.once('timeout', () => reject(new Error('no connection was made in time')))
      socket.once('error', reject)
    })
  } catch (error) {
    throw new UserError(
      `--upstream: ${origin} cannot be reached (${plainReason(error)})`,
      'Check the address, and that the provider runs.',
      EXIT.inconclusive,
    )
  } finally {
    socket.destroy()
  }
}
