/**
 * The input and output policies as hooks of the pipeline. They record what each policy did in the request's context,
 * count it, and answer in OpenAI's shape what a policy blocked.
 */

import { type JoinedText, textsIn, withTexts } from '../../src/wire/strings.ts'
import { errorBody, type GatewayError, unreadable } from '../http/gateway-error.ts'
import type { InputHook, Maybe, OutputHook, PolicyVerdict } from '../http/hooks.ts'
import { readBody } from '../http/request-body.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { StreamingSettings } from './kinds/config-file.ts'
import { compilePolicy, type PolicySettings } from './kinds/kinds.ts'
import { effortBudget } from './pattern/search-budget.ts'
import { groupPolicies, type Policy, type PolicyGroup } from './policy/policy.ts'
import { PolicyStreamFilter } from './stream/stream-filter.ts'
import type { PolicyBlock, PolicyEvents } from './stream/text-scanner.ts'
import { answerKind, readAnswer, UNREADABLE_TYPE } from './whole/answer.ts'
import { type JudgedTexts, type Judgement, judgeTexts, textsOfBody } from './whole/judge.ts'
import type { SharedBody } from './whole/search-worker.ts'
import { nextBodyId, SearchWorkerPool } from './whole/search-worker-pool.ts'

interface PolicyCounts {
  blocked: number
  redacted: number
  flagged: number
  /** Not judged in time, or not judged at all. */
  timed_out: number
}

interface PolicyStats {
  policies: Record<string, PolicyCounts>
  /** Events of streams that were held for longer than flush_interval. */
  hold_overrun: number
  /** Events of streams that left before their text was judged. */
  released_undecided: number
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

/** Parsing and searching a body of this size takes a fraction of a millisecond. */
const LARGE_BYTES = 64 * 1024

/** The error for a stream that cannot be read; no policy blocked it. */
const UNREADABLE = unreadable('the provider sent an event that is not JSON, or larger than 16 MiB')

const COUNTED_AS = { block: 'blocked', redact: 'redacted', flag: 'flagged' } as const

export function createPolicyHooks(
  settings: readonly PolicySettings[],
  streaming: StreamingSettings,
  report: (problem: string) => void,
): PolicyHooks {
  const policies = settings.map(compilePolicy)
  const stats: PolicyStats = { policies: {}, hold_overrun: 0, released_undecided: 0 }
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
  const read = async (context: RequestContext): Promise<GatewayError | undefined> => {
    const { buffer: bytes } = context.body
    const body = bytes instanceof SharedArrayBuffer && { id: nextBodyId(), bytes, endpoint: context.endpoint }
    const facts = body ? await threads.parse(context.tenant, body) : undefined
    if (!body || !facts) return readBody(context)
    if (!facts.ok) return facts.error
    if (facts.value) context.setBody({ facts: facts.value })
    shared.set(context, body)
    return undefined
  }
  return {
    ...(searches(groups) && { read, largeAboveBytes: LARGE_BYTES }),
    check: (context) => {
      const body = shared.get(context)
      const settings = { context, threads, events: recorder(context, stats) }
      if (body) return judge(groups, textsOfBody(body), settings)
      const source = context.body.toString()
      const found = textsIn(source)
      const written = (judged: readonly JoinedText[]): string => withTexts(source, found, judged)
      return judge(groups, { all: found.places }, settings, written)
    },
  }
}

/** The verdict of all groups; `written` gives a body that lies here with other texts. */
function judge(
  groups: readonly PolicyGroup[],
  texts: JudgedTexts,
  { context, threads, events }: { context: RequestContext; threads: SearchWorkerPool; events: PolicyEvents },
  written: (texts: readonly JoinedText[]) => string = () => '',
): Maybe<PolicyVerdict> {
  if (!texts.body && texts.all.length === 0) return { kind: 'pass' }
  const toVerdict = (judgement: Judgement): PolicyVerdict => {
    if (judgement.kind === 'blocked') return { kind: 'blocked', error: blockError(judgement.block) }
    if (judgement.kind === 'pass') return judgement
    const { body } = judgement.texts
    return { kind: 'changed', body: body ? Buffer.from(body.bytes) : Buffer.from(written(judgement.texts.all)) }
  }
  const judged = judgeTexts(groups, texts, { threads, events, asker: context, signal: questionSignal(context, groups) })
  return judged instanceof Promise ? judged.then(toVerdict) : toVerdict(judged)
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
    filter(context, head) {
      const kind = answerKind(context, head)
      if (kind === 'nothing') return undefined
      if (kind === 'unreadable') return { kind: 'refused', error: UNREADABLE_TYPE }
      const events = recorder(context, stats)
      if (kind !== 'events') {
        const settings = { context, threads, events }
        const judgeHere = (body: Buffer): Maybe<PolicyVerdict> => {
          const answer = readAnswer(body, kind)
          if (!answer.ok) return { kind: 'blocked', error: answer.error }
          return judge(groups, { all: answer.value.all }, settings, answer.value.written)
        }
        const judgeInThread = async (body: Buffer): Promise<PolicyVerdict> => {
          const bytes = new SharedArrayBuffer(body.length)
          Buffer.from(bytes).set(body)
          const shared = { id: nextBodyId(), bytes, endpoint: context.endpoint, answer: kind }
          const read = await threads.parse(context.tenant, shared)
          if (!read) return judgeHere(body)
          return read.ok ? judge(groups, textsOfBody(shared), settings) : { kind: 'blocked', error: read.error }
        }
        const inThread = searches(groups)
        return {
          kind: 'whole',
          apply: (body) => (inThread && body.length > LARGE_BYTES ? judgeInThread(body) : judgeHere(body)),
        }
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
              releasedUndecided: () => stats.released_undecided++,
              blocked: (block) => lastEvent(block === 'unreadable' ? UNREADABLE : blockError(block)),
            },
            sink,
          ),
      }
    },
  }
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
