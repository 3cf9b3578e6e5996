/** What a table says of the answers behind its figures: how many there are, and whether they were understood. */
import type { ArmResult, DurationSummary, Run } from '../report/schema.ts'
import { isOfTokens, isStreamOnly, type Metric } from '../slo/metrics.ts'
import { counted, formatNumber } from '../units.ts'

/** How many answers a figure rests on, where these are not all requests. */
export function restsOn(count: number, requests: number): string {
  return count === requests ? '' : `n=${formatNumber(count)}`
}

/** The same of a duration, and a mark where it cannot be trusted. Gaps are counted by the answers that have any. */
export function restOfDuration(report: Run, metric: Metric, measured: DurationSummary): string {
  const { count } = isOfTokens(metric) ? (report.tpotMs ?? measured) : measured
  const suspect = report.answers?.suspect && isStreamOnly(metric) ? 'suspect' : ''
  return [suspect, restsOn(count, report.totals.sent)].filter((part) => part !== '').join(', ')
}

/** Sentences on the answers of each arm. */
export function answerNotes({ answers, baseline }: Run): string[] {
  const other = sentences(baseline?.answers).map((line) => `The other arm: ${line}`)
  return [...sentences(answers), ...other]
}

function sentences(answers: ArmResult['answers']): string[] {
  const { empty = 0, suspect } = answers ?? {}
  return [
    ...(empty > 0 ? [`${counted(empty, 'answer')} held nothing and count as successes (--allow-empty).`] : []),
    ...(suspect ? [suspectSentence(suspect)] : []),
  ]
}

export function suspectSentence(suspect: NonNullable<NonNullable<ArmResult['answers']>['suspect']>): string {
  const { answers, missedTokens, members } = suspect
  return (
    `Times of tokens are suspect: the usage of ${counted(answers, 'answer')} tells ` +
    `${formatNumber(missedTokens)} output tokens that kt did not see; they may have come in members that it does ` +
    `not know: ${members.join(', ')}.`
  )
}
