/**
 * A look-ahead: each token leaves when the next one is there, the last with the end. To the reader every token comes
 * late by one gap, and figures of the whole answer do not show it.
 */

import { binomialCdf } from '../../stats/distributions.ts'
import { median } from '../../stats/means.ts'
import { formatMs } from '../../units.ts'
import { addedByToken, addedToEnd, answered, NOT_STREAMED, noStamps, type ProbeAnswer } from '../probe/measured.ts'
import { ALARM_P, type DoctorRule, fine, found, notChecked, onlyMeasured } from '../rule.ts'

const FEWEST_STREAMS = 5
/** A hold of one gap is within this factor of it: a buffer or a timer holds for longer. */
const ABOUT = 1.5

export const heldTokens: DoctorRule = {
  id: 'held-tokens',
  needs: 'streams',
  title: 'Each token is held until the next one comes',
  cost: 'readers see every token one gap late, the first one too; the end comes in time and hides it',
  fix: { how: 'Pass each event on when it is whole: the blank line ends it, not the next event.' },
  config: onlyMeasured('no key of a config shows it'),
  report: ({ target, holdMs, interTokenMs }) => {
    if (!target.stream) return notChecked(NOT_STREAMED)
    if (!holdMs || !interTokenMs) return notChecked('the report has no hold of tokens: it takes stamps')
    const [hold, gap] = [holdMs.p50, interTokenMs.p50]
    const seen = `tokens are held for ${formatMs(hold)} ms, and come ${formatMs(gap)} ms apart (P50)`
    return hold > gap / ABOUT && hold < gap * ABOUT ? found('warning', 'likely', seen) : fine(seen)
  },
  measure: ({ streams }) => {
    const seen = answered(streams).flatMap((answer) => lookAhead(answer) ?? [])
    if (seen.length < FEWEST_STREAMS) return notChecked(noStamps(streams))
    const told = seen.filter(({ unsure }) => !unsure)
    if (told.length < FEWEST_STREAMS) return notChecked('answers end as late as their tokens come: all is late alike')
    const held = told.filter(({ always }) => always)
    const [hold, gap] = [median(held.map(({ holdUs }) => holdUs)), median(held.map(({ gapUs }) => gapUs))]
    const byChance = 1 - binomialCdf(held.length - 1, told.length, 0.5)
    if (byChance > ALARM_P) return fine(`tokens do not wait for the next one (${told.length} streams)`)
    const words = `in ${held.length} of ${told.length} streams no token came before the next one was written`
    return hold < gap * ABOUT
      ? found('warning', 'likely', `${words}: each is held for ${formatMs(hold / 1_000)} ms`)
      : fine(`${words}, but for longer than one gap`)
  },
}

interface LookAhead {
  always: boolean
  /** The end was late as well, by a delay of all or by the machine: what held the tokens cannot be told. */
  unsure: boolean
  holdUs: number
  gapUs: number
}

/**
 * Whether every token but the last came only after the next one had been written, which no stall of a machine makes of
 * a gateway that passes on; and later than the end by about a gap, since a delay of all is no hold.
 */
function lookAhead(answer: ProbeAnswer): LookAhead | undefined {
  const endUs = addedToEnd(answer)
  const added = addedByToken(answer).slice(0, -1)
  if (endUs === undefined || added.length < 2) return undefined
  const written = answer.tokens.map(({ stamp }) => stamp?.providerUs ?? 0)
  const gapUs = ((written.at(-1) ?? 0) - (written[0] ?? 0)) / added.length
  const holdUs = median(added) - endUs
  const late = added.every((us, i) => us >= (written[i + 1] ?? 0) - (written[i] ?? 0))
  const always = late && holdUs > gapUs / ABOUT
  return { always, unsure: late && !always, holdUs, gapUs }
}
