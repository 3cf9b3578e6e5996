/**
 * What the doctor would measure at an endpoint whose times are drawn: the requests of src/doctor/probe/measure.ts in
 * their order, with what the gateway adds to each request and to each write, and with the faults that it is given.
 */
import { PROBES } from '../../src/doctor/probe/measure.ts'
import type { Measurements, ProbeAnswer, TokenSeen } from '../../src/doctor/probe/measured.ts'
import type { ProviderRecord } from '../../src/overhead/provider-records.ts'
import { logNormal, normal, type Random, randomFrom } from '../../src/stats/random.ts'

export const SHAPES = ['log-normal', 'bimodal', 'drifting'] as const
export type Shape = (typeof SHAPES)[number]

export interface Faults {
  /** Before the first token of each stream. */
  timerMs?: number
  /** Small writes wait for an acknowledgement, as Linux sends it. */
  nagle?: boolean
  /** The end of a stream waits for a sink. */
  endMs?: number
  buffers?: boolean
  /** A token leaves when the next one is there. */
  lookahead?: boolean
  /** What the hostile prompt takes more. */
  stallMs?: number
  secondsForMs?: boolean
  /** Tokens lost of each stream, or put together by two. */
  loses?: number
  merges?: boolean
  overtakes?: boolean
  noUsage?: boolean
  noDone?: boolean
  ignoresLeaving?: boolean
  sharesCache?: boolean
  cachesNothing?: boolean
  newConnections?: boolean
  newUpstream?: boolean
  cold?: boolean
  http1?: boolean
}

/** The kinds of times of an endpoint: drawn anew for each, so that no rule is tried on one endpoint alone. */
interface Times {
  /** What the gateway adds to request `i`, and to one write. */
  requestUs(): number
  writeUs(): number
  ttftUs(): number
  gapUs(): number
}

function between(random: Random, low: number, high: number): number {
  return low * (high / low) ** random()
}

function drawTimes(random: Random, shape: Shape, quiet: boolean): Times {
  const [medianUs, sigma] = [between(random, 200, quiet ? 2_000 : 20_000), quiet ? 0.3 : 0.2 + random()]
  const [slowShare, slowUs] = [0.05 + 0.5 * random(), between(random, 5_000, 200_000)]
  const [slowWrites, slowWriteUs] = [0.03 * random(), between(random, 5_000, 200_000)]
  const ttft = between(random, 20_000, 1_500_000)
  const gap = between(random, 2_000, 20_000)
  const stepped = 0.02 + 0.15 * random()
  let level = 0
  return {
    requestUs: () => {
      if (shape === 'drifting') level += stepped * (0.3 + normal(random))
      const slow = shape === 'bimodal' && random() < slowShare ? logNormal(random, slowUs, 0.3) : 0
      return logNormal(random, medianUs * Math.exp(level), sigma) + slow
    },
    writeUs: () =>
      logNormal(random, 60, 0.5) +
      (shape === 'bimodal' && !quiet && random() < slowWrites ? logNormal(random, slowWriteUs, 0.3) : 0),
    ttftUs: () => logNormal(random, ttft, 0.3),
    gapUs: () => logNormal(random, gap, 0.3),
  }
}

const TICK_US = 4_000

