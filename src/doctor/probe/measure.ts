/**
 * The measurement: a fixed, small number of requests (MOST_REQUESTS), one after another, so that what is seen is the
 * gateway's doing and not a queue's. Where the simulated provider behind the gateway is known, its own record is read
 * at the end, and a few streams are asked of it directly, to know what it sends.
 */
import { randomUUID } from 'node:crypto'
import { toHeaders } from '../../bench/build-plan.ts'
import { assertSendable } from '../../client/sendable.ts'
import type { Target } from '../../client/target.ts'
import { type Failure, type Result, success } from '../../errors.ts'
import { type ProviderRecord, readStats, readTruth } from '../../overhead/stamped.ts'
import { randomFrom } from '../../stats/random.ts'
import { endpointOf } from '../../wire/endpoints.ts'
import { drawArmTag } from '../../wire/nonce.ts'
import { OUTCOMES } from '../../wire/outcome.ts'
import { requestMaker } from '../../workload/request-maker.ts'
import { promptWorkload } from '../../workload/workload.ts'
import type { Measurements, ProbeAnswer, ProviderView } from './measured.ts'
import { type ProbeRequest, Prober } from './prober.ts'

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

const PROMPT = 'Say something plain in one paragraph.'
/**
 * `(a+)+$`, `(\w+\s?)*$` and their like try every way to cut the run of letters into pieces: 2^24 steps, a sixth of a
 * second of one core, which is seen and harms nobody. A linear or bounded search takes no longer than for words.
 */
const HOSTILE = `${'a'.repeat(24)}!`
const PLAIN = 'some plain words, no more.'

interface Examination {
  target: Target
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
  const { target, providerOrigin, keys, interrupt } = subject
  const build = requestFactory(subject.model)
  const first = new Prober(target, headersFor(subject, keys[0]))
  const second = new Prober(target, headersFor(subject, keys[1]))
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
      : new Prober({ ...target, origin: providerOrigin, path: DIRECT_PATH }, headersFor(subject, keys[0]))
  try {
    const warm = providerOrigin && subject.fresh ? (await readStats(providerOrigin)).connectionsOpened - 1 : undefined
    const whole = await all(first, [build({})])
    const [opening] = whole
    if (opening && opening.outcome !== 'OK') {
      const { outcome, detail } = opening
      return { ok: false, why: `${OUTCOMES[outcome].means} (${outcome}: ${detail})`, requests: 1 }
    }
    // In turns: what else the machine does meets both kinds alike.
    const streams: ProbeAnswer[] = []
    while (streams.length < PROBES.streams) {
      streams.push(await one(first, build({ stream: true })))
      if (whole.length < PROBES.whole) whole.push(await one(first, build({})))
    }
    const { opened } = first
    const plain: ProbeAnswer[] = []
    const hostile: ProbeAnswer[] = []
    for (let turn = 0; turn < PROBES.eachOfPrompts; turn++) {
      plain.push(await one(first, build({ prompt: PLAIN, maxTokens: 1 })))
      hostile.push(await one(first, build({ prompt: HOSTILE, maxTokens: 1 })))
    }
    const again = build({ temperature: 0 })
    const repeated = [await one(first, again), await one(first, again)] as const
    const shared = build({ temperature: 0 })
    const tenants = [await one(first, shared), await one(second, shared)] as const
    const left = await one(first, build({ stream: true, maxTokens: LONG_TOKENS, leaveAfterUs: LEAVE_AFTER_US }))
    let provider: ProviderView | undefined
    if (direct && providerOrigin) {
      const answers = await all(
        direct,
        times(PROBES.direct, () => build({ stream: true })),
      )
      const truth = await truthOnceLeft(providerOrigin, left.nonce)
      const { connections } = await readStats(providerOrigin)
      const opened = { http1: connections.http1.opened, http2: connections.http2.opened }
      provider = { truth, direct: answers, connections: opened, warm }
    }
    const requests = first.requests + second.requests + (direct ? direct.requests : 0)
    const oneIdentity = subject.header.some(([name]) => IDENTITY.has(name)) || keys[0] === keys[1]
    return success({
      oneIdentity,
      url: target.shownUrl,
      requests,
      opened,
      whole,
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

/** Headers by which a client is known. */
const IDENTITY = new Set(['authorization', 'x-api-key', 'api-key'])

const DIRECT_PATH = '/v1/chat/completions'

function headersFor({ target, header }: Examination, key: string | undefined): Record<string, string> {
  const endpoint = { ...endpointOf('chat'), ...(target.keyHeader && { keyHeader: target.keyHeader }) }
  const headers = toHeaders('text/event-stream, application/json', endpoint, key, header)
  assertSendable(headers, false)
  return headers
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

interface RequestOptions {
  prompt?: string
  stream?: boolean
  maxTokens?: number
  temperature?: number
  leaveAfterUs?: number
}

/** Makes requests as a bench makes them, each with a nonce of its own. */
function requestFactory(model: string): (options: RequestOptions) => ProbeRequest {
  const tag = drawArmTag(randomFrom(randomUUID()))
  let index = 0
  return ({
    prompt = PROMPT,
    stream = false,
    maxTokens = stream ? PROBES.tokens : PROBES.wholeTokens,
    temperature,
    leaveAfterUs,
  }) => {
    const spec = promptWorkload({ endpoint: 'chat', model, prompt, stream, maxTokens, seed: 1 })
    const { nonce, body } = requestMaker(spec)(tag, index++)
    return {
      nonce,
      body: temperature === undefined ? body : `${body.slice(0, -1)},"temperature":${temperature}}`,
      stream,
      ...(leaveAfterUs === undefined ? {} : { leaveAfterUs }),
    }
  }
}

/**
 * The provider's record, once it has noticed that the client of `left` is gone, or has written all; else as it is in
 * the end.
 */
async function truthOnceLeft(origin: string, left: string): Promise<Map<string, ProviderRecord[]>> {
  for (let waitedMs = 0; ; waitedMs += NOTICE_EVERY_MS) {
    const truth = new Map<string, ProviderRecord[]>()
    for await (const record of readTruth(origin)) truth.set(record.nonce, [...(truth.get(record.nonce) ?? []), record])
    const records = truth.get(left) ?? []
    const settled = records.every(({ aborted, tokens }) => aborted || tokens >= LONG_TOKENS)
    if (settled || waitedMs >= NOTICE_WITHIN_MS) return truth
    await new Promise((resolve) => setTimeout(resolve, NOTICE_EVERY_MS))
  }
}
