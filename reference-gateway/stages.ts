/**
 * Makes the stages that the config asks for. Each folder's code is loaded only where it is wanted: what is off costs
 * neither time nor memory.
 */
import { emitsEvents } from './config/config-file.ts'
import type { Observer, Stages } from './http/stages.ts'
import type { StageDependencies } from './workers/processes.ts'

export async function createStages(dependencies: StageDependencies): Promise<Stages> {
  const { config } = dependencies
  const stages: Stages & { observers: Observer[] } = { observers: [], ...(await policyStages(dependencies)) }
  if (config.cache.enabled) stages.cache = await (await import('./cache/stage.ts')).createCache(dependencies)
  if (emitsEvents(config)) stages.observers.push(await (await import('./metrics/stage.ts')).createEvents(dependencies))
  return stages
}

async function policyStages({ config, topics, report }: StageDependencies): Promise<Pick<Stages, 'input' | 'output'>> {
  if (config.policies.length === 0) return {}
  const { createPolicyStages } = await import('./policies/stages.ts')
  const { input, output, stats, close } = createPolicyStages(config.policies, config.streaming, report)
  topics.policies = stats
  const shared = input ?? output
  // They share threads and connections, which are closed once.
  if (shared) shared.close = close
  return { ...(input && { input }), ...(output && { output }) }
}

export async function closeStages(stages: Stages): Promise<void> {
  const all = [stages.input, stages.cache, stages.output, ...stages.observers]
  await Promise.all(all.map((stage) => stage?.close?.()))
}
