/** What the keys of a stream's events mean, in any format, to who looks for the text in them (see event-scan.ts). */
import { known, MAX_KEYS } from './key-paths.ts'
import { LOGPROBS_KEY, STRUCTURE_KEYS } from './strings.ts'
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
/** Gemini's values that come whole in one event: no other event continues them. */
export const ALONE = 16
/** It tells the parts of a response apart in events without choices. */
export const PART = 32
/** What an event without choices adds: a delta, or Anthropic's beginning of what deltas add to. */
export const ADDED = 64
export const STRUCTURE = 128
/** Under it, events without choices repeat a text. */
export const WHOLE = 256
export const USAGE = 512
export const TYPE = 1024
/** What means something at the top of an event. */
export const AT_TOP = CHOICES | LOGPROBS | PART | ADDED | USAGE | TYPE

/** By the number of a key. */
export const meanings = new Uint16Array(MAX_KEYS + 1)
for (const [meaning, names] of [
  [CHOICES, ['choices', 'candidates']],
  [MESSAGE, ['delta', 'message', 'text', 'content', ...REASONING_KEYS]],
  [FINISH, ['finish_reason', 'finishReason']],
  [LOGPROBS, [LOGPROBS_KEY, 'logprobsResult']],
  [ALONE, ['functionCall', 'executableCode', 'codeExecutionResult']],
  [PART, ['index', 'output_index', 'content_index', 'summary_index']],
  [ADDED, ['delta', 'content_block']],
  [STRUCTURE, STRUCTURE_KEYS],
  [WHOLE, ['text', 'arguments', 'refusal', 'transcript', 'content', 'output_text', 'input', 'code', 'thinking']],
  [USAGE, ['usage', 'usageMetadata']],
  [TYPE, ['type']],
  // They have no meaning here, and occur in many streams.
  [0, ['tool_calls', 'function', 'parts']],
] as const) {
  for (const name of names) {
    const key = known(name)
    meanings[key] = (meanings[key] ?? 0) | meaning
  }
}
