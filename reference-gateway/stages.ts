/**
 * Makes the stages that the config asks for. Each folder's code is loaded only where it is wanted: what is off costs
 * neither time nor memory.
 */
import type { GatewayConfig } from './config.ts'
import { emitsEvents } from './events/config-file.ts'
import type { Observer, Stages } from './pipeline/stages.ts'
import type { Publisher, Topics } from './processes/processes.ts'

export interface StageSurroundings {
  config: GatewayConfig
  publisher: Publisher
  /** Where a stage puts what it answers to the admin port. */
  topics: Topics
  /** What goes wrong outside of a request. */
  report: (problem: string) => void
}

export async function createStages(surroundings: StageSurroundings): Promise<Stages> {
  const { config } = surroundings
  const stages: Stages & { observers: Observer[] } = { observers: [], ...(await policyStages(surroundings)) }
  if (config.cache.enabled) stages.cache = await (await import('./cache/stage.ts')).createCache(surroundings)
  if (emitsEvents(config)) stages.observers.push(await (await import('./events/stage.ts')).createEvents(surroundings))
  return stages
}

async function policyStages({ config, topics, report }: StageSurroundings): Promise<Pick<Stages, 'input' | 'output'>> {
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
