/**
 * Two runs of two endpoints, such as the same prompts as chat and as Messages through one gateway. What the gateway
 * adds is the same quantity in both, by a reading that both have: it is the time beside the provider's own. Latencies,
 * times of tokens and rates hold what the provider does with each API, and are shown, not judged.
 */
import type { Run } from '../report/schema.ts'
import { sharedDefinition } from './delta.ts'
import { comparesEndpoints, type Difference, type Pair } from './pair.ts'

type Runs = Pick<Pair, 'baseline' | 'gateway'>

/** What differs on purpose, in a sentence; undefined for runs of one endpoint. */
export function endpointWords(pair: Pair): string | undefined {
  if (!comparesEndpoints(pair)) return undefined
  const of = pair.mode === 'regression' ? sharedDefinition(pair) : undefined
  return of === undefined
    ? `the runs ask two endpoints (${names(pair)}): their figures stand side by side and say nothing of each other`
    : `the runs ask two endpoints (${names(pair)}): what the gateway adds is compared (${of}); latencies, tokens and ` +
        'rates hold what the provider does with each, and are not'
}

/** Why a difference of anything but the overhead is not judged. */
export function notAcrossEndpoints(pair: Pair, of: string): string | undefined {
  if (!comparesEndpoints(pair) || of === 'overhead') return undefined
  return `not comparable: ${of} of ${names(pair)} is not one quantity, only the overhead is`
}

/** Why two runs of two endpoints get no verdict, where the endpoints are the reason or decide how it is told. */
export function endpointsForbid(pair: Pair, forbidding: readonly Difference[]): string | undefined {
  const whats = forbidding.map(({ what }) => what)
  if (!comparesEndpoints(pair)) return undefined
  if (whats.includes('endpoint') && pair.mode === 'regression') {
    const why = 'share no reading of the overhead, which alone is the same quantity in both'
    return `not comparable: the runs ask ${names(pair)} and ${why}`
  }
  if (whats.length !== 1 || whats[0] !== 'workload') return undefined
  const unknown = [pair.baseline, pair.gateway].some(({ load }) => load.workload.asked === undefined)
  return unknown
    ? `not comparable: the runs ask ${names(pair)}, and not both reports tell what they asked (measure again)`
    : `not comparable: the runs ask ${names(pair)}, but not the same prompts, seed and limits of the answers ` +
        '(--max-tokens gives both the same limit)'
}

function names({ baseline, gateway }: Runs): string {
  const name = ({ target }: Run): string => target.endpoint
  return `${name(baseline)} and ${name(gateway)}`
}
