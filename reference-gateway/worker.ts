/**
 * A worker: serves its share of the connections that the primary takes, and answers the primary's questions. It starts and
 * stops when the primary says so, and ends when the primary is gone. Run by workers/primary.ts, never imported.
 */
import { type GatewayServer, startServer } from './server.ts'
import type { Publisher, ToPrimary, Topics, ToWorker } from './workers/processes.ts'

const topics: Topics = {}
const heard = new Set<string>()
let server: GatewayServer | undefined

const publisher: Publisher = {
  heard: (channel) => heard.has(channel),
  publish: (channel, value) => {
    if (heard.has(channel)) say({ kind: 'published', channel, value })
  },
}

function say(message: ToPrimary): void {
  // Between the primary's end and this process's own nobody listens any more.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

async function start({ config, injectDelayMs, drainMs, heard: channels }: ToWorker & { kind: 'start' }): Promise<void> {
  for (const channel of channels) heard.add(channel)
  const report = (problem: string): void => say({ kind: 'report', problem })
  try {
    const options = { injectDelayMs, report, ...(drainMs !== undefined && { drainMs }) }
    server = await startServer(config, options, publisher, topics)
  } catch (error) {
    const { code, port } = error as NodeJS.ErrnoException & { port?: number }
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error), code, port })
    return
  }
  say({ kind: 'listening', url: server.url, port: server.port })
  await server.warmedUp
  say({ kind: 'warm' })
}

async function answer({ id, topic, argument }: ToWorker & { kind: 'ask' }): Promise<void> {
  const known = topics[topic]
  say({ kind: 'answer', id, known: known !== undefined, answer: await known?.(argument) })
}

async function stop(): Promise<void> {
  await server?.close()
  // What was published before has left when this has.
  if (process.connected)
    process.send?.({ kind: 'stopped' } satisfies ToPrimary, undefined, undefined, () => process.exit())
  else process.exit()
}

process.on('message', (message: ToWorker) => {
  if (message.kind === 'start') void start(message)
  else if (message.kind === 'ask') void answer(message)
  else if (message.kind === 'stop') void stop()
  else if (message.on) heard.add(message.channel)
  else heard.delete(message.channel)
})
process.once('disconnect', () => void stop())
// A terminal's Ctrl-C reaches every process of its group: the primary decides what comes of it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
say({ kind: 'ready-to-start' })
