/** A Redis server of the test's own on a free port: the machine's redis-server, or else one that is installed once. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { needPeer } from '../setup/peers/find.ts'
import { freePort } from './free-port.ts'

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
  const [program, port] = [await ensureProgram(), await freePort()]
  let child = await launch(program, port)
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
      child = await launch(program, port)
    },
  }
}

async function ensureProgram(): Promise<string> {
  if (spawnSync('redis-server', ['--version']).status === 0) return 'redis-server'
  return (await needPeer('redis')).command
}

async function launch(program: string, port: number): Promise<ChildProcess> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const text of child.stdout) {
    said += text
    if (said.includes('Ready to accept connections')) {
      child.stdout.resume()
      return child
    }
  }
  throw new Error(`${program} did not start: ${said}`)
}
