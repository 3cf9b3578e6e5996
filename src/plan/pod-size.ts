/** What a pod requests: one worker's vCPU and its share of the memory; half a worker gets the guide's own example. */
import { memoryBytes } from './constraints.ts'
import type { Demand } from './demand.ts'
import type { PlanFigures } from './figures.ts'
import type { Sizing } from './sizing.ts'

const MIB = 1024 ** 2

export interface PodSize {
  cpuMillicores: number
  memoryMib: number
}

/** `carrying`: the pods that hold all streams when zones are lost. */
export function podSize(
  demand: Demand,
  figures: PlanFigures,
  { container }: Sizing,
  { raw, carrying }: { raw: number; carrying: number },
): PodSize {
  if (raw <= 0.5 && carrying <= MOST_SMALL)
    return { cpuMillicores: container.cpuRequestMillicores, memoryMib: container.memoryRequestBytes / MIB }
  const { workers, streams, bodies } = memoryBytes(carrying, demand, figures)
  return { cpuMillicores: 1_000, memoryMib: Math.ceil((workers + streams + bodies) / carrying / MIB / 64) * 64 }
}

const MOST_SMALL = 4
