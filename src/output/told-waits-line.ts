/** What a target told of waits in `Retry-After`, and whether kt waited, in words. */
import type { Run } from '../report/schema.ts'
import { counted, formatDuration } from '../units.ts'

type Totals = Pick<Run['totals'], 'toldWaits'>

/** Undefined where nothing was told. `where` names the arm. */
function toldWaitsLine({ toldWaits }: Totals, where: string): string | undefined {
  if (!toldWaits) return undefined
  const { answers, longestMs, waits, waitedMs, heldBack } = toldWaits
  const told = `${counted(answers, 'answer')}${where} told kt to wait, up to ${formatDuration(longestMs)}`
  if (waits === 0) return `${told}. kt sent on; --respect-retry-after makes it wait.`
  const held = heldBack === 0 ? '' : `; ${counted(heldBack, 'request')} that were due then were held back`
  return `${told}. kt waited ${counted(waits, 'time')}, ${formatDuration(waitedMs)} in all${held}.`
}

/** For both arms. */
export function toldWaitsLines({ totals, baseline }: Pick<Run, 'totals' | 'baseline'>): string[] {
  const where = baseline?.role === 'direct' ? ' of the provider' : ' of the other arm'
  const lines = [toldWaitsLine(totals, ''), baseline && toldWaitsLine(baseline.totals, where)]
  return lines.filter((line) => line !== undefined)
}
