/** What came of the requests that clients left (--cancel-share), and what was written for nobody, in words. */
import type { Run } from '../report/schema.ts'
import { counted, formatDuration, formatNumber } from '../units.ts'

type Canceled = NonNullable<Run['totals']['canceled']>

/** Both arms; nothing where no client was to leave. */
export function canceledLines({ totals: { canceled }, baseline, load: { cancel } }: Run): string[] {
  if (!canceled || !cancel) return []
  const after =
    cancel.afterTokens === undefined ? formatDuration(cancel.afterMs ?? 0) : counted(cancel.afterTokens, 'token')
  const clients = `${counted(canceled.left, 'client')} left after ${after}, in no figure above${endedBefore(canceled)}.`
  const theirs = baseline?.totals.canceled
  if (canceled.left === 0) return [clients]
  if (!canceled.wasted) {
    return [
      `${clients} What was then written for nobody is unknown: only the simulated provider tells, where kt can ask it.`,
    ]
  }
  const where = baseline?.role === 'direct' ? 'directly' : 'on the other arm'
  const other = theirs?.wasted ? `; ${where} ${perClient(theirs.wasted)}` : ''
  return [
    `${clients} The provider wrote ${wastedWords(canceled.wasted)}${other}.`,
    ...advice(canceled.wasted, theirs?.wasted ?? undefined),
  ]
}

function endedBefore({ answered, failed }: Canceled): string {
  const parts = [
    ...(answered > 0 ? [`${formatNumber(answered)} more were answered before that`] : []),
    ...(failed > 0 ? [`${formatNumber(failed)} failed before that`] : []),
  ]
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

type Wasted = NonNullable<Canceled['wasted']>

function wastedWords(wasted: Wasted): string {
  const atLeast = wasted.unfinished ? 'at least ' : ''
  return `${atLeast}${counted(wasted.tokens, 'token')} that nobody saw, ${perClient(wasted)}`
}

function perClient({ tokens, known }: Wasted): string {
  return `${formatNumber(tokens / known, 1)} a client`
}

/** Where most answers were written to their end, nobody told the provider that the client had gone. */
function advice({ writtenToTheEnd, known, tokens }: Wasted, theirs: Wasted | undefined): string[] {
  const usual = theirs ? theirs.tokens / theirs.known : 0
  if (writtenToTheEnd * 2 < known || tokens / known < 2 * usual + 1) return []
  return [
    `${formatNumber(writtenToTheEnd)} of ${formatNumber(known)} answers were written to their end: what stands ` +
      'between does not cancel its request to the provider when the client leaves.',
  ]
}
