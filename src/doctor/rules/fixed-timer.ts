/**
 * A fixed wait before the first token of every stream: in what the gateway added to first tokens, by the provider's
 * stamps, nobody is quicker than the timer, all are alike, and whole answers and later tokens do not have it.
 */

import { readHistogram } from '../../report/histogram-text.ts'
import type { DurationSummary, Run } from '../../report/schema.ts'
import { median } from '../../stats/means.ts'
import { formatMs, formatShare } from '../../units.ts'
import { addedToEnd, answered, type Measurements, NOT_STREAMED, noStamps, streamDelays } from '../probe/measured.ts'
import { type DoctorRule, fine, found, notChecked, type Opinion, onlyMeasured } from '../rule.ts'

const FEWEST_STREAMS = 5

/** Shorter, a stream cannot show that its later tokens do not wait. */
const LEAST_SPREAD_US = 50_000

/** Arriving within this share of the time in which they were written is arriving together. */
const TOGETHER = 0.25

const TIMERS_MS = [25, 40, 50, 100]

/** Below this a wait is any gateway's work. */
const LEAST_WAIT_US = 15_000

/** Half of a timer's waits lie this close to the shortest, besides what spreads whole answers too. */
const TIMER_SPREAD_US = 8_000

/** Where half of the whole answers are delayed by more than this, a wait of that length cannot be told from it. */
const MOST_NOISE_US = LEAST_WAIT_US

/** Where they are delayed by less than this, waits that differ are no timer's. */
const LITTLE_NOISE_US = TIMER_SPREAD_US

/** How far the quickest wait of a timer lies from its length. */
const TIMER_ERROR_MS = 3

export const fixedTimer: DoctorRule = {
  id: 'fixed-timer-ttft',
  needs: 'streams',
  title: 'A fixed wait before the first token',
  cost: 'every stream begins later by that wait, however quick the provider is',
  fix: {
    how: 'Find the timer before the first chunk (a sleep, a flush interval, a debounce) and remove it, or report it.',
  },
  config: onlyMeasured('no key of a config shows it'),
  report: (report) => (report.target.stream ? timerInReport(report) : notChecked(NOT_STREAMED)),
  measure: (measured) => {
    const held = streamDelays(measured)
    const whole = wholeDelaysUs(measured)
    if (held.length < FEWEST_STREAMS || whole.length === 0) return notChecked(noStamps(measured.streams))
    const first = held.map(({ added }) => added[0] ?? 0).sort((a, b) => a - b)
    const [quickest, usual] = [Math.min(...whole), median(whole)]
    const [least = 0, middle] = [first[0], median(first)]
    // Load delays some requests and not others: what the quickest of each kind took says most of what is there without
    // it.
    const [waitUs, noiseUs] = [least - quickest, usual - quickest]
    const seen =
      `first tokens come ${formatMs(middle / 1_000)} ms after the provider wrote them, ` +
      `the quickest ${formatMs(least / 1_000)} (${first.length} streams); ` +
      `whole answers ${formatMs(usual / 1_000)} ms, the quickest ${formatMs(quickest / 1_000)}`
    if (least < LEAST_WAIT_US) return fine(seen)
    const busy = notChecked(`${seen}: the machine or the gateway is too busy to tell a timer from that`)
    if (noiseUs > MOST_NOISE_US) return busy
    // Nobody is quicker than a timer, and it is much the same for all.
    if (waitUs < LEAST_WAIT_US) return fine(seen)
    if (middle - least > TIMER_SPREAD_US + noiseUs) return noiseUs > LITTLE_NOISE_US ? busy : fine(seen)
    const [here, there] = [median(held.map(({ hereUs }) => hereUs)), median(held.map(({ thereUs }) => thereUs))]
    if (there >= LEAST_SPREAD_US && (here <= there * TOGETHER || waitUs >= there)) {
      return notChecked('all tokens come at once (fake-streaming): which wait was for the first one cannot be told')
    }
    // A wait that the last token has too, long after it, is none for the first one.
    if (there > 2 * waitUs && held.every(({ added }) => (added.at(-1) ?? 0) >= least)) {
      return fine(`${seen}; the last tokens wait as long`)
    }
    const timer = TIMERS_MS.find((ms) => Math.abs(waitUs / 1_000 - ms) <= TIMER_ERROR_MS)
    return timer === undefined
      ? found('warning', 'possible', `${seen}: nearly the same wait every time, of no usual timer`)
      : found('warning', 'likely', `${seen}: the mark of a timer of ${timer} ms`)
  },
}

/** What the gateway adds where nothing is held: to whole answers. */
function wholeDelaysUs({ whole }: Measurements): number[] {
  return answered(whole).flatMap((answer) => addedToEnd(answer) ?? [])
}

/**
 * With a baseline beside it the whole distribution of TTFT moved by one figure; without one, most of it lies in one
 * narrow peak.
 */
function timerInReport({ ttftMs, baseline, overhead }: Run): Opinion {
  if (!ttftMs) return notChecked('the report has no time to first token')
  const direct = baseline?.ttftMs
  if (direct) {
    const [p50, p90] = [ttftMs.p50 - direct.p50, ttftMs.p90 - direct.p90]
    const seen = `TTFT is ${formatMs(p50)} ms above the direct arm's at P50, ${formatMs(p90)} at P90`
    const timer = TIMERS_MS.find((ms) => p50 >= ms && p50 <= ms * 1.35 && Math.abs(p90 - p50) <= ms * 0.3)
    return timer === undefined ? fine(seen) : found('warning', 'possible', `${seen}: as a timer of ${timer} ms would`)
  }
  const added = overhead.find(({ definition }) => definition === 'provider-stamped')?.totalMs.p50
  if (added !== undefined && added < LEAST_WAIT_US / 1_000) {
    return fine(`the gateway adds ${formatMs(added)} ms at P50, by the provider's stamps`)
  }
  const peak = TIMERS_MS.map((ms) => ({ ms, share: shareWithin(ttftMs, ms, ms * 1.1) })).find(
    ({ share }) => share > 0.6,
  )
  return peak
    ? found(
        'warning',
        'possible',
        `${formatShare(peak.share)} of the first tokens come between ${peak.ms} and ${formatMs(peak.ms * 1.1)} ms`,
      )
    : fine(`no peak of TTFT at ${TIMERS_MS.join(', ')} ms`)
}

/** The share of a report's distribution above `fromMs` and not above `toMs`. */
function shareWithin({ histogram, count }: DurationSummary, fromMs: number, toMs: number): number {
  const decoded = readHistogram(histogram)
  return (decoded.countAbove(fromMs * 1_000) - decoded.countAbove(toMs * 1_000)) / count
}
