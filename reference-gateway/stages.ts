/**
 * Makes the stages that the config asks for. Each folder's code is loaded only where it is wanted: what is off costs
 * neither time nor memory.
 */
import type { GatewayConfig } from './config.ts'
import type { Stages } from './pipeline/stages.ts'
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
  return { observers: [], ...(await policyStages(surroundings)) }
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
