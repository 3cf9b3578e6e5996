/** A Redis server of the test's own on a free port, or the reason why there is none. CI must have one. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

const present = spawnSync('redis-server', ['--version']).status === 0
if (!present && process.env.CI) throw new Error('redis-server is missing: apt-get install redis-server')

/** For `describe.skipIf`: a name that says why nothing ran. */
export const noRedis = !present
export const withRedis = present ? 'with Redis' : 'with Redis (skipped: redis-server is not installed)'

export interface TestRedis {
  url: string
  /** Stops answering, as a stalled machine does, and goes on. */
  stall(): void
  goOn(): void
  stop(): Promise<void>
  /** At the same port, empty. */
  startAgain(): Promise<void>
}

export async function startRedis(): Promise<TestRedis> {
  const port = await freePort()
  let child = await launch(port)
  return {
    url: `redis://127.0.0.1:${port}`,
    stall: () => void child.kill('SIGSTOP'),
    goOn: () => void child.kill('SIGCONT'),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
    startAgain: async () => {
      child = await launch(port)
    },
  }
}

async function launch(port: number): Promise<ChildProcess> {
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  for await (const text of child.stdout) if (String(text).includes('Ready to accept connections')) break
  child.stdout.resume()
  return child
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
