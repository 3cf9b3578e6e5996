/**
 * The measurement: a fixed, small number of requests (MOST_REQUESTS), one after another, so that what is seen is the
 * gateway's doing and not a queue's. Where the simulated provider behind the gateway is known, its own record is read
 * at the end, and a few streams are asked of it directly, to know what it sends.
 */
import { type ConnectionSpec, ONE_AT_A_TIME } from '../../client/connection.ts'
import { loadHttp2 } from '../../client/http2-connection.ts'
import { resolveTarget, type Target } from '../../client/target.ts'
import { type Failure, type Result, success } from '../../errors.ts'
import { type ProviderRecord, readStats, readTruth } from '../../overhead/provider-records.ts'
import { type ApiEndpoint, endpointOf, KEY_HEADERS } from '../../wire/endpoints.ts'
import { OUTCOMES } from '../../wire/outcome.ts'
import type { Measurements, ProbeAnswer, ProviderView } from './measured.ts'
import { type ProbeRequest, Prober } from './prober.ts'
import { headersOf, requestFactory } from './requests.ts'

/** How many requests of each kind, and of how many tokens. */
export const PROBES = {
  whole: 8,
  streams: 10,
  direct: 3,
  /** Fewest with which a rule over two kinds errs in less than 1 % of plain gateways (src/stats/ranks.ts). */
  eachOfPrompts: 5,
  /** Of a stream: at 2 ms each, which is the provider's default, longer than a timer of 100 ms. */
  tokens: 64,
  wholeTokens: 16,
} as const
/** Whole, streams, direct, repeated, tenants, prompts, the one that leaves. */
export const MOST_REQUESTS = PROBES.whole + PROBES.streams + PROBES.direct + 2 + 2 + 2 * PROBES.eachOfPrompts + 1

/** Long enough that a client can leave in the middle. */
const LONG_TOKENS = 400
const LEAVE_AFTER_US = 300_000
const NOTICE_WITHIN_MS = 3_000
const NOTICE_EVERY_MS = 100

/**
 * `(a+)+$`, `(\w+\s?)*$` and their like try every way to cut the run of letters into pieces: 2^24 steps, a sixth of a
 * second of one core, which is seen and harms nobody. A linear or bounded search takes no longer than for words.
 */
const HOSTILE = `${'a'.repeat(24)}!`
const PLAIN = 'some plain words, no more.'

/** Where whole answers and streams are asked for: of some APIs the address says which. */
export interface AskedTarget {
  whole: Target
  stream: Target
}

interface Examination {
  endpoint: ApiEndpoint
  target: AskedTarget
  connection: ConnectionSpec
  /** Address of the simulated provider, where it is known. */
  providerOrigin: string | undefined
  model: string
  /** Two clients of the gateway. */
  keys: readonly [string | undefined, string | undefined]
  header: readonly (readonly [string, string])[]
  /** The gateway was started for this, and has been asked nothing yet. */
  fresh: boolean
  interrupt: AbortSignal
}

/** What was measured, or why nothing could be, after how many requests. */
export type MeasureResult = Result<Measurements, Failure & { requests: number }>

