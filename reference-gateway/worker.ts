/**
 * A worker process: serves its share of the connections that the primary accepts, and answers the primary's calls. It
 * starts and stops when the primary says so, and ends when the primary is gone. Run by workers/primary.ts, never
 * imported.
 */
import { reasonOf } from '../src/errors.ts'
import { keepDoublesApart, lowerHelperThreads } from '../src/system/helper-threads.ts'
import { startWarming } from './jit-warmup.ts'
import type { GatewayServer } from './server.ts'
import type { PrimaryMessage, Publisher, RpcHandlers, WorkerMessage } from './workers/worker-group.ts'

/** How often the primary hears of the counts, which outlive this process. */
const COUNTS_EVERY_MS = 250

keepDoublesApart()
lowerHelperThreads()

const handlers: RpcHandlers = {}
/** Channels that somebody in the primary listens to. */
const subscribed = new Set<string>()
let server: GatewayServer | undefined

const publisher: Publisher = {
  hasSubscribers: (channel) => subscribed.has(channel),
  publish: (channel, value) => {
    if (subscribed.has(channel)) send({ kind: 'published', channel, value })
  },
}

function send(message: WorkerMessage): void {
  // Between the primary's end and the end of this process nobody receives messages any more.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

async function start({ config, options, channels }: PrimaryMessage & { kind: 'start' }): Promise<void> {
  for (const channel of channels) subscribed.add(channel)
  const report = (problem: string): void => send({ kind: 'report', problem })
  try {
    server = await startWarming(config, { ...options, report }, publisher, handlers)
  } catch (error) {
    const { code, port } = error as NodeJS.ErrnoException & { port?: number }
    send({ kind: 'failed', message: reasonOf(error), code, port })
    return
  }
  send({ kind: 'listening', url: server.url, port: server.port })
  const { counts } = server
  setInterval(() => send({ kind: 'counts', counts: counts() }), COUNTS_EVERY_MS).unref()
  await server.warmedUp
  send({ kind: 'warm' })
}

async function call({ id, method, argument }: PrimaryMessage & { kind: 'call' }): Promise<void> {
  const handler = handlers[method]
  send({ kind: 'result', id, known: handler !== undefined, value: await handler?.(argument) })
}

async function stop(): Promise<void> {
  await server?.close()
  // Messages leave in order: all that was published before has left when this message has.
  const stopped: WorkerMessage = { kind: 'stopped' }
  if (process.connected) process.send?.(stopped, undefined, undefined, () => process.exit())
  else process.exit()
}

process.on('message', (message: PrimaryMessage) => {
  switch (message.kind) {
    case 'start':
      void start(message)
      break
    case 'call':
      void call(message)
      break
    case 'stop':
      void stop()
      break
    case 'subscribe':
      if (message.on) subscribed.add(message.channel)
      else subscribed.delete(message.channel)
      break
    default:
      message satisfies never
  }
})
process.once('disconnect', () => void stop())
// A terminal sends Ctrl-C to every process of its group: the primary decides what follows from it.
// Node would open its debugger at SIGUSR1.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => {})
send({ kind: 'ready-to-start' })
