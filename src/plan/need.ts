/** What a constraint needs of workers or nodes, and the lines that explain it. */
import type { Demand } from './demand.ts'
import type { Input } from './figures.ts'

type ConstraintName = 'cpu' | 'events' | 'packets' | 'network' | 'connections' | 'descriptors' | 'ports' | 'memory'

export interface Need {
  name: ConstraintName
  per: 'worker' | 'node'
  /** Workers or nodes for the demand as it is, before rounding. */
  need: number
  formula: string
  inputs: Input[]
}

export interface NodeCapacity {
  type: string
  workersPerNode: number
  bandwidthGbps: number
  memoryBytes: number
  /** In and out together, where a limit is known. */
  packetsPerSec?: number | undefined
  source: string
  memorySource: string
}

export function demandInput(name: string, value: number, unit: string, demand: Demand): Input {
  return { name, value, unit, from: 'demand', source: demand.form }
}

export function computedInput(name: string, value: number, unit: string): Input {
  return { name, value, unit, from: 'computed', source: 'the figures here' }
}

export function catalogueInput(name: string, value: number, unit: string, machine: string, source: string): Input {
  return { name, value, unit, from: 'catalogue', source: `${machine}, ${source}` }
}
