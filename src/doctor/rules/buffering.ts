/** Streams that are none: the tokens come together, when the provider has written its last one. */

import { visibleTokensPerSec } from '../../report/token-basis.ts'
import { median } from '../../stats/means.ts'
import { formatMs } from '../../units.ts'
import { answered, NO_STAMPS, NOT_STREAMED, noStamps, type ProbeAnswer, spreadUs } from '../probe/measured.ts'
import { type DoctorRule, fine, found, notChecked, type Opinion } from '../rule.ts'

const FEWEST_STREAMS = 5

/** The provider's own tokens must be spread over this, for their arriving together to mean anything. */
const LEAST_SPREAD_US = 50_000
/** Arriving within this share of that is together. */
const TOGETHER = 0.25
/** Without stamps: all content within this, after a wait of at least the other. */
const BURST_MS = 250
const LONG_WAIT_MS = 1_000
/** What was written at once comes at once: no model writes 5,000 tokens a second, but a buffer does. */
const AT_ONCE_US = 200
const MOST_AT_ONCE = 0.9
const MANY_TOKENS = 16

export const fakeStreaming: DoctorRule = {
  id: 'fake-streaming',
  needs: 'streams',
  title: 'Streams are buffered: all tokens come at once',
  cost: 'the first token comes with the last: the whole generation is waited for',
  fix: {
    how: 'Pass events on as they come; hold no more text than a policy needs.',
    kt: { gateway: { streaming: { passthrough_chunked: true, chunk_buffer: '4KB', flush_interval: '100ms' } } },
  },
  config: {
    kt: ({ config: { gateway } }) =>
      gateway.streaming.passthrough_chunked
        ? fine('streaming.passthrough_chunked is true')
        : found('warning', 'certain', 'streaming.passthrough_chunked is false: answers leave whole'),
    kong: ({ plugins }) => {
      const denied = plugins.filter(({ config }) => config.response_streaming === 'deny')
      if (denied.length > 0) {
        return found('warning', 'certain', `${denied.map(({ name }) => name).join(', ')}: response_streaming is deny`, {
          patch: { plugins: denied.map(({ name }) => ({ name, config: { response_streaming: 'allow' } })) },
        })
      }
      return plugins.some(({ name }) => name === 'ai-response-transformer')
        ? found('warning', 'likely', 'ai-response-transformer rewrites answers: it needs each of them whole')
        : fine('no plugin here needs answers whole')
    },
    litellm: 'its YAML does not say whether a guardrail holds streams',
  },
  report: ({ target, ttftMs, latencyMs, interTokenMs, throughput }) => {
    if (!target.stream || !ttftMs || !latencyMs) return notChecked(NOT_STREAMED)
    const perAnswer = (visibleTokensPerSec(throughput) ?? 0) / Math.max(1e-9, throughput.requestsPerSec)
    if (perAnswer < MANY_TOKENS) return notChecked(`answers have fewer than ${MANY_TOKENS} tokens`)
    const spreadMs = latencyMs.p50 - ttftMs.p50
    const rest = formatMs(Math.max(0, spreadMs))
    const seen = `P50: first token after ${formatMs(ttftMs.p50)} ms, the rest within ${rest} ms`
    const burst = spreadMs < BURST_MS && ttftMs.p50 >= LONG_WAIT_MS && (interTokenMs?.p50 ?? 0) < 1
    return burst ? found('warning', 'possible', seen) : fine(seen)
  },
  measure: ({ streams, provider }) => {
    const good = answered(streams)
    const spreads = good.flatMap((answer) => {
      const record = provider?.truth.get(answer.nonce)?.[0]
      const stamps = answer.tokens.flatMap(({ stamp }) => (stamp ? [stamp.providerUs] : []))
      const byRecord = record && (record.lastWriteUs ?? 0) - (record.firstWriteUs ?? 0)
      const atProvider = byRecord ?? (stamps.at(-1) ?? 0) - (stamps[0] ?? 0)
      // Never asked for as a stream, it has no spread there; how long it took then has.
      const whole = record !== undefined && !record.stream
      return atProvider >= LEAST_SPREAD_US || whole
        ? [{ whole, atProvider, here: spreadUs(answer), late: isLate(answer) }]
        : []
    })
    if (good.length === 0) return notChecked(noStamps(streams))
    if (spreads.length < FEWEST_STREAMS) return withoutProvider(good, provider !== undefined)
    const unstreamed = spreads.filter(({ whole }) => whole).length
    if (unstreamed > spreads.length / 2) {
      return found(
        'warning',
        'certain',
        `the provider was asked for whole answers in ${unstreamed} of ${spreads.length} streams`,
      )
    }
    const together = spreads.filter((one) => one.late || one.here <= one.atProvider * TOGETHER).length
    const [there, here] = [median(spreads.map((one) => one.atProvider)), median(spreads.map((one) => one.here))]
    const seen =
      `tokens that the provider writes over ${formatMs(there / 1_000)} ms ` +
      `arrive over ${formatMs(here / 1_000)} ms (median of ${spreads.length})`
    return together > spreads.length * 0.8 ? found('warning', 'certain', seen) : fine(seen)
  },
}

/** The first token came after the provider had written the last. */
function isLate({ tokens }: ProbeAnswer): boolean {
  const [first, last] = [tokens[0]?.sinceSentUs, tokens.at(-1)?.stamp?.providerUs]
  return first !== undefined && last !== undefined && first >= last
}

function withoutProvider(streams: readonly ProbeAnswer[], isKnown: boolean): Opinion {
  const bursts = streams.filter(({ tokens }) => tokens.length >= MANY_TOKENS)
  if (isKnown)
    return notChecked('the provider itself sends its tokens at once: start it with a --token-gap of 2ms or more')
  if (bursts.length < FEWEST_STREAMS) return notChecked(`${NO_STAMPS}, and too few events come to tell without`)
  const [waitMs, spreadMs] = [
    median(bursts.map(({ tokens }) => tokens[0]?.sinceSentUs ?? 0)) / 1_000,
    median(bursts.map(spreadUs)) / 1_000,
  ]
  const seen =
    `first token after ${formatMs(waitMs)} ms, the rest within ${formatMs(spreadMs)} ms ` +
    `(median of ${bursts.length})`
  const atOnce = bursts.filter(cameAtOnce).length
  const isBurst = spreadMs < BURST_MS && atOnce > bursts.length / 2
  if (isBurst && waitMs >= LONG_WAIT_MS) return found('warning', 'possible', seen)
  return spreadMs >= BURST_MS || atOnce === 0
    ? fine(seen)
    : notChecked(`${seen}: a quick answer looks the same, and ${NO_STAMPS}`)
}

function cameAtOnce({ tokens }: ProbeAnswer): boolean {
  const gaps = tokens.slice(1).map(({ sinceSentUs }, i) => sinceSentUs - (tokens[i]?.sinceSentUs ?? 0))
  return gaps.filter((us) => us < AT_ONCE_US).length >= gaps.length * MOST_AT_ONCE
}
