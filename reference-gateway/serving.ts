/**
 * What one config makes of one process: hooks, providers, connections. A reload opens another beside it; requests that
 * have begun end with the one they began with.
 */
import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { GatewayConfig } from './config/config.ts'
import { closeHooks, createHooks } from './hooks.ts'
import { ClientKeys } from './http/auth.ts'
import { BodyParser } from './http/body-parser.ts'
import { type HeadRules, isLoopback } from './http/request-head.ts'
import type { Admission } from './pipeline/intake.ts'
import type { PipelineDependencies } from './pipeline/request-pipeline.ts'
import { Translator } from './protocols/translator.ts'
import { ConnectionPool } from './upstream/pool.ts'
import { Router } from './upstream/router.ts'
import { Upstream } from './upstream/upstream.ts'
import { WarmUp } from './warmup.ts'
import type { Counts, Tally } from './workers/counts.ts'
import type { GatewayOptions, HookDependencies } from './workers/worker-group.ts'

export interface Serving {
  readonly dependencies: PipelineDependencies & { draining: boolean }
  readonly rules: HeadRules
  readonly upstreams: readonly Upstream[]
  readonly pool: ConnectionPool
  readonly warmUp: WarmUp
  /** Requests that began with this config. */
  readonly inFlight: InFlightCounter
  notReady(): string | undefined
  close(): Promise<void>
}

/** What all servings of one process share. */
interface ProcessWide extends Pick<HookDependencies, 'publisher' | 'handlers' | 'report'> {
  admission: Admission
  tally: Tally
}

export async function openServing(
  config: GatewayConfig,
  options: GatewayOptions,
  { publisher, handlers, report, admission, tally }: ProcessWide,
): Promise<Serving> {
  const counts: Record<string, () => Counts> = {}
  const hooks = await createHooks({ config, publisher, handlers, counts, report })
  const bodies = new BodyParser(report)
  const translator = new Translator(report)
  const { limits, clientKeys } = config
  const via = pseudonym(config)
  const severalTenants = new Set(clientKeys?.map(({ tenant }) => tenant)).size > 1
  const upstreams = config.providers.map(
    (provider) =>
      new Upstream(provider, {
        breaker: config.upstream.breaker,
        severalTenants,
        ownKeys: config.clientKeys !== undefined,
        via,
        readsAnswers: hooks.output !== undefined || hooks.cache !== undefined,
      }),
  )
  const pool = new ConnectionPool(config.pool, config.upstream)
  pool.onFallbackToH1 = (origin) => report(`${origin} does not speak HTTP/2: HTTP/1.1 is used`)
  counts.pool = () => {
    const { opened, waited, recycled } = pool.stats()
    return { opened, waited, recycled }
  }
  const endCounts = tally.add(() => Object.fromEntries(Object.entries(counts).map(([name, read]) => [name, read()])))
  const warmUp = new WarmUp(config, pool, upstreams, (problem) => report(`warm-up: ${problem}`))
  return {
    dependencies: {
      router: new Router(upstreams),
      pool,
      hooks,
      observers: hooks.observers,
      admission,
      bodies,
      translator,
      clientKeys: clientKeys && new ClientKeys(clientKeys),
      sharesSlots: severalTenants,
      injectDelayMs: options.injectDelayMs ?? 0,
      maxInFlight: limits.maxInFlight,
      maxBodyBytes: limits.maxBodyBytes,
      maxBufferedBytes: limits.maxBufferedBytes,
      uploads: { most: limits.maxInFlight, idleMs: limits.senderTimeoutMs, totalMs: limits.requestTimeoutMs },
      largeAboveBytes: hooks.input?.largeAboveBytes ?? bodies.largeAboveBytes,
      readerTimeoutMs: limits.readerTimeoutMs,
      passChunks: config.streaming.passthrough_chunked,
      fallback: config.upstream.fallback,
      report,
      draining: false,
    },
    rules: { via, onlyLocal: isLoopback(config.host) && config.clientKeys === undefined },
    ...{ upstreams, pool, warmUp },
    inFlight: new InFlightCounter(),
    notReady: () => (pool.isStarved ? 'requests have waited long for a connection to a provider' : warmUp.missing),
    close: async () => {
      warmUp.stop()
      endCounts()
      await Promise.all([pool.close(), bodies.close(), translator.close(), closeHooks(hooks)])
    },
  }
}

/** The same for all processes of this gateway, and for no other. */
function pseudonym({ host, port, providers }: GatewayConfig): string {
  const about = JSON.stringify([host, port, providers.map(({ origin, basePath }) => origin + basePath)])
  return `kt-gateway-${createHash('sha256').update(about).digest('hex').slice(0, 12)}`
}

/** Counts the requests that are being answered. */
export class InFlightCounter {
  #onSettled: (() => void) | undefined
  count = 0

  add(response: ServerResponse): void {
    this.count++
    response.once('close', () => {
      this.count--
      if (this.count === 0) this.#onSettled?.()
    })
  }

  /** Resolves when nothing is in flight, or after `limitMs`. */
  settled(limitMs?: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.count === 0) return resolve()
      const limit = limitMs === undefined ? undefined : setTimeout(resolve, limitMs)
      this.#onSettled = () => {
        clearTimeout(limit)
        resolve()
      }
    })
  }
}
