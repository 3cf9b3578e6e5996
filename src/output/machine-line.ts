/** What the machine withheld from a run, in words. */
import type { Block, Run } from '../report/schema.ts'
import { counted, formatMs, formatShare } from '../units.ts'

type Evidence = NonNullable<Block['machine']>

/** Whether the run was short of CPU, in which blocks, and by which account. */
export function machineLine({
  blocks,
  baseline,
}: Pick<Run, 'blocks' | 'baseline'>): { short: boolean; state: string; text: string } | undefined {
  const watched = [...blocks, ...(baseline?.blocks ?? [])].flatMap(({ machine }) => machine ?? [])
  const [first] = watched
  if (!first) return undefined
  const spanMs = sumOf(watched.map((block) => block.spanMs)) ?? 0
  const rate = (ms: number | null): string | undefined => (ms === null ? undefined : formatMs((ms / spanMs) * 1_000))
  const waited = (read: (block: Evidence) => number | null) => rate(sumOf(watched.map(read)))
  const [own, targets] = [waited((block) => block.waitMs), waited((block) => block.targetsWaitMs)]
  const taken = (ms: number | null, by: string): string => (ms ? `${rate(ms)} ms a second ${by}` : '')
  const pressureMs = sumOf(watched.map(({ pressure, spanMs: ms }) => (pressure === null ? null : pressure * ms)))
  const parts = [
    first.source === 'probe'
      ? `a thread of kt woke ${own} ms a second late`
      : `for a core kt waited ${own} ms a second${targets === undefined ? '' : `, the targets ${targets}`}`,
    pressureMs === null ? '' : `CPU pressure ${formatShare(pressureMs / spanMs)}`,
    taken(sumOf(watched.map(({ stealMs }) => stealMs)), 'stolen by the hypervisor'),
    taken(sumOf(watched.map(({ throttledMs }) => throttledMs)), 'held by the control group'),
  ]
  const starved = watched.filter(({ heldUp }) => heldUp > 0).length
  const state = starved === 0 ? 'ok' : `short of CPU in ${starved} of ${counted(watched.length, 'block')}`
  return { short: starved > 0, state, text: [state, ...parts.filter((part) => part !== '')].join('; ') }
}

/** Null where one of them is not known. */
function sumOf(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0)
}