/** `known`: kt's simulated provider is behind it, with stamps and a record of its own. */
export function simulateEndpoint(
  seed: string,
  shape: Shape,
  { known = true, quiet = false, ...faults }: Faults & { known?: boolean; quiet?: boolean } = {},
): Measurements {
  const random = randomFrom(seed)
  const times = drawTimes(random, shape, quiet)
  const truth = new Map<string, ProviderRecord[]>()
  let asked = 0
  let connection = 1

  function ask(streamed: boolean, tokenCount: number, extraUs = 0, direct = false): ProbeAnswer {
    const nonce = `nonce-${asked++}`
    const ttftUs = times.ttftUs()
    const written = [ttftUs]
    while (written.length < tokenCount) written.push((written.at(-1) ?? 0) + times.gapUs())
    const lastUs = written.at(-1) ?? 0
    const addedUs = direct ? 100 : times.requestUs() + extraUs
    const stamp = (us: number) => (known ? { nonce, attempt: 1, providerUs: Math.round(us) } : undefined)
    if (faults.newUpstream) connection++
    const record = { nonce, attempt: 1, connection, receivedUs: 0, firstWriteUs: ttftUs, lastWriteUs: lastUs }
    truth.set(nonce, [{ ...record, tokens: tokenCount, stream: streamed, aborted: false }])
    const came = streamed ? arrivals(written, addedUs, direct ? {} : faults, random, times.writeUs) : []
    const late = direct
      ? 0
      : times.writeUs() + (streamed && faults.endMs ? logNormal(random, faults.endMs * 1e3, 0.2) : 0)
    const tookUs = Math.max(came.at(-1) ?? 0, lastUs + addedUs) + late
    let tokens = came.map((sinceSentUs, i): TokenSeen => ({ sinceSentUs, stamp: stamp(written[i] ?? 0) }))
    let words = written.map((_, i) => `w${i}`)
    if (streamed && !direct) {
      if (faults.overtakes) [tokens[4], tokens[5]] = [tokens[5] as TokenSeen, tokens[4] as TokenSeen]
      if (faults.loses) words = words.slice(faults.loses)
      if (faults.merges) tokens = tokens.filter((_, i) => i % 2 === 0)
    }
    const tells = !faults.secondsForMs || direct
    const waitMs = (ttftUs + (streamed ? 0 : lastUs - ttftUs)) / 1e3
    return {
      nonce,
      outcome: 'OK',
      detail: '',
      streamed,
      tookUs,
      tokens,
      usage: faults.noUsage && streamed && !direct ? undefined : { input: 10, output: tokenCount },
      stamp: stamp(lastUs),
      headers: { 'server-timing': `upstream;dur=${(tells ? waitMs : waitMs / 1e3).toFixed(4)}` },
      trailers: {},
      text: words.join(' '),
      unmarked: faults.noDone === true && streamed && !direct,
    } as ProbeAnswer
  }

  const whole = [ask(false, PROBES.wholeTokens)]
  const streams: ProbeAnswer[] = []
  while (streams.length < PROBES.streams) {
    streams.push(ask(true, PROBES.tokens))
    if (whole.length < PROBES.whole) whole.push(ask(false, PROBES.wholeTokens))
  }
  const plain: ProbeAnswer[] = []
  const hostile: ProbeAnswer[] = []
  while (plain.length < PROBES.eachOfPrompts) {
    plain.push(ask(false, 1))
    hostile.push(ask(false, 1, (faults.stallMs ?? 0) * 1e3))
  }
  const cached = (first: ProbeAnswer, hit: boolean): ProbeAnswer => {
    const second = ask(false, PROBES.wholeTokens)
    const state = { 'x-cache': hit ? 'hit' : 'miss' }
    if (hit) return { ...second, stamp: first.stamp, headers: state }
    const again = known ? { nonce: first.nonce, attempt: 2, providerUs: 1 } : undefined
    return { ...second, stamp: again, headers: state }
  }
  const once = ask(false, PROBES.wholeTokens)
  const shared = ask(false, PROBES.wholeTokens)
  const left = { ...ask(true, 400), outcome: 'KT_ABORTED_AT_DEADLINE' as const }
  const leftUs = (left.tokens[0]?.sinceSentUs ?? 0) + 1_000
  const record = truth.get(left.nonce)?.[0]
  // It notices as soon as the gateway tells it, which takes a request's time at most.
  if (record && !faults.ignoresLeaving) truth.set(left.nonce, [{ ...record, aborted: true, tokens: 5 }])
  return {
    url: 'http://gateway',
    endpoint: 'chat',
    requests: asked,
    opened: faults.newConnections ? whole.length + streams.length : 1,
    whole,
    streams,
    repeated: [once, cached(once, !faults.cachesNothing)],
    tenants: [shared, cached(shared, faults.sharesCache === true)],
    oneIdentity: false,
    plain,
    hostile,
    left: { ...left, tookUs: leftUs },
    provider: known
      ? {
          truth,
          direct: Array.from({ length: PROBES.direct }, () => ask(true, PROBES.tokens, 0, true)),
          connections: { http1: 1, http2: faults.http1 ? 0 : 1 },
          warm: faults.cold ? 0 : 4,
        }
      : undefined,
  }
}

/** When the tokens that were written at `written` come, in their order. */
function arrivals(
  written: readonly number[],
  addedUs: number,
  { timerMs = 0, nagle, buffers, lookahead }: Faults,
  random: Random,
  writeUs: () => number,
): number[] {
  const endUs = written.at(-1) ?? 0
  let cameUs = (written[0] ?? 0) + addedUs + timerMs * 1e3
  let unacknowledgedUs = Number.NEGATIVE_INFINITY
  return written.map((us, i) => {
    const readyUs = buffers ? endUs : lookahead ? (written[i + 1] ?? us) : us
    cameUs = Math.max(cameUs, readyUs + addedUs + writeUs())
    if (nagle && i > 0) {
      // What is written while a write is unacknowledged waits for it, 40 ms by the kernel's tick.
      if (cameUs > unacknowledgedUs) unacknowledgedUs = cameUs + 40_000 - TICK_US * random()
      else cameUs = Math.max(cameUs, unacknowledgedUs)
    }
    return cameUs
  })
}
