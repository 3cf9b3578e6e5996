/**
 * Conversations: how many turns a session has, how many sessions there are, and at which pace they begin. The flags
 * with their types, and what does not go with them.
 */
import { z } from 'zod'
import { failure, type Result, success } from '../../errors.ts'
import { type FlagValues, flagGroup } from '../../parse/flags.ts'
import { type Rule, rulesOf } from '../../parse/parse-flags.ts'
import { durationOrZeroMs, parsedBy, positiveCount, positiveRate, wordOr } from '../../parse/quantity.ts'
import { type Delay, parseDelay } from '../../schedule/delays.ts'
import { DEFAULT_TOOL_RESULT, MOST_TURNS } from '../../workload/conversations/conversation.ts'
import { tokenDistribution } from '../../workload/token-counts.ts'

const request = flagGroup('REQUEST')
const load = flagGroup('LOAD')

/** The word for conversations that stand in a file. */
export const FROM_FILE = 'file'
const HEADER_NAME = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/

export const conversationFlags = {
  turns: request.text(
    wordOr(
      FROM_FILE,
      tokenDistribution.refine(
        (turns) => turns.kind !== 'constant' || turns.value <= MOST_TURNS,
        'must be at most 4,096',
      ),
    ).optional(),
    "conversations of so many turns, each request with what was said before and the model's own answers; a number, " +
      "a distribution such as 'uniform(2,8)', or 'file': each row of --prompts is a conversation",
    { example: '5' },
  ),
  'tool-result': request.text(
    z.string().optional(),
    `conversations: what a tool returns that the model calls [default: ${DEFAULT_TOOL_RESULT}]`,
  ),
  'session-header': request.text(
    z
      .string()
      .regex(HEADER_NAME, 'must be the name of a header')
      .transform((name) => name.toLowerCase())
      .optional(),
    "conversations: send the session's name in this header, such as x-session-id",
    { example: 'x-session-id' },
  ),
  sessions: load.text(positiveCount.optional(), 'conversations: number of sessions on each arm, as --requests else'),
  'session-rate': load.text(
    positiveRate.optional(),
    'conversations, open loop: new sessions per second; without it --concurrency sessions are under way at once',
  ),
  'max-sessions': load.text(
    positiveCount.optional(),
    'conversations, open loop: upper limit of sessions under way; further ones wait, and the wait counts',
  ),
}

type ConversationFlagValues = FlagValues<typeof conversationFlags>

/** '15ms', '0', or 'lognormal(2s,0.5)'. */
export const pause = parsedBy((text): Result<Delay> => {
  const drawn = text.includes('(') ? parseDelay(text) : undefined
  if (drawn) return success(drawn)
  if (text.includes('(')) return failure(`'${text}' is not a pause such as '2s' or 'lognormal(2s,0.5)'`)
  const ms = durationOrZeroMs.safeParse(text)
  return ms.success
    ? success({ kind: 'fixed', us: Math.round(ms.data * 1_000) })
    : failure(ms.error.issues[0]?.message ?? '', nextOf(ms.error))
})

function nextOf({ issues: [issue] }: z.ZodError): string | undefined {
  const next = issue?.code === 'custom' ? issue.params?.next : undefined
  return typeof next === 'string' ? next : undefined
}

/** What of the other sections these rules look at. */
interface OtherValues {
  prompts?: string | undefined
  requests?: number | undefined
  rps?: number | undefined
  concurrency?: number | undefined
  stages?: object | undefined
  pairing?: string | undefined
  'cool-down'?: number | undefined
  'until-decided'?: boolean | undefined
  'compare-answers'?: boolean | undefined
  'respect-retry-after'?: boolean | undefined
  'cancel-share'?: number | undefined
  'think-time'?: Delay | undefined
}

const rule = rulesOf<ConversationFlagValues & OtherValues>()

/** Each goes with conversations alone. */
const NEED_TURNS = (['session-header', 'tool-result', 'sessions', 'session-rate', 'max-sessions'] as const).map(
  (name) =>
    rule(
      [name, 'turns'],
      (given) =>
        given[name] !== undefined &&
        given.turns === undefined &&
        failure(`--${name} goes with conversations`, 'Say how many turns they have: --turns 5.'),
    ),
)

/** Each does not go with conversations, and what to do instead. */
const NOT_WITH_TURNS = (
  [
    ['requests', 'Give the number of conversations: --sessions.'],
    ['rps', 'Give the rate of new conversations: --session-rate.'],
    ['stages', 'Leave --stages out, or give --session-rate.'],
    ['cool-down', 'Leave one of them out.'],
    ['until-decided', 'Leave one of them out.'],
    ['compare-answers', 'Each answer follows from those before it: leave one of them out.'],
    ['respect-retry-after', 'Leave one of them out.'],
    ['cancel-share', 'Leave one of them out.'],
  ] as const
).map(([name, next]) =>
  rule([name, 'turns'], (given) => {
    const asked = given[name] !== undefined && given[name] !== false
    return asked && given.turns !== undefined && failure(`--${name} does not go with conversations (--turns)`, next)
  }),
)

export const CONVERSATION_RULES: readonly Rule<ConversationFlagValues & OtherValues>[] = [
  ...NEED_TURNS,
  ...NOT_WITH_TURNS,
  rule(
    ['pairing', 'turns'],
    (given) =>
      given.turns !== undefined &&
      given.pairing === 'block' &&
      failure(
        '--pairing block does not go with conversations (--turns)',
        'A block would cut them off: both arms run side by side, in pairs of sessions. Leave --pairing out.',
      ),
  ),
  rule(
    ['turns', 'prompts'],
    (given) =>
      given.turns === FROM_FILE &&
      given.prompts === undefined &&
      failure('--turns file plays the rows of a dataset', 'Name the file: --prompts FILE.'),
  ),
  rule(
    ['session-rate', 'concurrency'],
    (given) =>
      given['session-rate'] !== undefined &&
      given.concurrency !== undefined &&
      failure(
        '--session-rate and --concurrency exclude each other: an open and a closed loop',
        'Keep one of them; --max-sessions limits the sessions under way of an open loop.',
      ),
  ),
  rule(
    ['max-sessions', 'session-rate'],
    (given) =>
      given['max-sessions'] !== undefined &&
      given['session-rate'] === undefined &&
      failure('--max-sessions goes with --session-rate', 'A closed loop has --concurrency sessions under way.'),
  ),
  rule(
    ['think-time', 'turns'],
    (given) =>
      given['think-time']?.kind === 'lognormal' &&
      given.turns === undefined &&
      failure('a distribution of --think-time goes with conversations', 'Add --turns, or give one duration.'),
  ),
]
