/**
 * A redundancy factor taken apart: what a burst inside the window, a lost zone, a lost worker, a rolling deployment,
 * the target utilisation and the uncertainty of the figures each ask for. Their product stands beside the vendor's
 * blunt 2-4x. Counted whole: Z zones that survive the loss of f carry the load with ceil(W / (Z - f)) workers in each.
 */
import { wholeUp } from './cpu.ts'
import type { RedundancyParts } from './sizing.ts'

interface RedundancyPart {
  name: 'burst' | 'zone loss' | 'one more' | 'deploy surge' | 'target utilisation' | 'uncertainty'
  factor: number
  why: string
}

interface RedundancyTakenApart {
  parts: RedundancyPart[]
  product: number
  /** Workers that all parts together ask for, in whole zones. */
  workers: number
  perZone: number
  zones: number
  /** Workers that run while nothing is deployed. */
  steadyWorkers: number
}

export function takeApart(
  rawWorkers: number,
  { zones, zonesLost, surge, targetUtilisation }: RedundancyParts,
  burst: { factor: number; why: string },
  uncertainty: { factor: number; why: string },
): RedundancyTakenApart {
  const carried = wholeUp((rawWorkers * burst.factor * uncertainty.factor) / targetUtilisation)
  const withOneMore = carried + 1
  const perZone = wholeUp(withOneMore / (zones - zonesLost))
  const steadyWorkers = perZone * zones
  const surging = wholeUp(steadyWorkers * surge)
  const parts: RedundancyPart[] = [
    { name: 'burst', ...burst },
    { name: 'uncertainty', ...uncertainty },
    {
      name: 'target utilisation',
      factor: 1 / targetUtilisation,
      why: `planned to ${Math.round(targetUtilisation * 100)} % of a worker`,
    },
    { name: 'one more', factor: withOneMore / carried, why: 'one worker may be gone (N+1)' },
    {
      name: 'zone loss',
      factor: steadyWorkers / withOneMore,
      why:
        zonesLost === 0
          ? `${zones} zones, none lost: whole workers in each`
          : `${perZone} in each of ${zones} zones, so that ${zones - zonesLost} carry the load`,
    },
    {
      name: 'deploy surge',
      factor: (steadyWorkers + surging) / steadyWorkers,
      why: `${Math.round(surge * 100)} % more pods while a deployment rolls`,
    },
  ]
  const workers = steadyWorkers + surging
  return { parts, product: workers / rawWorkers, workers, perZone, zones, steadyWorkers }
}
