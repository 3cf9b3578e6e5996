/**
 * The input and output policies as hooks of the pipeline. They record what each policy did in the request's context,
 * count it, and answer in OpenAI's shape what a policy blocked.
 */

import { ANSWER_MEMBERS, REQUEST_MEMBERS } from '../../src/wire/formats.ts'
import { parseObject } from '../../src/wire/json.ts'
import { UnreadableAnswer } from '../../src/wire/strict.ts'
import { stringsUnder, type TextPlace, withStrings } from '../../src/wire/strings.ts'
import { errorBody, type GatewayError } from '../http/gateway-error.ts'
import type {
  InputHook,
  InputVerdict,
  Maybe,
  OutputHook,
  OutputVerdict,
  ResponseHead,
  StreamFilterFactory,
  WholeFilter,
} from '../http/hooks.ts'
import { nestsTooDeep } from '../http/json-guard.ts'
import { readBody } from '../http/request-body.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { StreamingSettings } from './kinds/config-file.ts'
import { compilePolicy, type PolicySettings } from './kinds/kinds.ts'
import { effortBudget } from './pattern/search-budget.ts'
import { groupPolicies, type Policy, type PolicyGroup } from './policy/policy.ts'
import { PolicyStreamFilter } from './stream/stream-filter.ts'
import type { PolicyBlock, PolicyEvents } from './stream/text-scanner.ts'
import { type JudgedTexts, type Judgement, judgeTexts } from './whole/judge.ts'
import type { SharedBody } from './whole/search-worker.ts'
import { SearchWorkerPool } from './whole/search-worker-pool.ts'

interface PolicyCounts {
  blocked: number
  redacted: number
  flagged: number
  /** Not judged in time, or not judged at all. */
  timed_out: number
}

interface PolicyStats {
  policies: Record<string, PolicyCounts>
  /** How often a stream's text was held for longer than flush_interval. */
  hold_overrun: number
}

export interface PolicyHooks {
  input?: InputHook
  output?: OutputHook
  stats(): PolicyStats
  close(): Promise<void>
}

/** Resembles what rules look for, so that their automata are built. */
const SAMPLE =
  'Say hello to a.b@example.org, +1 202 555 0143, 4111 1111 1111 1111, 078-05-1120, GB82 WEST 1234, sk-abc123 AIza'

/** Enough for any pattern on the sample, except one that never ends. */
const SAMPLE_EFFORT = 1_000_000

/** The error for a stream that cannot be read; no policy blocked it. */
const UNREADABLE: GatewayError = {
  status: 502,
  code: 'upstream_unreadable',
  message: 'the provider sent an event larger than 16 MiB',
}

const COUNTED_AS = { block: 'blocked', redact: 'redacted', flag: 'flagged' } as const

export function createPolicyHooks(
  settings: readonly PolicySettings[],
  streaming: StreamingSettings,
  report: (problem: string) => void,
): PolicyHooks {
  const policies = settings.map(compilePolicy)
  const stats: PolicyStats = { policies: {}, hold_overrun: 0 }
  for (const { name } of policies) stats.policies[name] = { blocked: 0, redacted: 0, flagged: 0, timed_out: 0 }
  const groupsFor = (direction: Policy['direction']): PolicyGroup[] =>
    groupPolicies(policies.filter((policy) => policy.direction === direction))
  const threads = new SearchWorkerPool(settings, report)
  const [input, output] = [groupsFor('input'), groupsFor('output')]
  if (searches(input)) threads.prepare()
  for (const policy of [...input, ...output].flat()) searchOnce(policy)
  for (const policy of output.flat()) noteUnbounded(policy, streaming.chunk_buffer, report)
  return {
    ...(input.length > 0 && { input: createInputHook(input, threads, stats) }),
    ...(output.length > 0 && { output: createOutputHook(output, streaming, threads, stats) }),
    stats: () => stats,
    close: async () => {
      await threads.close()
      await Promise.all(policies.map((policy) => policy.close?.()))
    },
  }
}

function createInputHook(groups: readonly PolicyGroup[], threads: SearchWorkerPool, stats: PolicyStats): InputHook {
  const shared = new WeakMap<RequestContext, SharedBody>()
  let bodies = 0
  const read = async (context: RequestContext): Promise<GatewayError | undefined> => {
    const { buffer: bytes } = context.body
    const body = bytes instanceof SharedArrayBuffer && { id: ++bodies, bytes, endpoint: context.endpoint }
    const facts = body ? await threads.parse(body) : undefined
    if (!body || !facts) return readBody(context)
    if (!facts.ok) return facts.error
    context.setBody({ facts: facts.value })
    shared.set(context, body)
    return undefined
  }
  return {
    ...(searches(groups) && { read }),
    check(context): Maybe<InputVerdict> {
      const texts = collectTexts(context, shared.get(context))
      if (!texts.body && texts.all.length === 0) return { kind: 'pass' }
      const dependencies = { threads, events: recorder(context, stats), signal: questionSignal(context, groups) }
      return then(judgeTexts(groups, texts, dependencies), (judgement): InputVerdict => {
        if (judgement.kind === 'blocked') return { kind: 'blocked', error: blockError(judgement.block) }
        if (judgement.kind === 'pass') return judgement
        return { kind: 'changed', json: withStrings(context.json ?? {}, texts.places, judgement.texts) }
      })
    },
  }
}

