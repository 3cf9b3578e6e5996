/** The cache as the config asks for it, and what it answers to the admin port. */
import { z } from 'zod'
import type { StageDependencies } from '../workers/processes.ts'
import { ResponseCache } from './cache.ts'

const toClear = z.object({ model: z.string().nullable() })

export async function createCache({ config, topics, report }: StageDependencies): Promise<ResponseCache> {
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
  topics['cache.stats'] = () => cache.stats()
  topics['cache.clear'] = async (argument) => ({
    cleared: (await cache.clear(toClear.parse(argument).model ?? undefined)) ?? null,
  })
  return cache
}
