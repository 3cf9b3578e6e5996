/** Limits how long a prompt, or each text of a stream, may be. */
import { z } from 'zod'
import type { TextBuffer } from '../pattern/text-buffer.ts'
import type { TextFinding } from '../policy/edits.ts'
import type { DetectedMatch, Detector, Policy, PolicyKind } from '../policy/policy.ts'

/**
 * A rough estimate for English text, which providers give as a rule of thumb: a provider counts a response's tokens
 * only at its end.
 */
const CHARACTERS_PER_TOKEN = 4

const schema = z.strictObject({ max_tokens: z.int().min(1) })

export const maxTokens: PolicyKind<'max_tokens', typeof schema> = {
  name: 'max_tokens',
  schema,
  // Cutting a text off would leave half a sentence, or half of a tool's arguments.
  actions: ['block', 'flag'],
  compile: ({ max_tokens: tokens }) => {
    const limit = tokens * CHARACTERS_PER_TOKEN
    return {
      whole: { how: 'search', quick: true, search: (texts) => beyond(limit, texts) },
      stream: {
        longest: 0,
        settlesLater: false,
        detectors: (policy) => [new LengthDetector(policy, limit)],
      },
    }
  },
}

/** Counts all texts together: the text beyond the limit is found. */
function beyond(limit: number, texts: readonly string[]): TextFinding[][] {
  let left = limit
  return texts.map((text) => {
    const start = Math.max(0, Math.min(left, text.length))
    left -= text.length
    return start < text.length ? [{ start, end: text.length, replacement: '' }] : []
  })
}

class LengthDetector implements Detector {
  readonly policy: Policy
  readonly found: DetectedMatch[] = []
  settledUpTo = 0
  failed: 'timeout' | undefined
  readonly #limit: number

  constructor(policy: Policy, limit: number) {
    this.policy = policy
    this.#limit = limit
  }

  get needed(): number {
    return this.settledUpTo
  }

  feed(text: TextBuffer): boolean {
    if (this.settledUpTo <= this.#limit && text.end > this.#limit) {
      this.found.push({ match: { start: this.#limit, end: text.end, open: false }, replacement: '', order: 0 })
    }
    this.settledUpTo = text.end
    return true
  }
}
