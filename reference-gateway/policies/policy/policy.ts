/**
 * What a policy is. A kind of policy is one file in policies/kinds and one line in its table: from the kind follow the
 * keys in the config file, and how whole texts and streams are judged. Policies that share a parallel_group are one
 * group, at the place of the first of them: they all judge the same text, at the same time. Groups follow each other in
 * the order of the file, and each judges what the group before left. Where redactions of one group overlap they become
 * one, with the replacement of the match that begins first (of two that begin together, of the policy that stands first
 * in the file). A policy that blocks outranks all others of its group.
 */
import { z } from 'zod'
import { timerMs } from '../../../src/parse/quantity.ts'
import type { PatternMatch } from '../pattern/search.ts'
import type { IsOverBudget } from '../pattern/search-budget.ts'
import type { TextBuffer } from '../pattern/text-buffer.ts'
import type { TextFinding } from './edits.ts'

const ACTIONS = ['block', 'redact', 'flag'] as const
type Action = (typeof ACTIONS)[number]

/** The keys that every policy has in the config file, whatever its kind. */
export const COMMON_KEYS = {
  name: z.string().min(1),
  type: z.enum(['input_filter', 'output_filter']),
  parallel_group: z.string().min(1).optional(),
  action: z.enum(ACTIONS),
  policy_timeout: timerMs.prefault('1s'),
  on_timeout: z.enum(['fail_closed', 'fail_open']).default('fail_closed'),
  replacement: z.string().optional(),
}

export type CommonSettings = z.output<z.ZodObject<typeof COMMON_KEYS>>

/** The replacement of a match where neither the policy nor its kind has one of its own. */
export const REPLACEMENT = '[REDACTED]'

export interface PolicyKind<Name extends string = string, Keys extends z.ZodObject = z.ZodObject> {
  readonly name: Name
  /**
   * The keys that only this kind has. The first one alone tells the kind of a policy that does not name it. Keys
   * without a default: whether a key was given decides whose policy it is.
   */
  readonly schema: Keys
  /** What its policies can do; undefined for everything. */
  readonly actions?: readonly Action[]
  compile(settings: CommonSettings & z.output<Keys>): CompiledKind
}

/** What a kind makes of a policy's settings. */
export interface CompiledKind {
  readonly whole: WholeJudge
  readonly stream: StreamJudge
  close?(): Promise<void>
}

export interface Policy extends CompiledKind {
  readonly name: string
  readonly direction: 'input' | 'output'
  readonly action: Action
  readonly timeoutMs: number
  /** What happens to a text that was not judged in time, or not judged at all. */
  readonly onTimeout: 'fail_open' | 'fail_closed'
  /** The group that it shares with others; undefined for one of its own. */
  readonly parallelGroup: string | undefined
}

export type PolicyGroup = readonly Policy[]

export function groupPolicies(policies: readonly Policy[]): PolicyGroup[] {
  const groups = new Map<string | Policy, Policy[]>()
  for (const policy of policies) {
    const key = policy.parallelGroup ?? policy
    const known = groups.get(key)
    if (known) known.push(policy)
    else groups.set(key, [policy])
  }
  return [...groups.values()]
}

/** Judges whole texts: by a search in a thread of this process, or by a question to another service. */
type WholeJudge = TextSearch | TextQuestion

interface TextSearch {
  readonly how: 'search'
  /** However large the texts are, no thread is worth its while. */
  readonly quick: boolean
  /**
   * Returns a list of findings for each text; undefined when the budget was used up before the end. `buffers` of the
   * same texts are made where needed, and kept for the next policy.
   */
  search(texts: readonly string[], over?: IsOverBudget, buffers?: TextBuffer[]): TextFinding[][] | undefined
}

interface TextQuestion {
  readonly how: 'question'
  /** Rejects where there is no judgement in time. */
  ask(texts: readonly string[], signal: AbortSignal | undefined): Promise<TextFinding[][]>
}

/** Judges texts that grow. */
interface StreamJudge {
  /** Characters of the longest match; Infinity without a limit. What is longer than the window is cut off there. */
  readonly longest: number
  /** Its detectors settle text later by themselves, and not only as more of it arrives. */
  readonly settlesLater: boolean
  /** The detectors of one text. */
  detectors(policy: Policy, options: DetectorOptions): Detector[]
}

/**
 * By ASCII character: 1 where a match may begin with it, inside of a word (behind a letter or digit) and elsewhere. It
 * holds for texts in which nothing looks otherwise than it is written.
 */
export interface Starters {
  inside: Uint8Array
  elsewhere: Uint8Array
}

/** Watches a growing text for one policy, and says how far it has settled the text. */
export interface Detector {
  readonly policy: Policy
  readonly found: DetectedMatch[]
  readonly settledUpTo: number
  /** The first position that must stay in the buffer. */
  readonly needed: number
  failed: 'timeout' | undefined
  /** Where matches may begin; undefined where it must read everything. */
  readonly starters?: Starters | undefined
  /** It has read up to `end`, and nothing that could become a match is under way. */
  isIdleAt?(end: number): boolean
  /** No match begins before `position`, up to which an idle detector was not asked to read. */
  skip?(position: number): void
  /** Reads what was added; `complete`: as if nothing followed. False: not finished in time. */
  feed(text: TextBuffer, complete: boolean): boolean
  close?(): void
}

export interface DetectedMatch {
  match: PatternMatch
  replacement: string
  /** Of two matches that begin together, the one with the lower order counts. */
  order: number
}

export interface DetectorOptions {
  /** Characters that a detector may hold. */
  window: number
  flushMs: number
  /** See search.ts; false where another stage follows. */
  early: boolean
  /** Called by a detector that settles text later on its own. */
  onSettled: () => void
  /** Runs the callback of a detector's timer or promise (see StreamSink). */
  run: (step: () => void) => void
}

let orders = 0

/** The order of a detector's matches: detectors are made in the order of their policies. */
export function nextOrder(): number {
  return ++orders
}
