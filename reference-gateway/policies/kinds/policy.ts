/**
 * A policy as the code works with it. Policies that share a parallel_group are one stage, at the place of the first of them:
 * they all judge the same text, at the same time. Stages follow each other in the order of the file, each on what the one
 * before left. Where redactions of one stage overlap, they become one, under the name of what begins first (of two that
 * begin together: of what stands first in the file). A policy that blocks outranks all others of its stage.
 */
import type { PatternRule } from './pattern-rule.ts'
import type { Webhook } from './webhook.ts'

export type Action = 'block' | 'redact' | 'flag'

export interface Policy {
  readonly name: string
  readonly direction: 'input' | 'output'
  readonly action: Action
  readonly timeoutMs: number
  /** What becomes of a text that could not be judged in time, or at all. */
  readonly onTimeout: 'fail_open' | 'fail_closed'
  /** What stands in place of a match; undefined for the kind's own. */
  readonly replacement: string | undefined
  /** Exactly one of these. */
  readonly rules?: readonly PatternRule[]
  readonly maxTokens?: number
  readonly webhook?: Webhook
}

export type PolicyGroup = readonly Policy[]

/** Roughly, for English text: what providers themselves give as a rule of thumb. */
export const CHARACTERS_PER_TOKEN = 4
