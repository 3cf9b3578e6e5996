/**
 * The load of a bench: how many requests, at which pace, for how long, over how many threads. The flags with their
 * types, and what contradicts what.
 */
import { z } from 'zod'
import { failure, type Result, success } from '../../errors.ts'
import { type FlagValues, flagGroup, oneOf } from '../../parse/flags.ts'
import { type Faults, type Given, rulesOf } from '../../parse/parse-flags.ts'
import {
  countOrZero,
  durationMs,
  durationOrZeroMs,
  parsedBy,
  positiveCount,
  positiveRate,
  share,
} from '../../parse/quantity.ts'
import { ARRIVAL_KINDS, ARRIVALS_IN_WORDS, DEFAULT_ARRIVAL, kindsWith } from '../../schedule/arrivals.ts'
import { parseStages } from '../../schedule/ramp.ts'
import { abortRule } from '../../verdict/thresholds.ts'
import { REALTIME } from '../realtime.ts'
import { CONVERSATION_RULES, conversationFlags, pause } from './conversation.ts'
import { priceFlags } from './price.ts'
import { ARM_FLAGS, hasOneArm, needsTwoArms, type TargetFlagValues } from './target.ts'

const { text, texts, toggle, yesOrNo } = flagGroup('LOAD')
const result = flagGroup('RESULT')

/**
 * '200' is a number of requests, '10s' a duration, given as milliseconds in an object so that the two cannot be mixed
 * up.
 */
const countOrDuration = parsedBy((text): Result<number | { ms: number }> => {
  const count = countOrZero.safeParse(text)
  if (count.success) return success(count.data)
  const ms = durationOrZeroMs.safeParse(text)
  if (ms.success) return success({ ms: ms.data })
  return failure(`'${text}' is neither a count such as '200' nor a duration such as '10s'`)
})

const countOrAuto = parsedBy((text): Result<number | 'auto'> => {
  if (text === 'auto') return success(text)
  const count = positiveCount.safeParse(text)
  return count.success ? success(count.data) : failure(`'${text}' is neither a number of threads nor 'auto'`)
})

/** The flags that a sweep has too: it gives the level and the duration itself. */
export const pacingFlags = {
  arrival: text(
    oneOf(ARRIVAL_KINDS).optional(),
    `open loop: arrival process: ${ARRIVALS_IN_WORDS} [default: ${DEFAULT_ARRIVAL.kind}]`,
  ),
  burstiness: text(
    positiveRate.optional(),
    'shape of gamma arrivals: below 1 bursty, 1 is poisson, above 1 smoother [default: 1]',
  ),
  'think-time': text(
    pause.optional(),
    "closed loop: pause between an answer and the next request; in conversations before each turn, '2s' or " +
      "'lognormal(2s,0.5)'",
  ),
  'max-in-flight': text(
    positiveCount.optional(),
    'open loop: upper limit of requests in flight; further requests wait, and the wait counts [default: 1,000]',
  ),
  warmup: text(
    countOrDuration.optional(),
    "requests ('200') or time ('10s') sent first and excluded [default: one request for each connection; " +
      'with the embedded pair 200, or 3s]',
  ),
  validate: yesOrNo(
    'send one request to each address first, and stop where a wrong key or model, an unreachable target or the like ' +
      'would fail every other one too [default: yes]',
  ),
  'jit-warmup': yesOrNo(
    'JIT warm-up against a local simulated provider before the run [default: from 1,000 requests or 5s on]',
  ),
  'cool-down': text(durationMs.optional(), 'keep sending for this long after the last measured request'),
  threads: text(countOrAuto.optional(), "sending threads, or 'auto' to choose by the number of cores [default: 1]"),
  realtime: text(
    oneOf(REALTIME).default('auto'),
    'real-time scheduling (SCHED_FIFO) of the sending threads and the embedded pair: on, off, or auto with the ' +
      'embedded pair only [default: auto]',
    { example: 'on' },
  ),
  drain: text(
    durationOrZeroMs.optional(),
    'time at the end for requests in flight to finish; later ones count as unfinished [default: --timeout]',
  ),
  'respect-retry-after': toggle(
    'send nothing for as long as a 429 or 503 tells in Retry-After; in an open loop the requests that are due ' +
      'meanwhile are held back and counted apart',
  ),
  'token-budget': text(positiveCount.optional(), "stop when this many tokens are spent, such as '50k'"),
  ...priceFlags,
}

/** How much is sent, and when the run ends. */
export const amountFlags = {
  requests: text(positiveCount.optional(), 'number of requests [default: 100; 1,000 on each arm of the embedded pair]'),
  duration: text(durationMs.optional(), "duration of the run on each arm, such as '60s'"),
  concurrency: text(
    positiveCount.optional(),
    'closed loop: requests in flight [default: 10]; with --rps: their upper limit, as --max-in-flight',
  ),
  rps: text(positiveRate.optional(), 'open loop: requests per second; latency counts from the intended time'),
  stages: text(
    parsedBy(parseStages).optional(),
    "linear ramps from level to level: '10rps@30s,200rps@60s', or in flight: '5@30s,50@60s'",
  ),
  pairing: text(
    oneOf(['block', 'request']).optional(),
    "how two arms alternate: 'block', or 'request' (pairs of requests in random order) where requests are " +
      'slow or cost money [default: block]',
    { example: 'block' },
  ),
  'cancel-share': text(
    share.refine((part) => part > 0 && part < 1, 'must be above 0 and below 100%').optional(),
    "share of the requests that the client leaves before their end ('10%'): in no figure of the target, and what the " +
      'provider wrote for nobody is counted',
  ),
  'cancel-after': text(
    countOrDuration
      .refine((after) => (typeof after === 'number' ? after > 0 : after.ms > 0), 'must be above 0')
      .optional(),
    "when the client leaves: a time after the request was sent ('200ms'), or token-bearing events of a stream ('20') " +
      '[default: 200ms]',
  ),
  'abort-on': texts(
    z.array(abortRule).default([]),
    "end the run early, with exit 3, as soon as this is sure, such as 'errors.rate>20%' or 'latency.p50>30s'; " +
      'repeatable',
  ),
  'compare-answers': result.yesOrNo(
    'say whether both arms answer alike; where they do not, up to 20 requests go to --baseline-url again, twice ' +
      '[default: with two arms]',
  ),
  'until-decided': result.toggle(
    'judge after 10, 20, 40 and 80 pairs of blocks (interim analyses) and end with the first PASS or ' +
      'FAIL; --requests and --duration are upper limits [default: 4,000 requests on each arm]',
  ),
}

