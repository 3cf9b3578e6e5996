/**
 * The reference gateway: an OpenAI-compatible reverse proxy that measures itself. In one process (here) or in several
 * (processes/primary.ts); either way with one admin port, if it was asked for.
 */
import { openAdmin } from './admin/admin.ts'
import type { GatewayConfig } from './config/config.ts'
import { type GatewayServer, startServer } from './server.ts'
import { type GatewayOptions, OneProcess, type Processes, type Topics } from './workers/processes.ts'

export type { GatewayOptions } from './workers/processes.ts'

export interface Gateway {
  url: string
  port: number
  /** Of the admin port; undefined where there is none. */
  adminUrl: string | undefined
  processes: Processes
  /** Resolves when the first warm-up is over; /readyz says what came of it. */
  warmedUp: Promise<unknown>
  /** Takes no more connections, lets what is in flight finish for a while, then ends. */
  close(): Promise<void>
}

/** All in this process. */
export interface RunningGateway extends Gateway {
  poolStats: GatewayServer['poolStats']
}

/** As `config.workers` says. Resolves when the gateway listens; rejects with the system's error when it cannot. */
export async function runGateway(config: GatewayConfig, options: GatewayOptions = {}): Promise<Gateway> {
  if (config.workers === 1) return startGateway(config, options)
  const { startWorkers } = await import('./workers/primary.ts')
  const workers = await startWorkers(config, options)
  return withAdmin(workers, workers.processes, config, options)
}

/** In this process, whatever `config.workers` says. */
export async function startGateway(config: GatewayConfig, options: GatewayOptions = {}): Promise<RunningGateway> {
  const topics: Topics = {}
  const processes = new OneProcess(topics)
  const server = await startServer(config, options, processes, topics)
  return { ...(await withAdmin(server, processes, config, options)), poolStats: server.poolStats }
}

type Serving = Pick<Gateway, 'url' | 'port' | 'warmedUp' | 'close'>

/** Opens the admin port beside what serves; where it cannot be had, nothing is left running. */
async function withAdmin(
  serving: Serving,
  processes: Processes,
  config: GatewayConfig,
  options: GatewayOptions,
): Promise<Gateway> {
  const { url, port, warmedUp } = serving
  const admin = await openAdmin(config, processes, options.report ?? (() => {})).catch(async (error: unknown) => {
    await serving.close()
    throw error
  })
  return {
    ...{ url, port, warmedUp, processes },
    adminUrl: admin.url,
    close: async () => {
      await serving.close()
      await admin.close()
    },
  }
}
