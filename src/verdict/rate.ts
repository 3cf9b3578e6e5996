/** Whether a run sent at the rate that was asked for, and the words for it. */
import type { Run } from '../report/schema.ts'
import { formatNumber } from '../units.ts'

type Client = Pick<Run['client'], 'verdict' | 'achievedToOffered'>

const REACHED = 0.95

/** What a run says that did not reach its rate; undefined for one that did, and for a closed loop, which asks none. */
export function rateNotReached({ achievedToOffered }: Pick<Client, 'achievedToOffered'>): string | undefined {
  if (achievedToOffered === null || achievedToOffered >= REACHED) return undefined
  return `only ${formatNumber(achievedToOffered * 100, 1)} % of the requested rate was reached`
}

/** The verdict on the client in words. Reports of earlier versions say `ok` of a run that did not reach its rate. */
export function clientWord({ verdict, achievedToOffered }: Client): string {
  const word = verdict === 'ok' && rateNotReached({ achievedToOffered }) ? 'rate-not-reached' : verdict
  return word.replaceAll('-', ' ')
}
