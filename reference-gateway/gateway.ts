/**
 * The reference gateway: an OpenAI-compatible reverse proxy that measures itself. In one process (here) or in several
 * (processes/primary.ts); either way with one admin port, if it was asked for.
 */
import { openAdmin } from './admin/open.ts'
import type { GatewayConfig } from './config.ts'
import { OneProcess, type Processes, type Topics } from './processes/processes.ts'
import { type GatewayOptions, type GatewayServer, startServer } from './server.ts'

export type { GatewayOptions } from './server.ts'

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
  return (await import('./processes/primary.ts')).startWorkers(config, options)
}

/** In this process, whatever `config.workers` says. */
export async function startGateway(config: GatewayConfig, options: GatewayOptions = {}): Promise<RunningGateway> {
  const topics: Topics = {}
  const processes = new OneProcess(topics)
  const server = await startServer(config, options, processes, topics)
  const admin = await openAdmin(config, processes, options.report ?? (() => {})).catch(async (error: unknown) => {
    await server.close()
    throw error
  })
  return {
    ...server,
    adminUrl: admin.url,
    processes,
    close: async () => {
      await server.close()
      await admin.close()
    },
  }
}
