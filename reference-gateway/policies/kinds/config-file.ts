/**
 * The keys `policies` and `gateway.streaming` of the config file. The kind of a policy follows from its own keys
 * (`patterns` means regex), or from `kind`, or, for the two policies of the guide's example, which have neither, from
 * its name.
 */
import { z } from 'zod'
import { bytes, timerMs } from '../../../src/parse/quantity.ts'
import { COMMON_KEYS, type PolicyKind } from '../policy/policy.ts'
import { ALL_KINDS, type KindName, type PolicySettings } from './kinds.ts'

/** What the guide's example leaves out. */
const BY_NAME: Readonly<Record<string, { kind: KindName } & Readonly<Record<string, unknown>>>> = {
  'pii-redaction': { kind: 'pii' },
  // Private keys, which no response should ever hold.
  'content-filter': { kind: 'regex', patterns: ['-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----'] },
}

/** The keys of all kinds, each of which only some policies have. */
const ownKeys: Record<string, z.ZodOptional> = {}
for (const { schema } of ALL_KINDS) {
  for (const [key, value] of Object.entries(schema.shape)) ownKeys[key] = z.optional(value)
}

const policyFile = z
  .strictObject({ ...COMMON_KEYS, kind: z.enum(ALL_KINDS.map(({ name }) => name)).optional(), ...ownKeys })
  .transform((given, context): PolicySettings => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
    const values: Readonly<Record<string, unknown>> = given
    const said = ALL_KINDS.find((kind) => values[firstKey(kind)] !== undefined)
    const preset = said ? undefined : BY_NAME[given.name]
    const name = given.kind ?? said?.name ?? preset?.kind
    const kind = ALL_KINDS.find((one) => one.name === name)
    if (!kind) {
      const keys = ALL_KINDS.map((one) => `${firstKey(one)} (${one.name})`).join(', ')
      const byName = ALL_KINDS.filter((one) => one.schema.shape[firstKey(one)]?.isOptional())
      const names = byName.map((one) => `, or kind: ${one.name}`).join('')
      refuse('kind', `says nothing about what to look for: give one of ${keys}${names}`)
      return z.NEVER
    }
    const isPreset = preset?.kind === kind.name
    const settings: typeof values = { ...(isPreset && preset), ...values, kind: kind.name }
    for (const other of ALL_KINDS) {
      if (other === kind) continue
      for (const key of Object.keys(other.schema.shape)) {
        if (values[key] !== undefined)
          refuse(key, `belongs to policies of kind ${other.name}, and this one is ${kind.name}`)
      }
    }
    for (const [key, value] of Object.entries(kind.schema.shape)) {
      if (settings[key] === undefined && !value.isOptional())
        refuse(key, `is missing: a policy of kind ${kind.name} needs it`)
    }
    if (kind.actions && !kind.actions.includes(given.action)) {
      refuse('action', `${kind.name} can ${kind.actions.join(' or ')}, not ${given.action}`)
    }
    // Each key was parsed by its own schema, and none is missing: that is what the type says.
    return settings as PolicySettings
  })

function firstKey({ schema }: PolicyKind): string {
  return Object.keys(schema.shape)[0] ?? ''
}

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

export const streamingFile = z
  .strictObject({
    chunk_buffer: bytes.prefault('4KB').refine((count) => count >= 64, 'at least 64 bytes'),
    flush_interval: timerMs.prefault('100ms'),
    on_flush: z.enum(['release', 'hold']).default('release'),
    passthrough_chunked: z.boolean().default(true),
  })
  .prefault({})

export type StreamingSettings = z.output<typeof streamingFile>
