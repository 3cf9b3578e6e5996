/** Runs the engine in this thread against a real server on a free port. */
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { ArmRecord } from '../../src/load/arm-record.ts'
import { Engine } from '../../src/load/engine.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { Histogram, type PackedHistogram } from '../../src/stats/histogram.ts'
import { now } from '../../src/system/clock.ts'
import { promptWorkload } from '../../src/workload/workload.ts'

export interface TestServer {
  origin: string
  close(): Promise<void>
}

export async function httpServer(listener: RequestListener): Promise<TestServer> {
  return listen(createHttpServer(listener))
}

/** A server that speaks bytes: `onConnection` may answer anything. */
export async function tcpServer(onConnection: (socket: Socket) => void): Promise<TestServer> {
  return listen(createTcpServer(onConnection))
}

/** A server on a free port, whose sockets end with it. */
export async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

export const OK_BODY = JSON.stringify({
  choices: [{ message: { role: 'assistant', content: 'Hello' } }],
  usage: { prompt_tokens: 5, completion_tokens: 3 },
})

export function planFor(origin: string, changes: Partial<RunPlan> = {}, stream = false): RunPlan {
  return {
    arms: [
      {
        name: 'target',
        origin,
        path: '/v1/chat/completions',
        headers: { 'content-type': 'application/json' },
        tag: 'testtags',
      },
    ],
    workload: promptWorkload({ endpoint: 'chat', model: 'm', prompt: 'Say hello', stream, seed: 1 }),
    load: { mode: 'closed', concurrency: 1 },
    requests: 3,
    durationUs: undefined,
    blocks: 1,
    warmup: 0,
    timeoutUs: 5_000_000,
    tokenBudget: undefined,
    ...changes,
  }
}

export async function run(plan: RunPlan): Promise<{ engine: Engine; arm: ArmRecord; arms: ArmRecord[] }> {
  const engine = new Engine(plan, now)
  await engine.run()
  const arms = engine.recorders.map((recorder) => recorder.toRecord())
  const [arm] = arms
  if (!arm) throw new Error('a run without arms')
  return { engine, arm, arms }
}

export function decoded(histogram: PackedHistogram): Histogram {
  return Histogram.unpack(histogram)
}
