/** The table of policy kinds, and what follows from it. A kind is one file here and one line in the table. */
import type { z } from 'zod'
import type { CommonSettings, CompiledKind, Policy, PolicyKind } from '../policy/policy.ts'
import { keywords } from './keywords.ts'
import { maxTokens } from './max-tokens.ts'
import { pii } from './pii.ts'
import { regex } from './regex.ts'
import { webhook } from './webhook.ts'

const TABLE = { regex, keywords, pii, max_tokens: maxTokens, webhook }

export type KindName = keyof typeof TABLE
type KeysOf<Name extends KindName> = (typeof TABLE)[Name]['schema']

/** The settings of a policy of one of these kinds: its own keys beside those that all have. */
type SettingsOf<Name extends KindName> = {
  [One in Name]: CommonSettings & { kind: One } & z.output<KeysOf<One>>
}[Name]

export type PolicySettings = SettingsOf<KindName>

const KINDS: { readonly [Name in KindName]: PolicyKind<Name, KeysOf<Name>> } = TABLE

export const ALL_KINDS: readonly PolicyKind<KindName>[] = Object.values(KINDS)

export function compilePolicy(settings: PolicySettings): Policy {
  return {
    name: settings.name,
    direction: settings.type === 'input_filter' ? 'input' : 'output',
    action: settings.action,
    timeoutMs: settings.policy_timeout,
    onTimeout: settings.on_timeout,
    parallelGroup: settings.parallel_group,
    ...compileKind(settings),
  }
}

function compileKind<Name extends KindName>(settings: SettingsOf<Name>): CompiledKind {
  return KINDS[settings.kind].compile(settings)
}
