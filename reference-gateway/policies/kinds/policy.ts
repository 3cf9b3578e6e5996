/**
 * A policy, compiled from its settings. Policies that share a parallel_group are one group, at the place of the first
 * of them: they all judge the same text, at the same time. Groups follow each other in the order of the file, and each
 * judges what the group before left. Where redactions of one group overlap they become one, with the replacement of the
 * match that begins first (of two that begin together, of the policy that stands first in the file). A policy that
 * blocks outranks all others of its group.
 */
import type { PatternRule } from './pattern-rule.ts'
import type { Webhook } from './webhook.ts'

type Action = 'block' | 'redact' | 'flag'

export interface Policy {
  readonly name: string
  readonly direction: 'input' | 'output'
  readonly action: Action
  readonly timeoutMs: number
  /** What happens to a text that was not judged in time, or not judged at all. */
  readonly onTimeout: 'fail_open' | 'fail_closed'
  /** The replacement of a match; undefined for the kind's own. */
  readonly replacement: string | undefined
  /** A policy has exactly one of the following. */
  readonly rules?: readonly PatternRule[]
  readonly maxTokens?: number
  readonly webhook?: Webhook
}

export type PolicyGroup = readonly Policy[]

/** A rough estimate for English text, which providers give as a rule of thumb. */
export const CHARACTERS_PER_TOKEN = 4