const flags = { ...pacingFlags, ...amountFlags, ...conversationFlags }
export type LoadOptions = FlagValues<typeof flags>

/** A trace is an open loop too (src/bench/options/trace.ts). */
const rule = rulesOf<LoadOptions & TargetFlagValues & { trace: unknown }>()

const RULES = [
  rule(
    ['rps', 'concurrency', 'max-in-flight'],
    (given) =>
      given.rps !== undefined &&
      given.concurrency !== undefined &&
      given['max-in-flight'] !== undefined &&
      failure('--max-in-flight and --concurrency both limit what an open loop has in flight', 'Leave one of them out.'),
  ),
  rule(
    ['stages', 'rps', 'concurrency'],
    ({ stages, rps, concurrency }) =>
      stages &&
      (rps !== undefined || concurrency !== undefined) &&
      failure('--stages gives the load by itself', 'Leave --rps and --concurrency out.'),
  ),
  rule(
    ['stages', 'requests', 'duration'],
    ({ stages, requests, duration }) =>
      stages &&
      (requests !== undefined || duration !== undefined) &&
      failure('--stages gives the duration by itself', 'Leave --requests and --duration out.'),
  ),
  rule(
    ['arrival', 'rps', 'stages', 'session-rate', 'trace'],
    (given) =>
      given.arrival !== undefined &&
      !isOpen(given) &&
      failure('--arrival goes with an open loop', 'Give --rps, or --stages with rates such as 200rps@60s.'),
  ),
  rule(['burstiness', 'arrival'], ({ burstiness, arrival }) => {
    const bursty = kindsWith('burstiness')
    const fitting = `--arrival ${bursty.join(' or ')}`
    return (
      burstiness !== undefined &&
      !bursty.some((kind) => kind === arrival) &&
      failure(`--burstiness goes with ${fitting}`, `Give ${fitting}; poisson is a burstiness of 1.`)
    )
  }),
  rule(
    ['think-time', 'rps', 'stages', 'turns', 'session-rate', 'trace'],
    (given) =>
      given['think-time'] !== undefined &&
      given.turns === undefined &&
      isOpen(given) &&
      failure('--think-time goes with a closed loop', 'An open loop sends on schedule: leave --think-time out.'),
  ),
  rule(
    ['max-in-flight', 'rps', 'stages', 'session-rate', 'trace'],
    (given) =>
      given['max-in-flight'] !== undefined &&
      !isOpen(given) &&
      failure('--max-in-flight goes with an open loop', 'A closed loop has --concurrency in flight.'),
  ),
  rule(
    ['cancel-after', 'cancel-share'],
    (given) =>
      given['cancel-after'] !== undefined &&
      given['cancel-share'] === undefined &&
      failure('--cancel-after says when clients leave, not how many', 'Add their share, such as --cancel-share 10%.'),
  ),
  rule(
    ['pairing', ...ARM_FLAGS],
    (given) => given.pairing !== undefined && hasOneArm(given) && needsTwoArms('--pairing'),
  ),
  rule(
    ['compare-answers', ...ARM_FLAGS],
    (given) => given['compare-answers'] && hasOneArm(given) && needsTwoArms('--compare-answers'),
  ),
  rule(
    ['until-decided', ...ARM_FLAGS],
    (given) => given['until-decided'] && hasOneArm(given) && needsTwoArms('--until-decided'),
  ),
  rule(
    ['pairing', 'stages'],
    ({ pairing, stages }) =>
      pairing === 'request' &&
      stages &&
      failure('--stages goes with --pairing block', 'By request both arms share one load: leave one of them out.'),
  ),
  rule(
    ['until-decided', 'aa'],
    (given) =>
      given['until-decided'] &&
      given.aa &&
      failure('--until-decided does not go with --aa, which decides nothing', 'Leave one of them out.'),
  ),
]

export function isOpen(given: Pick<LoadOptions, 'rps' | 'stages' | 'session-rate'> & { trace?: unknown }): boolean {
  const { rps, stages, 'session-rate': sessionRate, trace } = given
  return [rps, sessionRate, trace].some((one) => one !== undefined) || stages?.of === 'rps'
}

export function readLoad(given: Given, target: TargetFlagValues, faults: Faults): LoadOptions {
  const values = faults.read(flags, given)
  const prompts = typeof given.values.prompts === 'string' ? given.values.prompts : undefined
  faults.check({ ...target, prompts, ...values, trace: given.values.trace }, [...RULES, ...CONVERSATION_RULES])
  const { stages, rps, concurrency } = values
  // An open loop has no concurrency of its own: what other tools call so is the cap.
  if (rps !== undefined && concurrency !== undefined && faults.sound('rps', 'concurrency')) {
    return { ...values, concurrency: undefined, 'max-in-flight': values['max-in-flight'] ?? concurrency }
  }
  return stages ? { ...values, duration: stages.durationUs / 1_000 } : values
}
