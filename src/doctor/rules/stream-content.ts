/**
 * What a stream holds: every event, in order, its usage and its end. Told by what the same provider sends directly, or
 * by the protocol's own rules where it is not known.
 */
import { median } from '../../stats/means.ts'
import { counted, formatNumber, formatShare } from '../../units.ts'
import { OUTCOMES } from '../../wire/outcome.ts'
import { answered, type Measurements, NO_PROVIDER, NOT_STREAMED, type ProbeAnswer } from '../probe/measured.ts'
import { type DoctorRule, fine, found, notChecked, type Opinion, onlyMeasured } from '../rule.ts'

const NO_KEY = 'no key of a config shows it'

export const lostEvents: DoctorRule = {
  id: 'lost-events',
  needs: 'streams',
  title: 'Text of streams is lost, repeated or out of order',
  cost: 'users read, and agents act on, what the model did not say',
  fix: {
    how:
      'Look at how the gateway splits events (line ends, UTF-8 and events cut at any byte), ' +
      'and whether it writes from more than one place.',
  },
  config: onlyMeasured(NO_KEY),
  report: 'a report counts tokens, and keeps no text',
  measure: ({ streams, provider }) => {
    const good = answered(streams)
    const back = good.filter(goesBack).length
    if (back > 0)
      return found(
        'critical',
        'certain',
        `in ${back} of ${good.length} streams events come in another order than the provider wrote them`,
      )
    if (!provider) return notChecked(NO_PROVIDER)
    const expected = answered(provider.direct).map(plainText)
    const [text] = expected
    if (text === undefined || good.length === 0)
      return notChecked('no stream came whole, directly or through the gateway')
    if (expected.some((other) => other !== text))
      return notChecked('the provider gives different answers to one question')
    const wrong = good.filter((answer) => plainText(answer) !== text)
    const [example] = wrong
    if (!example) {
      const hold = counted(good.length, 'stream holds', 'streams hold')
      return fine(`${hold} the text that the provider sends directly, to the letter`)
    }
    return found(
      'critical',
      'certain',
      `${wrong.length} of ${good.length} streams hold other text than the provider sends: ` +
        difference(text, plainText(example)),
    )
  },
}

/** With --stamp-in-text the stamps are words of the text. */
function plainText({ text }: ProbeAnswer): string {
  return text.replaceAll(/ ?kt1\.[a-z]{16}\.\d+\.\d+/g, '')
}

function goesBack({ tokens }: ProbeAnswer): boolean {
  return tokens.some(({ stamp }, i) => (stamp?.providerUs ?? 0) < (tokens[i - 1]?.stamp?.providerUs ?? 0))
}

function difference(expected: string, got: string): string {
  const [wanted, had] = [expected, got].map((text) => text.split(' '))
  const lengths = `${had?.length} words for ${wanted?.length}`
  const same = wanted?.toSorted().join(' ') === had?.toSorted().join(' ')
  return same ? `the same words in another order` : lengths
}

const MERGED_BELOW = 0.9

export const mergedEvents: DoctorRule = {
  id: 'merged-events',
  needs: 'streams',
  title: 'Events are merged',
  cost: 'fewer, larger steps: a token waits for the next one of its event',
  fix: {
    how: 'Pass each event on as it comes, unless a policy needs more of the text.',
    kt: { gateway: { streaming: { passthrough_chunked: true } } },
  },
  config: onlyMeasured(NO_KEY),
  report: 'a report does not know how many events the provider sent',
  measure: ({ streams, provider }) => {
    if (!provider) return notChecked(NO_PROVIDER)
    const [sent, came] = [answered(provider.direct), answered(streams)].map((list) =>
      median(list.map(({ tokens }) => tokens.length)),
    )
    if (sent === undefined || came === undefined || Number.isNaN(sent + came))
      return notChecked('no stream came whole, directly or through the gateway')
    const [arrived, all] = [formatNumber(came), formatNumber(sent)]
    const seen = `${arrived} events with text arrive of ${all} that the provider sends (median)`
    return came < sent * MERGED_BELOW ? found('info', 'certain', seen) : fine(seen)
  },
}

