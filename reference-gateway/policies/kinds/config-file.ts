/**
 * The keys `policies` and `gateway.streaming` of the config file. The kind of a policy follows from its own keys
 * (`patterns` means regex), or from `kind`, or, for the two policies of the guide's example, which have neither, from
 * its name.
 */
import { z } from 'zod'
import { headerValue, httpUrl } from '../../../src/parse/config-values.ts'
import { bytes, timerMs } from '../../../src/parse/quantity.ts'
import { checkPattern } from '../pattern/program.ts'
import { PII_KINDS } from './pii.ts'

const KINDS = ['regex', 'keywords', 'pii', 'max_tokens', 'webhook'] as const
type Kind = (typeof KINDS)[number]

/** The keys of each kind; the first key decides that a policy is of that kind. */
const KEYS = {
  regex: ['patterns'],
  keywords: ['keywords', 'case_sensitive', 'whole_words'],
  pii: ['detect'],
  max_tokens: ['max_tokens'],
  webhook: ['webhook'],
} as const satisfies Record<Kind, readonly string[]>

/** What the guide's example leaves out. */
const BY_NAME: Record<string, { kind: Kind; patterns?: string[] }> = {
  'pii-redaction': { kind: 'pii' },
  // Private keys, which no response should ever hold.
  'content-filter': { kind: 'regex', patterns: ['-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----'] },
}

const pattern = z.string().superRefine((source, context) => {
  const problem = checkPattern(source)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

const webhook = z.strictObject({
  url: httpUrl,
  timeout: timerMs.optional(),
  max_concurrency: z.int().min(1).default(16),
  headers: z.record(z.string().regex(/^[\w-]+$/), headerValue).default({}),
})

const policyFile = z
  .strictObject({
    name: z.string().min(1),
    type: z.enum(['input_filter', 'output_filter']),
    kind: z.enum(KINDS).optional(),
    parallel_group: z.string().min(1).optional(),
    action: z.enum(['block', 'redact', 'flag']),
    policy_timeout: timerMs.prefault('1s'),
    on_timeout: z.enum(['fail_closed', 'fail_open']).default('fail_closed'),
    replacement: z.string().optional(),
    patterns: z.array(pattern).min(1).optional(),
    keywords: z.array(z.string().trim().min(1)).min(1).optional(),
    case_sensitive: z.boolean().optional(),
    whole_words: z.boolean().optional(),
    detect: z.array(z.enum(PII_KINDS)).min(1).optional(),
    max_tokens: z.int().min(1).optional(),
    webhook: webhook.optional(),
  })
  .transform((given, context) => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
    const said = KINDS.filter((kind) => given[KEYS[kind][0]] !== undefined)
    const kind = given.kind ?? said[0] ?? BY_NAME[given.name]?.kind
    if (kind === undefined) {
      const keys = KINDS.map((one) => `${KEYS[one][0]} (${one})`).join(', ')
      refuse('kind', `says nothing about what to look for: give one of ${keys}, or kind: pii`)
      return z.NEVER
    }
    for (const other of KINDS) {
      if (other === kind) continue
      for (const key of KEYS[other]) {
        if (given[key] !== undefined) refuse(key, `belongs to policies of kind ${other}, and this one is ${kind}`)
      }
    }
    const preset = said.length === 0 ? BY_NAME[given.name] : undefined
    const patterns = given.patterns ?? (preset?.kind === kind ? preset.patterns : undefined)
    if (kind !== 'pii' && given[KEYS[kind][0]] === undefined && patterns === undefined) {
      refuse(KEYS[kind][0], `is missing: a policy of kind ${kind} needs it`)
    }
    if (kind === 'max_tokens' && given.action === 'redact') refuse('action', 'max_tokens can block or flag, not redact')
    return { ...given, kind, ...(patterns && { patterns }) }
  })

export const policiesFile = z
  .array(policyFile)
  .superRefine((policies, context) => {
    const groups = new Map<string, string>()
    for (const [index, { name, type, parallel_group: group }] of policies.entries()) {
      if (policies.findIndex((other) => other.name === name) !== index) {
        context.addIssue({ code: 'custom', path: [index, 'name'], message: `there are two policies '${name}'` })
      }
      if (group === undefined) continue
      if ((groups.get(group) ?? type) !== type) {
        const message = `'${group}' already holds policies of the other type`
        context.addIssue({ code: 'custom', path: [index, 'parallel_group'], message })
      }
      groups.set(group, groups.get(group) ?? type)
    }
  })
  .default([])

export type PolicySettings = z.output<typeof policiesFile>[number]

export const streamingFile = z
  .strictObject({
    chunk_buffer: bytes.prefault('4KB').refine((count) => count >= 64, 'at least 64 bytes'),
    flush_interval: timerMs.prefault('100ms'),
    on_flush: z.enum(['hold', 'release']).default('hold'),
    passthrough_chunked: z.boolean().default(true),
  })
  .prefault({})

export type StreamingSettings = z.output<typeof streamingFile>
