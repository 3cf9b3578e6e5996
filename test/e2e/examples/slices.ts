/**
 * Which file runs the commands of which documents. Each slice has a test file of its own, so that the workers of vitest
 * share what takes minutes.
 */
import { documentedCommands, HELP } from '../../support/pages.ts'

/** The slices of long documents. A document that is named nowhere belongs to the rest. */
const LONG = { benchmarking: 'docs/benchmarking.md', workloads: 'docs/workloads.md', help: HELP } as const

export type Slice = keyof typeof LONG | 'rest'
export const SLICES = [...Object.keys(LONG), 'rest'] as Slice[]

/** The documents of a slice, with their commands. */
export function documentsOf(slice: Slice): [document: string, commands: string[]][] {
  const long: string[] = Object.values(LONG)
  return [...documentedCommands()].filter(([document]) =>
    slice === 'rest' ? !long.includes(document) : document === LONG[slice],
  )
}
