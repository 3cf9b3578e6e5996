/**
 * The reference gateway: an OpenAI-compatible reverse proxy that measures itself. It runs in one process (started here)
 * or in several (workers/primary.ts); both ways have one admin port, where the config asks for one.
 */
import { openAdmin } from './admin/admin.ts'
import type { GatewayConfig } from './config/config.ts'
import { startWarming } from './jit-warmup.ts'
import type { GatewayServer } from './server.ts'
import {
  type GatewayOptions,
  type RpcHandlers,
  type RpcResult,
  SingleProcess,
  type WorkerGroup,
} from './workers/worker-group.ts'

export type { GatewayOptions } from './workers/worker-group.ts'

export interface Gateway {
  url: string
  port: number
  /** The admin port's URL; undefined without an admin port. */
  adminUrl: string | undefined
  /** Where the metrics are, if they have an address of their own. */
  metricsUrl: string | undefined
  workers: WorkerGroup
  /** Resolves when the first warm-up is over; /readyz says how it ended. */
  warmedUp: Promise<unknown>
  /**
   * Serves by another config from now on: keys, providers, policies and all but the addresses and the number of
   * processes, which stay. What has begun ends by the old one. Rejects, and changes nothing, where a process cannot
   * serve by it.
   */
  reload(config: GatewayConfig): Promise<void>
  /** Accepts no more connections, lets requests in flight finish for a while, then ends. */
  close(): Promise<void>
}

/** A gateway in this process. */
export interface RunningGateway extends Gateway {
  poolStats: GatewayServer['poolStats']
}

/**
 * Starts as many processes as `config.workers` says. Resolves when the gateway listens; rejects with the system's
 * error.
 */
export async function runGateway(config: GatewayConfig, options: GatewayOptions = {}): Promise<Gateway> {
  if (config.workers === 1) return startGateway(config, options)
  const { startWorkers } = await import('./workers/primary.ts')
  const workers = await startWorkers(config, options)
  return withAdmin(workers, workers.group, config, options, workers.reload)
}

/** Starts the gateway in this process, whatever `config.workers` says. */
export async function startGateway(config: GatewayConfig, options: GatewayOptions = {}): Promise<RunningGateway> {
  const handlers: RpcHandlers = {}
  const group = new SingleProcess(handlers)
  const server = await startWarming(config, options, group, handlers)
  const reload = (next: GatewayConfig): Promise<RpcResult[]> => group.call('reload', next)
  return { ...(await withAdmin(server, group, config, options, reload)), poolStats: server.poolStats }
}

type Serving = Pick<Gateway, 'url' | 'port' | 'warmedUp' | 'close'>

/** Opens the admin port beside the server. Where it cannot open, the server is closed too. */
async function withAdmin(
  serving: Serving,
  workers: WorkerGroup,
  config: GatewayConfig,
  options: GatewayOptions,
  reload: (next: GatewayConfig) => Promise<RpcResult[]>,
): Promise<Gateway> {
  const { url, port, warmedUp } = serving
  const admin = await openAdmin(config, workers, options.report ?? (() => {})).catch(async (error: unknown) => {
    await serving.close()
    throw error
  })
  return {
    ...{ url, port, warmedUp, workers },
    reload: async (next) => {
      // What was opened at the start stays.
      const { host, port: given, workers: count, adminPort, metrics, accessLog } = config
      const results = await reload({ ...next, host, port: given, workers: count, adminPort, metrics, accessLog })
      const problem = results.find(({ value }) => typeof value === 'string')
      if (problem) throw new Error(String(problem.value))
    },
    adminUrl: admin.url,
    metricsUrl: admin.metricsUrl,
    close: async () => {
      await serving.close()
      await admin.close()
    },
  }
}