export const missingUsage: DoctorRule = {
  id: 'missing-usage',
  needs: 'streams',
  title: 'Streams end without their usage',
  cost: 'tokens cannot be counted, billed or limited without guessing',
  fix: {
    how: 'Pass stream_options.include_usage on, and the last chunk that holds no choice.',
    litellm: { general_settings: { always_include_stream_usage: true } },
  },
  config: onlyMeasured(NO_KEY),
  report: ({ target, throughput, totals }) => {
    if (!target.stream) return notChecked(NOT_STREAMED)
    if (totals.successful === 0) return notChecked('no request succeeded')
    const source = throughput.tokenSource
    if (source === 'usage') return fine('every stream told its usage')
    return found('warning', 'certain', source === 'mixed' ? 'some streams told no usage' : 'no stream told its usage')
  },
  measure: (measured) => missing(measured, 'usage', ({ usage }) => usage !== undefined, 'warning'),
}

export const missingDone: DoctorRule = {
  id: 'missing-done',
  needs: 'streams',
  title: 'Streams end without their end mark',
  cost: 'a client cannot tell a whole answer from one that broke off: some wait, some fail, some take the half',
  fix: { how: 'Pass `data: [DONE]` on, and close the connection where the provider broke off.' },
  config: onlyMeasured(NO_KEY),
  report: ({ target, totals, answers }) => {
    if (!target.stream) return notChecked(NOT_STREAMED)
    const [cut, unmarked] = [totals.outcomes.KT_TRUNCATED ?? 0, answers?.unmarked ?? 0]
    return judgeEnds(cut, unmarked, totals.sent)
  },
  measure: ({ streams, provider }) => {
    const [cut, unmarked] = [countCut(streams), countUnmarked(streams)]
    const marked = answered(streams).length - unmarked
    if (cut + unmarked === 0 && marked === 0) {
      const other = streams.find(({ outcome }) => outcome !== 'OK')
      return notChecked(`no stream came: ${other ? OUTCOMES[other.outcome].means : 'none was asked'}`)
    }
    if (provider && cut + unmarked > 0 && answered(provider.direct).length === countUnmarked(provider.direct)) {
      return notChecked('the provider itself sends none')
    }
    return judgeEnds(cut, unmarked, streams.length)
  },
}

function countCut(streams: readonly ProbeAnswer[]): number {
  return streams.filter(({ outcome }) => outcome === 'KT_TRUNCATED').length
}

function countUnmarked(streams: readonly ProbeAnswer[]): number {
  return answered(streams).filter(({ unmarked }) => unmarked).length
}

/** A stream with a finish reason is whole without its mark, though not every client knows that. */
function judgeEnds(cut: number, unmarked: number, sent: number): Opinion {
  const all = formatNumber(sent)
  const broken = `${formatNumber(cut)} of ${all} streams ended without it, in the middle (KT_TRUNCATED)`
  const whole = `${formatNumber(unmarked)} of ${all} ended with a finish reason and without it`
  if (cut > 0) return found('critical', 'certain', unmarked > 0 ? `${broken}; ${whole}` : broken)
  return unmarked > 0 ? found('warning', 'certain', whole) : fine(`no stream of ${all} ended without it`)
}

/** A part that every stream of the provider has and those through the gateway have not. */
function missing(
  { streams, provider }: Measurements,
  what: string,
  has: (answer: ProbeAnswer) => boolean,
  severity: 'warning' | 'critical',
): Opinion {
  // What lacks its end mark may still have had everything else.
  const came = streams.filter(({ tokens }) => tokens.length > 0)
  if (came.length === 0) return notChecked('no stream came')
  const without = came.filter((answer) => !has(answer)).length
  if (without === 0) return fine(`${counted(came.length, 'stream')} had it`)
  if (provider && !provider.direct.some(has)) return notChecked('the provider itself sends none')
  const share = formatShare(without / came.length)
  return found(
    severity,
    provider ? 'certain' : 'likely',
    `${without} of ${came.length} streams (${share}) had no ${what}, though it was asked for`,
  )
}
