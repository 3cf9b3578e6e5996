/** What a config lets happen that whoever wrote it may not expect: `kt gateway check` and a start say so. */
import { formatNumber } from '../../src/units.ts'
import type { CacheConfig } from './config-file.ts'

/** Members of a request, beside its prompt, that change the answer. What providers add later is not in it. */
const CHANGES_ANSWERS = [
  ...['model', 'messages', 'prompt', 'max_tokens', 'max_completion_tokens', 'tools', 'tool_choice', 'response_format'],
  ...['stop', 'seed', 'n', 'top_p', 'frequency_penalty', 'presence_penalty', 'logit_bias', 'logprobs'],
  ...['reasoning_effort'],
]

/** The members that change an answer and do not count for the cache's key; none where the whole body does. */
export function leftOutOfKey({ enabled, key_includes: parts }: CacheConfig): string[] {
  if (!enabled || parts.includes(WHOLE_BODY)) return []
  return CHANGES_ANSWERS.filter((member) => !parts.includes(member))
}

/** The part of `key_includes` that stands for every member. */
export const WHOLE_BODY = '*'

export function cacheNotices(cache: CacheConfig): string[] {
  const left = leftOutOfKey(cache)
  if (left.length === 0) return []
  return [
    `cache.key_includes leaves out ${left.join(', ')}: requests that differ in these get each other's answers; ` +
      `['${WHOLE_BODY}'] takes the whole body`,
  ]
}

export function idleNotices(keepAliveMs: number | undefined, idleMs: number): string[] {
  if (keepAliveMs === undefined || keepAliveMs >= idleMs) return []
  return [
    `idle connections are closed after ${formatNumber(keepAliveMs)} ms (upstream.keep_alive.timeout), ` +
      `before connection_pool.idle_timeout (${formatNumber(idleMs)} ms)`,
  ]
}

export function streamNotices(
  policies: readonly { type: string; action: string }[],
  { flush_interval, on_flush }: { flush_interval: number; on_flush: 'release' | 'hold' },
): string[] {
  if (!policies.some(({ type, action }) => type === 'output_filter' && action !== 'flag')) return []
  const after = `${formatNumber(flush_interval)} ms`
  return [
    on_flush === 'hold'
      ? `streams: undecided text is held until more of it comes; streaming.on_flush: release lets it go after ${after}`
      : `streams: text that output policies have not decided after ${after} leaves; streaming.on_flush: hold keeps it`,
  ]
}
