/** Explains by how much and why two definitions of the overhead differ in one run. It gives sentences, no verdict. */
import type { OverheadDefinition, OverheadResult } from '../report/schema.ts'
import { formatMs } from '../units.ts'

type Entry = Pick<OverheadResult, 'definition' | 'note' | 'resolution' | 'components'> & {
  totalMs: Pick<OverheadResult['totalMs'], 'p50' | 'p99'>
}

type EntryOf<D extends OverheadDefinition> = Entry & { definition: D }
/** A definition that another one sees more than. */
type Narrow = EntryOf<'self-reported'> | EntryOf<'upstream-reported'>

/** A smaller difference is no disagreement: it is a tenth of the smallest budget. */
const ALIKE_MS = 0.05

/** A sentence for each pair of definitions, with the one that sees more first. */
export function explainDisagreement(entries: readonly Entry[]): string[] {
  const of = <D extends OverheadDefinition>(definition: D) =>
    entries.find((entry): entry is EntryOf<D> => entry.definition === definition)
  const stamped = of('provider-stamped')
  const own = of('self-reported')
  const wait = of('upstream-reported')
  const pairs: [Entry | undefined, Narrow | undefined][] = stamped
    ? [
        [stamped, own],
        [stamped, wait],
      ]
    : [[wait, own]]
  return pairs.flatMap(([wide, narrow]) => (wide && narrow ? [sentence(wide, narrow)] : []))
}

function sentence(wide: Entry, narrow: Narrow): string {
  const [p50, p99] = [wide.totalMs.p50 - narrow.totalMs.p50, wide.totalMs.p99 - narrow.totalMs.p99]
  const names = `${wide.definition} and ${narrow.definition}`
  const alikeMs = Math.max(ALIKE_MS, narrow.resolution?.errorMs ?? 0, wide.resolution?.errorMs ?? 0)
  if (Math.abs(p50) < alikeMs && Math.abs(p99) < alikeMs) {
    return alikeMs > ALIKE_MS
      ? `${names} agree within ${alikeMs} ms, which is as fine as they are.`
      : `${names} agree within ${ALIKE_MS} ms: little happens outside of what both of them see.`
  }
  if (p50 < -alikeMs)
    return `${narrow.definition} reads ${formatMs(-p50)} ms more than ${wide.definition} at P50: ${over(narrow)}`
  const at = `${formatMs(p50)} ms more at P50, ${formatMs(p99)} at P99`
  return `${wide.definition} reads ${at} than ${narrow.definition}: ${under(wide, narrow)}`
}

/** Why the narrow definition reads less: what only the wide one sees. */
function under(wide: Entry, narrow: Narrow): string {
  switch (narrow.definition) {
    case 'self-reported': {
      const clock =
        wide.definition === 'provider-stamped' ? 'the network in both directions' : 'the network to the gateway'
      return `that is what the gateway does not see of itself (${narrow.note}), ${clock}, and kt.`
    }
    case 'upstream-reported':
      return (
        'the wait that the gateway reports includes some of its own work: opening a connection, sending, and ' +
        'reading the answer.'
      )
    default:
      return narrow satisfies never
  }
}

/** Why a definition that should see less reads more. */
function over(narrow: Narrow): string {
  switch (narrow.definition) {
    case 'self-reported':
      // A gateway that tells such work apart knows only of gaps that it waited in.
      if (narrow.components && 'overlapped_work' in narrow.components) {
        return (
          'it worked on pieces of a stream while the provider was still sending others. It counts that work, and ' +
          'the stamps what a client waited for.'
        )
      }
      return (
        "more than there was between client and provider. Its clock counts the provider's time, or work that it does " +
        'while the provider of a stream is still sending, or it rounds up; trust the stamps.'
      )
    case 'upstream-reported':
      return (
        "its wait ends with the upstream's headers, so the rest of the answer counts as the gateway's; " +
        'trust the stamps.'
      )
    default:
      return narrow satisfies never
  }
}
