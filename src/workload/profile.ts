/**
 * Workload profiles: profiles/workloads/<name>.yaml, or the user's copy of one. A profile says where requests go,
 * whether they are streamed and how long they are; a mix names profiles with weights.
 */

import { readdirSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { didYouMean } from '../parse/near.ts'
import { packaged } from '../system/machine.ts'
import { type ApiEndpoint, ENDPOINTS, endpointOf } from '../wire/endpoints.ts'
import { meanTokens, outputLimit, type TokenDistribution } from './distribution.ts'
import { tokenDistribution } from './token-counts.ts'

export interface WorkloadProfile {
  name: string
  /** Where its figures come from. */
  source: string
  endpoint: ApiEndpoint
  parts: ProfilePart[]
}

interface ProfilePart {
  weight: number
  stream: boolean
  inputTokens: TokenDistribution
  outputTokens: TokenDistribution | undefined
  sharedPrefix: { tokens: number; count: number } | undefined
  headers: Record<string, string> | undefined
}

const MAX_PREFIX_TOKENS = 2_000_000

/** All prefixes are kept in memory. */
const prefixSchema = z
  .strictObject({ tokens: z.int().min(1), count: z.int().min(1).default(1) })
  .refine(fitsInMemory, 'tokens x count must be at most 2,000,000')

const oneSchema = z
  .strictObject({
    about: z.string(),
    source: z.string(),
    endpoint: z.enum(ENDPOINTS).exclude(['raw']).default('chat'),
    stream: z.boolean().default(false),
    input_tokens: tokenDistribution,
    output_tokens: tokenDistribution.optional(),
    shared_prefix: prefixSchema.optional(),
    headers: z
      .record(
        z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'a header is named in lower case'),
        z.string().regex(/^[\x20-\x7e]+$/),
      )
      .optional(),
  })
  .superRefine(({ endpoint, stream, output_tokens }, { addIssue }) => {
    const { streams, limit } = endpointOf(endpoint)
    if (stream && !streams) addIssue(`answers of ${endpoint} are never streamed`)
    if (output_tokens && !limit) addIssue(`answers of ${endpoint} have no output tokens`)
  })

const mixSchema = z.strictObject({
  about: z.string(),
  source: z.string(),
  mix: z.array(z.strictObject({ workload: z.string(), weight: z.number().positive() })).min(1),
})

type One = z.infer<typeof oneSchema>

/** The profile that `given` names: one that ships with kt, or a YAML file beside `folder`. */
export function readWorkloadProfile(given: string, folder = process.cwd()): WorkloadProfile {
  const path = findWorkload(given, folder)
  const name = /\.ya?ml$/.test(given) || given.includes('/') ? basename(given) : given
  if (!holdsMix(path)) {
    const one = readYaml(path, oneSchema, 'workload profile')
    return { name, source: one.source, endpoint: one.endpoint, parts: [toPart(one, 1)] }
  }
  const { mix, source } = readYaml(path, mixSchema, 'workload mix')
  const entries = mix.map(({ workload, weight }) => {
    const entry = findWorkload(workload, dirname(path))
    if (holdsMix(entry)) {
      throw new UserError(`${path}: ${workload} is a mix itself`, 'Name the profiles that it is made of instead.')
    }
    return { workload, weight, one: readYaml(entry, oneSchema, 'workload profile') }
  })
  const endpoint = entries[0]?.one.endpoint ?? 'chat'
  const other = entries.find(({ one }) => one.endpoint !== endpoint)
  if (other) {
    throw new UserError(
      `${path}: ${other.workload} goes to the ${other.one.endpoint} endpoint, ${entries[0]?.workload} to ${endpoint}`,
      'A run has one endpoint: bench the others in runs of their own.',
    )
  }
  return { name, source, endpoint, parts: entries.map(({ one, weight }) => toPart(one, weight)) }
}

/** The names that ship with kt. */
export function workloadNames(): string[] {
  return readdirSync(packaged('profiles', 'workloads'))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort()
}

/** Mean tokens of the requests that this part of a profile draws, its shared prefix counted as input. */
export function meanTokensOfPart({ inputTokens, outputTokens, sharedPrefix }: ProfilePart): {
  input: number
  output: number | undefined
} {
  return {
    input: meanTokens(inputTokens) + (sharedPrefix?.tokens ?? 0),
    output: outputTokens && meanTokens(outputTokens, outputLimit(outputTokens)),
  }
}

function toPart({ stream, input_tokens, output_tokens, shared_prefix, headers }: One, weight: number): ProfilePart {
  return {
    weight,
    stream,
    inputTokens: input_tokens,
    outputTokens: output_tokens,
    sharedPrefix: shared_prefix,
    headers,
  }
}

/** A name, or a file beside `folder`. */
function findWorkload(given: string, folder: string): string {
  if (/\.ya?ml$/.test(given) || given.includes('/')) return resolve(folder, given)
  const names = workloadNames()
  if (names.includes(given)) return packaged('profiles', 'workloads', `${given}.yaml`)
  const near = didYouMean(given, names)
  throw new UserError(
    `there is no workload '${given}'${near ? ` (did you mean '${near}'?)` : ''}`,
    `Known: ${names.join(', ')}. A file of your own ends in .yaml.`,
  )
}

function holdsMix(path: string): boolean {
  return 'mix' in readYaml(path, z.looseObject({}), 'workload profile')
}

function fitsInMemory({ tokens, count }: { tokens: number; count: number }): boolean {
  return tokens * count <= MAX_PREFIX_TOKENS
}
