/**
 * Nagle's algorithm against delayed acknowledgements: a small write waits until the one before is acknowledged, and
 * Linux takes 40 ms for that. Tokens then come in bursts, 40 ms apart, while the provider writes on; or a whole
 * answer's body that long after its head.
 */

import { readHistogram } from '../../report/histogram-text.ts'
import type { DurationSummary } from '../../report/schema.ts'
import { binomialCdf } from '../../stats/distributions.ts'
import type { Histogram } from '../../stats/histogram.ts'
import { aboveP } from '../../stats/ranks.ts'
import { addedByToken, addedToEnd, answered, NOT_STREAMED, noStamps, type ProbeAnswer } from '../probe/measured.ts'
import { ALARM_P, type DoctorRule, fine, found, notChecked, onlyMeasured } from '../rule.ts'

type Band = readonly [fromUs: number, toUs: number]
/** Shorter waits are any gateway's and any machine's. */
const LONG_US = 15_000
/**
 * The lower quartile of the long waits: no acknowledgement comes sooner, and a machine that stalls does so for less
 * more often. The kernel's 40 ms are told in ticks of up to 4 ms, and count from the write before, not from when its
 * token was seen: 33 to 44 on a quiet machine.
 */
const ACK_US: Band = [31_000, 48_000]
/** Of the streams or whole answers must have such a wait: on a busy machine some have it by accident. */
const LEAST_SHARE = 0.5
/**
 * Of waits of any other cause, whose lengths differ by four tenths (a log-normal of sigma 0.4), no more than this lie
 * in the band, wherever their middle is: 42 %. More would not be reached by acknowledgements on a busy machine.
 */
const OTHERS_IN_BAND = 0.45
/** Of all gaps of a report: one in a stream of a hundred tokens. */
const LEAST_SHARE_OF_GAPS = 0.01

export const delayedAck: DoctorRule = {
  id: 'delayed-ack',
  needs: 'streams',
  title: "Writes wait 40 ms for an acknowledgement (Nagle's algorithm)",
  cost:
    '40 ms on whatever is written while an earlier small write is unacknowledged: ' +
    'tokens, or the body after its head',
  fix: { how: 'Set TCP_NODELAY on the sockets to clients and providers, or write head and body in one piece.' },
  config: onlyMeasured('no key of a config shows it'),
  report: ({ target, interTokenMs, baseline }) => {
    if (!target.stream || !interTokenMs) return notChecked(NOT_STREAMED)
    const held = (gaps: DurationSummary): number => heldFor(countIn(readHistogram(gaps.histogram)))
    const count = held(interTokenMs)
    // What the provider's own pace makes is in the direct arm too.
    const direct = baseline?.interTokenMs
    const odd = interTokenMs.p50 < 20 && count > 2 * (direct ? held(direct) : 0)
    const seen = `${count} of ${interTokenMs.count} gaps between tokens are of about 40 ms`
    return odd && count >= interTokenMs.count * LEAST_SHARE_OF_GAPS ? found('warning', 'possible', seen) : fine(seen)
  },
  measure: ({ streams, whole }) => {
    const gaps = answered(streams).filter(isStamped).map(heldGapsUs)
    const ends = answered(whole).flatMap((answer) => addedToEnd(answer) ?? [])
    const firsts = answered(streams).flatMap((answer) => addedByToken(answer)[0] ?? [])
    if (gaps.length === 0 && ends.length === 0) return notChecked(noStamps(streams))
    const held = (values: readonly number[]): number => heldFor((band) => values.filter((us) => isIn(us, band)).length)
    const inAll = isOneLength(gaps.flat()) ? held(gaps.flat()) : 0
    const having = gaps.filter((of) => of.some((us) => us >= ACK_US[0])).length
    if (inAll > 0 && having >= gaps.length * LEAST_SHARE) {
      const seen = `${inAll} gaps of about 40 ms in ${having} of ${gaps.length} streams, in which the provider wrote on`
      return found('warning', 'likely', seen)
    }
    // What delays the beginning of streams too is no wait of a body for its head.
    const onlyEnds =
      aboveP(
        ends,
        firsts.map((us) => us + LONG_US),
      ) <= ALARM_P
    const inWhole = onlyEnds ? held(ends) : 0
    return inWhole > 0 && inWhole >= ends.length * LEAST_SHARE
      ? found('warning', 'possible', `${inWhole} of ${ends.length} whole answers came about 40 ms late`)
      : fine(`no waits of 40 ms in ${gaps.length} streams and ${ends.length} whole answers`)
  },
}

function isStamped({ tokens }: ProbeAnswer): boolean {
  return tokens.every(({ stamp }) => stamp !== undefined)
}

/** Gaps between tokens that the provider wrote less than half as far apart. */
function heldGapsUs({ tokens }: ProbeAnswer): number[] {
  return tokens.slice(1).flatMap((token, i) => {
    const before = tokens[i]
    const gap = token.sinceSentUs - (before?.sinceSentUs ?? 0)
    const written = (token.stamp?.providerUs ?? 0) - (before?.stamp?.providerUs ?? 0)
    return written < gap / 2 ? [gap] : []
  })
}

/** Whether the long waits are more alike than chance makes those of another cause. */
function isOneLength(waitsUs: readonly number[]): boolean {
  const long = waitsUs.filter((us) => us > LONG_US)
  const inBand = long.filter((us) => isIn(us, ACK_US)).length
  return 1 - binomialCdf(inBand - 1, long.length, OTHERS_IN_BAND) <= ALARM_P
}

/** How many long waits there are, where they are those for an acknowledgement; else 0. */
function heldFor(count: (band: Band) => number): number {
  const long = count([LONG_US, Number.POSITIVE_INFINITY])
  const [sooner, soon] = [count([LONG_US, ACK_US[0]]), count([LONG_US, ACK_US[1]])]
  return sooner < long / 4 && soon >= long / 4 ? long : 0
}

function isIn(us: number, [from, to]: Band): boolean {
  return us > from && us <= to
}

function countIn(histogram: Histogram): (band: Band) => number {
  return ([from, to]) => histogram.countAbove(from) - histogram.countAbove(to)
}
