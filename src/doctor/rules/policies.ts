/**
 * Policies without a bound: a pattern that backtracks, a check by another service that may take as long as it likes. A
 * pattern without a bound stalls every request of its process, not only its own.
 */
import { median } from '../../stats/means.ts'
import { aboveP } from '../../stats/ranks.ts'
import { formatDuration, formatMs } from '../../units.ts'
import type { KongPlugin } from '../config/read.ts'
import { addedToEnd, answered, NO_STAMPS } from '../probe/measured.ts'
import { ALARM_P, type DoctorRule, fine, found, notChecked } from '../rule.ts'

/** Longer than this no check should hold a request. */
const LONG_MS = 5_000
/** A run of one letter costs this much more than as many letters of words: no linear search comes near it. */
const STALL_US = 50_000
const LITELLM_DEFAULT_S = 6_000
const LONGEST_ANSWER_S = 600

export const unboundedPolicy: DoctorRule = {
  id: 'unbounded-policy-timeout',
  title: 'A policy or a call without a bound',
  cost: 'a pathological prompt or a slow service stalls the pipeline, for everybody where it blocks the process',
  fix: {
    how: 'Bound every check, and search with patterns that cannot backtrack (RE2).',
    kt: { policies: [{ name: '<the policy>', policy_timeout: '1s' }] },
    litellm: { litellm_settings: { request_timeout: 300 } },
  },
  config: {
    kt: ({ config: { policies } }) => {
      const long = policies.filter((policy) => {
        const own = policy.policy_timeout
        return Math.min(own, policy.kind === 'webhook' ? (policy.webhook.timeout ?? own) : own) > LONG_MS
      })
      if (long.length > 0) {
        const names = long.map(({ name, policy_timeout: ms }) => `${name} (${formatDuration(ms)})`).join(', ')
        const patch = { policies: long.map(({ name }) => ({ name, policy_timeout: '1s' })) }
        return found('warning', 'certain', `policies that may take longer than ${formatDuration(LONG_MS)}: ${names}`, {
          patch,
        })
      }
      return fine(
        policies.length === 0
          ? 'there are no policies'
          : `${policies.length} policies, each bounded; patterns are linear`,
      )
    },
    kong: ({ plugins }) => {
      const risky = plugins.flatMap(({ name, config }) =>
        findPatterns(config)
          .filter(backtracks)
          .map((one) => `${name}: ${one}`),
      )
      if (risky.length > 0) {
        return found(
          'warning',
          'likely',
          `patterns that repeat a repetition, which PCRE tries in every way: ${risky.join(', ')}`,
          {
            how: 'Write the pattern without a repetition inside of a repetition.',
          },
        )
      }
      const slow = plugins.filter((plugin) => asksModel(plugin) && modelTimeout(plugin) > LONG_MS)
      if (slow.length > 0) {
        return found(
          'warning',
          'likely',
          `${slow.map(({ name }) => name).join(', ')}: a model is asked for up to ` +
            `${formatDuration(Math.max(...slow.map(modelTimeout)))} in the way of the request`,
          {
            patch: { plugins: slow.map(({ name }) => ({ name, config: { http_timeout: LONG_MS } })) },
          },
        )
      }
      return fine('no pattern here repeats a repetition, and no plugin asks a model in the way of a request')
    },
    litellm: ({ config }) => {
      const seconds = config.litellm_settings?.request_timeout ?? config.router_settings?.timeout
      if (seconds === undefined) {
        return found('warning', 'likely', `no request_timeout: LiteLLM's own default is ${LITELLM_DEFAULT_S} s`)
      }
      return seconds > LONGEST_ANSWER_S
        ? found('warning', 'certain', `a request may take ${seconds} s`)
        : fine(`a request may take ${seconds} s`)
    },
  },
  report: 'a report is of ordinary prompts',
  measure: ({ plain, hostile }) => {
    const words = answered(plain)
    const letters = answered(hostile)
    const refused = hostile.find(({ outcome }) => outcome !== 'OK')
    if (refused && words.length > 0) {
      if (refused.outcome.startsWith('KT_TIMEOUT')) {
        return found('critical', 'likely', `a prompt of 24 times the letter a and '!' got no answer: ${refused.detail}`)
      }
      return notChecked(`a prompt of 24 times the letter a was refused: ${refused.outcome}`)
    }
    if (words.length === 0 || letters.length === 0) return notChecked('the prompts for this were not answered')
    // Without stamps the provider's own time is in both.
    const added = [...words, ...letters].every((answer) => addedToEnd(answer) !== undefined)
    const took = (answers: typeof words): number[] =>
      answers.map((answer) => (added ? (addedToEnd(answer) ?? 0) : answer.tookUs))
    const [ofLetters, ofWords] = [took(letters), took(words)]
    const stalled =
      aboveP(
        ofLetters,
        ofWords.map((us) => us + STALL_US),
      ) <= ALARM_P
    if (stalled) {
      const more = median(ofLetters) - median(ofWords)
      return found(
        'critical',
        'likely',
        `a prompt of 24 times the letter a and '!' takes ${formatMs(more / 1_000)} ms more than one of words ` +
          `(medians of ${letters.length} and ${words.length})`,
      )
    }
    return added
      ? fine('a run of letters takes no longer than words: no pattern backtracks over it')
      : notChecked(`a run of letters takes no longer than words, but ${NO_STAMPS}: a slow provider hides what is short`)
  },
}

function asksModel({ name }: KongPlugin): boolean {
  return name === 'ai-request-transformer' || name === 'ai-response-transformer'
}

/** Of a call to a model in the way of the request; Kong's default is a minute. */
function modelTimeout({ config }: KongPlugin): number {
  return typeof config.http_timeout === 'number' ? config.http_timeout : 60_000
}

/** The values of every key that names patterns, at any depth. */
function findPatterns(value: unknown, key = ''): string[] {
  if (typeof value === 'string') return /pattern|regex/.test(key) ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  const inner = Array.isArray(value) ? value.map((item): [string, unknown] => [key, item]) : Object.entries(value)
  return inner.flatMap(([name, item]) => findPatterns(item, name))
}

/** A group that ends in a repetition and is itself repeated without bound: `(a+)+`, `(\w+\s?)*`. */
export function backtracks(pattern: string): boolean {
  return /\((?:[^()\\]|\\.)*[+*](?:[^()\\]|\\.)?\??\)(?:[+*]|\{\d+,\})/.test(pattern)
}