/** Measures the gateway; rejects with the reason that `interrupt` was aborted with. */
export async function measure(subject: Examination): Promise<MeasureResult> {
  const { endpoint, target, connection, providerOrigin, keys, interrupt } = subject
  const { streams: canStream } = endpointOf(endpoint)
  const make = requestFactory(endpoint, subject.model)
  const whole = { maxTokens: PROBES.wholeTokens }
  const streamed = { stream: true, maxTokens: PROBES.tokens }
  const headersFor = (key: string | undefined) => headersOf(endpoint, target.whole, key, subject.header)
  if (connection?.http === 'h2') await loadHttp2()
  const first = new Prober(target, headersFor(keys[0]), connection)
  const second = new Prober(target, headersFor(keys[1]), connection)
  const all = async (prober: Prober, list: readonly ProbeRequest[]): Promise<ProbeAnswer[]> => {
    const answers: ProbeAnswer[] = []
    for (const probe of list) {
      interrupt.throwIfAborted()
      answers.push(await prober.send(probe))
    }
    return answers
  }
  const one = async (prober: Prober, probe: ProbeRequest): Promise<ProbeAnswer> => {
    interrupt.throwIfAborted()
    return prober.send(probe)
  }
  const direct =
    providerOrigin === undefined
      ? undefined
      : new Prober(
          targetAt(providerOrigin, endpoint, subject.model, '--provider-url'),
          headersFor(keys[0]),
          ONE_AT_A_TIME,
        )
  try {
    const warm = providerOrigin && subject.fresh ? (await readStats(providerOrigin)).connectionsOpened - 1 : undefined
    const answers = await all(first, [make(whole)])
    const [opening] = answers
    if (opening && opening.outcome !== 'OK') {
      const { outcome, detail } = opening
      return { ok: false, why: `${OUTCOMES[outcome].means} (${outcome}: ${detail})`, requests: 1 }
    }
    // In turns: what else the machine does meets both kinds alike.
    const streams: ProbeAnswer[] = []
    while (streams.length < (canStream ? PROBES.streams : 0) || answers.length < PROBES.whole) {
      if (canStream) streams.push(await one(first, make(streamed)))
      if (answers.length < PROBES.whole) answers.push(await one(first, make(whole)))
    }
    const { opened } = first
    const plain: ProbeAnswer[] = []
    const hostile: ProbeAnswer[] = []
    for (let turn = 0; turn < PROBES.eachOfPrompts; turn++) {
      plain.push(await one(first, make({ prompt: PLAIN, maxTokens: 1 })))
      hostile.push(await one(first, make({ prompt: HOSTILE, maxTokens: 1 })))
    }
    const again = make({ ...whole, deterministic: true })
    const repeated = [await one(first, again), await one(first, again)] as const
    const shared = make({ ...whole, deterministic: true })
    const tenants = [await one(first, shared), await one(second, shared)] as const
    const long = { stream: true, maxTokens: LONG_TOKENS, leaveAfterUs: LEAVE_AFTER_US }
    const left = canStream ? await one(first, make(long)) : undefined
    let provider: ProviderView | undefined
    if (direct && providerOrigin) {
      const asked = await all(
        direct,
        times(PROBES.direct, () => make(canStream ? streamed : whole)),
      )
      const truth = await truthOnceLeft(providerOrigin, left?.nonce)
      const { connections } = await readStats(providerOrigin)
      const opened = { http1: connections.http1.opened, http2: connections.http2.opened }
      provider = { truth, direct: asked, connections: opened, warm }
    }
    const requests = first.requests + second.requests + (direct ? direct.requests : 0)
    const oneIdentity = subject.header.some(([name]) => KEY_HEADERS.includes(name)) || keys[0] === keys[1]
    return success({
      endpoint,
      oneIdentity,
      url: target.whole.shownUrl,
      requests,
      opened,
      whole: answers,
      streams,
      repeated,
      tenants,
      plain,
      hostile,
      left,
      provider,
    })
  } finally {
    await Promise.all([first.close(), second.close(), direct?.close()])
  }
}

/** Where requests of an endpoint go, whole and streamed. `flag` gave the address. */
export function targetAt(url: URL | string, endpoint: ApiEndpoint, model: string, flag = '--url'): AskedTarget {
  const at = (stream: boolean): Target => resolveTarget(url, { endpoint, model, stream }, flag)
  return { whole: at(false), stream: at(endpointOf(endpoint).streams) }
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

/**
 * The provider's record, once it has noticed that the client of `left` is gone, or has written all; else as it is in
 * the end.
 */
async function truthOnceLeft(origin: string, left: string | undefined): Promise<Map<string, ProviderRecord[]>> {
  for (let waitedMs = 0; ; waitedMs += NOTICE_EVERY_MS) {
    const truth = new Map<string, ProviderRecord[]>()
    for await (const record of readTruth(origin)) truth.set(record.nonce, [...(truth.get(record.nonce) ?? []), record])
    const records = left === undefined ? [] : (truth.get(left) ?? [])
    const settled = records.every(({ aborted, tokens }) => aborted || tokens >= LONG_TOKENS)
    if (settled || waitedMs >= NOTICE_WITHIN_MS) return truth
    await new Promise((resolve) => setTimeout(resolve, NOTICE_EVERY_MS))
  }
}
