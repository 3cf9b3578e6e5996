/** What the keys of a stream's events mean, in any format, to who looks for the text in them (see event-scan.ts). */
import { known, MAX_KEYS } from './key-paths.ts'
import { ENCODED_KEYS, REPEATING_KEYS, STRUCTURE_KEYS } from './strings.ts'
import { REASONING_KEYS } from './text.ts'

/** The numbers of keys that are looked for by name. */
export const KEY = {
  index: known('index'),
  delta: known('delta'),
  /** Gemini tells reasoning from other text by it. */
  thought: known('thought'),
}

/** What a key means, as bits: a key may mean several things, at different places. */
export const CHOICES = 1
/** Of a choice: it holds text. */
export const MESSAGE = 2
export const FINISH = 4
export const LOGPROBS = 8
/** Values that come whole in one event: no other event continues them. */
export const ALONE = 16
/** It tells the parts of a response apart in events without choices. */
export const PART = 32
/** What an event without choices adds: a delta, or Anthropic's beginning of what deltas add to. */
export const ADDED = 64
export const STRUCTURE = 128
/** Its string is no text where it looks like encoded data. */
export const ENCODED = 256
export const TYPE = 512
/** Whole as a rule, so that it waits for the next event at most: only that one may continue it. */
export const BRIEF = 1_024
/** What means something at the top of an event. */
export const AT_TOP = CHOICES | LOGPROBS | PART | ADDED | TYPE

/** By the number of a key. */
export const meanings = new Uint16Array(MAX_KEYS + 1)
for (const [meaning, names] of [
  [CHOICES, ['choices', 'candidates']],
  [MESSAGE, ['delta', 'message', 'text', 'content', ...REASONING_KEYS]],
  [FINISH, ['finish_reason', 'finishReason']],
  [LOGPROBS, REPEATING_KEYS],
  [ALONE, ['functionCall', 'executableCode', 'codeExecutionResult']],
  [PART, ['index', 'output_index', 'content_index', 'summary_index']],
  [ADDED, ['delta', 'content_block']],
  [STRUCTURE, STRUCTURE_KEYS],
  [ENCODED, ENCODED_KEYS],
  [TYPE, ['type']],
  [BRIEF, ['name']],
  // They have no meaning here, and occur in many streams.
  [0, ['tool_calls', 'function', 'parts', 'arguments', 'created', 'sequence_number', 'usage']],
] as const) {
  for (const name of names) {
    const key = known(name)
    meanings[key] = (meanings[key] ?? 0) | meaning
  }
}
