/** The result of another tool, in kt's words: the figures that it has, and what it lacks for a verdict. */
import type { ForeignFigures } from './figures.ts'
import { TOOLS } from './tools.ts'

export interface ForeignResult extends ForeignFigures {
  tool: string
  lacks: readonly string[]
}

/** Undefined for what no tool of the table wrote. */
export function readForeign(value: unknown): ForeignResult | undefined {
  for (const { name, lacks, read } of TOOLS) {
    const figures = read(value)
    if (figures) return { tool: name, lacks, ...figures }
  }
  return undefined
}
