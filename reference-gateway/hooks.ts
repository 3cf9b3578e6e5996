/**
 * Makes the hooks that the config asks for. Each folder's code is loaded only where the config wants it: a feature that
 * is off costs neither time nor memory.
 */
import { z } from 'zod'
import type { ResponseCache } from './cache/cache.ts'
import { emitsEvents } from './config/config-file.ts'
import type { EventObserver } from './events/observer.ts'
import type { Observer, PipelineHooks } from './http/hooks.ts'
import { sum } from './workers/counts.ts'
import type { HookDependencies } from './workers/worker-group.ts'

export async function createHooks(dependencies: HookDependencies): Promise<PipelineHooks> {
  const { config } = dependencies
  const hooks: PipelineHooks & { observers: Observer[] } = { observers: [], ...(await createPolicies(dependencies)) }
  if (config.cache.enabled) hooks.cache = await createCache(dependencies)
  if (emitsEvents(config)) hooks.observers.push(await createEvents(dependencies))
  return hooks
}

export async function closeHooks(hooks: PipelineHooks): Promise<void> {
  const all = [hooks.input, hooks.cache, hooks.output, ...hooks.observers]
  await Promise.all(all.map((hook) => hook?.close?.()))
}

type PolicyHooks = Pick<PipelineHooks, 'input' | 'output'>

async function createPolicies({ config, counts, report }: HookDependencies): Promise<PolicyHooks> {
  if (config.policies.length === 0) return {}
  const { createPolicyHooks } = await import('./policies/hooks.ts')
  const { input, output, stats, close } = createPolicyHooks(config.policies, config.streaming, report)
  counts.policies = () => sum([stats()])
  const shared = input ?? output
  // Both hooks share threads and connections, which are closed once.
  if (shared) shared.close = close
  return { ...(input && { input }), ...(output && { output }) }
}

const toClear = z.object({ model: z.string().nullable() })

async function createCache({ config, handlers, counts, report }: HookDependencies): Promise<ResponseCache> {
  const { ResponseCache } = await import('./cache/cache.ts')
  const providers = config.providers.map(({ name, origin, basePath, protocol, models, weight }) => ({
    ...{ name, origin, basePath, protocol, models, weight },
  }))
  const scope = {
    providers,
    fallback: config.upstream.fallback,
    policies: config.policies,
    streaming: config.streaming,
  }
  const cache = await ResponseCache.open(config.cache, scope, (problem) => report(`cache: ${problem}`))
  handlers['cache.stats'] = () => cache.stats()
  counts.cache = () => ({ ...cache.counts() })
  handlers['cache.clear'] = async (argument) => ({
    cleared: (await cache.clear(toClear.parse(argument).model ?? undefined)) ?? null,
  })
  return cache
}

async function watchProcess() {
  const { processMetrics } = await import('./metrics/prometheus.ts')
  return processMetrics()
}

async function createEvents({ config, publisher, handlers, counts }: HookDependencies): Promise<EventObserver> {
  const { EventObserver } = await import('./events/observer.ts')
  const options = { buffer: config.events.buffer, traces: config.events.otlp !== undefined }
  const observer = new EventObserver(options, publisher)
  // After its answer all events of this process have been published.
  handlers['events.flush'] = () => observer.flush()
  handlers['events.inFlight'] = () => observer.inFlight
  counts.events = () => observer.counts()
  if (config.adminPort !== undefined || config.metrics) {
    // Where nobody scrapes, nothing watches the event loop and the collector, and the package is not loaded.
    let watched: ReturnType<typeof watchProcess> | undefined
    handlers.process = async () => {
      watched ??= watchProcess()
      return (await watched).getMetricsAsJSON()
    }
  }
  return observer
}