/** The texts of a body that a thread has parsed are collected here only where this thread needs them. */
function collectTexts(
  context: RequestContext,
  body: SharedBody | undefined,
): JudgedTexts & { places: readonly TextPlace[] } {
  let places: readonly TextPlace[] | undefined
  let all: readonly string[] | undefined
  return {
    ...(body && { body }),
    get places() {
      places ??= stringsUnder(context.json ?? {}, REQUEST_MEMBERS)
      return places
    },
    get all() {
      all ??= this.places.map(({ text }) => text)
      return all
    },
  }
}

/** Whether a policy searches texts in this process. */
function searches(groups: readonly PolicyGroup[]): boolean {
  return groups.some((group) => group.some(({ whole }) => whole.how === 'search'))
}

function createOutputHook(
  groups: readonly PolicyGroup[],
  streaming: StreamingSettings,
  threads: SearchWorkerPool,
  stats: PolicyStats,
): OutputHook {
  const setting = {
    window: streaming.chunk_buffer,
    flushMs: streaming.flush_interval,
    onFlush: streaming.on_flush,
  }
  return {
    filter(context, head): WholeFilter | StreamFilterFactory | undefined {
      if (!isJudged(context, head)) return undefined
      const events = recorder(context, stats)
      if (!head.isEventStream) {
        const dependencies = { threads, events, signal: questionSignal(context, groups) }
        return { kind: 'whole', apply: (body) => judgeBody(body, (all) => judgeTexts(groups, { all }, dependencies)) }
      }
      return {
        kind: 'stream',
        start: (sink) =>
          new PolicyStreamFilter(
            groups,
            setting,
            {
              ...events,
              holding: (on) => {
                context.timings.holding = on
              },
              overrun: () => stats.hold_overrun++,
              blocked: (block) => lastEvent(block === 'unreadable' ? UNREADABLE : blockError(block)),
            },
            sink,
          ),
      }
    },
  }
}

/** Whether the response holds text that policies judge: no error, no list, no vectors, no file. */
function isJudged({ method, endpoint }: RequestContext, { status, isEventStream, contentType }: ResponseHead): boolean {
  if (method !== 'POST' || endpoint === 'embeddings' || status < 200 || status > 299) return false
  return isEventStream || /^(?:text\/|application\/(?:[\w.+-]+\+)?json\b)/i.test(contentType)
}

function judgeBody(body: Buffer, judge: (texts: string[]) => Maybe<Judgement>): Maybe<OutputVerdict> {
  const text = body.toString('utf8')
  const json = parseObject(text)
  const places = json && stringsUnder(json, ANSWER_MEMBERS)
  const texts = places ? places.map((place) => place.text) : [text]
  if (texts.length === 0) return { kind: 'pass' }
  return then(judge(texts), (judgement): OutputVerdict => {
    if (judgement.kind === 'blocked') return { kind: 'blocked', error: blockError(judgement.block) }
    if (judgement.kind === 'pass') return judgement
    // Copying and rewriting the JSON walks all of its depth.
    if (places && nestsTooDeep(text)) throw new UnreadableAnswer('it is nested too deep')
    const changed = json && places ? JSON.stringify(withStrings(json, places, judgement.texts)) : judgement.texts[0]
    return { kind: 'changed', body: Buffer.from(changed ?? '') }
  })
}

/** Records what policies do, in the request's context and in the counts. */
function recorder(context: RequestContext, stats: PolicyStats): PolicyEvents {
  const note = ({ name }: Policy, action: 'block' | 'redact' | 'flag' | 'timeout', count: keyof PolicyCounts): void => {
    context.policies ??= {}
    // An action counts once for each request, however often the policy found something.
    if (context.policies[name] === action) return
    context.policies[name] = action
    const counts = stats.policies[name]
    if (counts) counts[count]++
  }
  return {
    found: (policy) => note(policy, policy.action, COUNTED_AS[policy.action]),
    timedOut: (policy) => note(policy, 'timeout', 'timed_out'),
  }
}

function blockError({ policy, why }: PolicyBlock): GatewayError {
  if (why === 'timeout') {
    return { status: 503, code: 'policy_timeout', message: `policy '${policy.name}' could not judge this in time` }
  }
  const what = policy.direction === 'input' ? 'request' : 'answer'
  return { status: 400, code: 'content_filter', message: `policy '${policy.name}' blocked this ${what}` }
}

function lastEvent(error: GatewayError): { lastEvent: Buffer; code: string } {
  return { lastEvent: Buffer.from(`data: ${JSON.stringify(errorBody(error))}\n\n`), code: error.code }
}

/**
 * The first text costs tens of milliseconds: automata are built, and code runs for the first time. This is done before
 * there is a request.
 */
function searchOnce({ whole }: Policy): void {
  if (whole.how === 'search') whole.search([SAMPLE], effortBudget(SAMPLE_EFFORT))
}

function noteUnbounded(policy: Policy, window: number, report: (problem: string) => void): void {
  if (policy.action === 'flag' || policy.stream.longest <= window) return
  report(
    `policy '${policy.name}' has a pattern whose matches may be longer than streaming.chunk_buffer: ` +
      `in streams it is decided within ${window} characters`,
  )
}

/** Only a question to another service can be cancelled. */
function questionSignal(context: RequestContext, groups: readonly PolicyGroup[]): AbortSignal | undefined {
  return groups.some((group) => group.some(({ whole }) => whole.how === 'question')) ? context.signal : undefined
}

function then<T, U>(given: Maybe<T>, next: (value: T) => U): Maybe<U> {
  return given instanceof Promise ? given.then(next) : next(given)
}
