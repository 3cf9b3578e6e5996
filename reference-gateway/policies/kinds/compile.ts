/** Makes policies from their settings: each kind becomes rules, a count or a webhook. Puts policies in groups. */
import type { PolicySettings } from './config-file.ts'
import { keywordRule, PatternRule } from './pattern-rule.ts'
import { PII_KINDS, piiRules } from './pii.ts'
import type { Policy, PolicyGroup } from './policy.ts'
import { Webhook } from './webhook.ts'

const REPLACEMENT = '[REDACTED]'

export function compilePolicy(settings: PolicySettings): Policy {
  return {
    name: settings.name,
    direction: settings.type === 'input_filter' ? 'input' : 'output',
    action: settings.action,
    timeoutMs: settings.policy_timeout,
    onTimeout: settings.on_timeout,
    replacement: settings.replacement,
    ...compileKind(settings),
  }
}

function compileKind(settings: PolicySettings): Pick<Policy, 'rules' | 'maxTokens' | 'webhook'> {
  const { kind, replacement = REPLACEMENT } = settings
  if (kind === 'max_tokens') return { maxTokens: settings.max_tokens ?? 0 }
  if (kind === 'pii') return { rules: piiRules(settings.detect ?? PII_KINDS, settings.replacement) }
  if (kind === 'regex') return { rules: (settings.patterns ?? []).map((one) => new PatternRule(one, { replacement })) }
  if (kind === 'keywords') {
    const { keywords: words = [], case_sensitive: caseSensitive = false, whole_words: wholeWords = true } = settings
    return { rules: [keywordRule({ words, caseSensitive, wholeWords, replacement })] }
  }
  const { url = '', timeout, max_concurrency: maxConcurrency = 1, headers = {} } = settings.webhook ?? {}
  return {
    webhook: new Webhook({
      url,
      headers,
      maxConcurrency,
      timeoutMs: Math.min(timeout ?? Infinity, settings.policy_timeout),
    }),
  }
}

/** The policies of one direction in groups. `names` holds the policies' parallel groups, in the same order. */
export function groupPolicies(policies: readonly Policy[], names: readonly (string | undefined)[]): PolicyGroup[] {
  const groups: Policy[][] = []
  const byName = new Map<string, Policy[]>()
  for (const [i, policy] of policies.entries()) {
    const name = names[i]
    const known = name === undefined ? undefined : byName.get(name)
    if (known) {
      known.push(policy)
      continue
    }
    const group = [policy]
    groups.push(group)
    if (name !== undefined) byName.set(name, group)
  }
  return groups
}
