/**
 * Reads the kinds of requests that a demand can be said in: profiles/sizing/workloads.yaml, or the user's copy of it. A
 * kind says its mean tokens, or it names a workload: then a plan counts with the mean tokens of what `kt bench
 * --workload` draws.
 */
import { dirname } from 'node:path'
import { z } from 'zod'
import { failure, type Result, success, UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { didYouMean } from '../parse/near.ts'
import { averageRequests, type MeanRequest, type MixPart, type RequestKind } from '../plan/demand.ts'
import { packaged } from '../system/machine.ts'
import { fileNamed } from '../system/shipped.ts'
import { formatCount } from '../units.ts'
import { endpointOf } from '../wire/endpoints.ts'
import { meanTokensOfPart, readWorkloadProfile } from '../workload/profile.ts'

const tokens = z.number().min(0)

const kindSchema = z
  .strictObject({
    workload: z.string().optional(),
    input: z.number().positive().optional(),
    output: tokens.optional(),
    hidden: tokens.default(0),
    streamed: z.boolean().optional(),
    input_sigma: z.number().positive().optional(),
    peak_to_mean: z.record(z.string().regex(/^\d+$/, 'a window in whole seconds'), z.number().min(1)).optional(),
    source: z.string().optional(),
  })
  .superRefine((kind, context) => {
    const refuse = (key: string, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
    if (kind.workload === undefined) {
      for (const key of ['input', 'output', 'source'] as const) {
        if (kind[key] === undefined)
          refuse(key, 'is missing: say the tokens and where they are from, or name a workload')
      }
      return
    }
    for (const key of ['input', 'output', 'streamed', 'input_sigma', 'source'] as const) {
      if (kind[key] !== undefined) refuse(key, `the workload ${kind.workload} says it: leave it out here`)
    }
  })

type KindEntry = z.infer<typeof kindSchema>

/** Of one file. */
export interface RequestKinds {
  names: string[]
  /** The first of them whose bursts were recorded. */
  recorded: RequestKind['peakToMean']
  /** `flag` named it: an unknown name is refused. */
  named(name: string, flag: string): RequestKind
  all(): RequestKind[]
}

/** A kind that ships with kt is read where it is asked for, since each names a file; a user's file is read whole. */
export function readRequestKinds(path?: string): RequestKinds {
  const source = path === undefined ? packaged('profiles', 'sizing', 'workloads.yaml') : fileNamed(path)
  const entries = readYaml(source, z.record(z.string(), kindSchema), 'file of workload profiles')
  const names = Object.keys(entries)
  const recorded = Object.entries(entries).find(([, { peak_to_mean }]) => peak_to_mean)
  const kinds: RequestKinds = {
    names,
    recorded: recorded && peakToMean(...recorded),
    named(name, flag) {
      const entry = entries[name]
      if (entry) return readKind(name, entry, source)
      const near = didYouMean(name, names)
      throw new UserError(
        `${flag}: no workload profile '${name}'${near ? ` (did you mean '${near}'?)` : ''}`,
        `Known: ${names.join(', ')}.`,
      )
    },
    all: () => Object.entries(entries).map(([name, entry]) => readKind(name, entry, source)),
  }
  if (path !== undefined) kinds.all()
  return kinds
}

function readKind(name: string, entry: KindEntry, path: string): RequestKind {
  const { workload, hidden } = entry
  return {
    name,
    ...(workload === undefined ? ownTokens(entry) : tokensOfWorkload(workload, name, hidden, path)),
    hiddenTokens: hidden,
    peakToMean: peakToMean(name, entry),
  }
}

function peakToMean(of: string, { peak_to_mean: factors }: KindEntry): RequestKind['peakToMean'] {
  const byWindow = Object.entries(factors ?? {}).map(([windowS, factor]) => ({ windowS: Number(windowS), factor }))
  return factors && { of, byWindow: byWindow.sort((a, b) => a.windowS - b.windowS) }
}

type Tokens = Pick<RequestKind, 'inputTokens' | 'outputTokens' | 'streamed' | 'inputSigma' | 'source'>

function ownTokens({ input = 0, output = 0, streamed = true, input_sigma, source = '' }: KindEntry): Tokens {
  return { inputTokens: input, outputTokens: output, streamed, inputSigma: input_sigma, source }
}

/** What `kt bench --workload` sends of this workload, in the mean. */
function tokensOfWorkload(workload: string, name: string, hidden: number, path: string): Tokens {
  const { parts, endpoint, source } = readWorkloadProfile(workload, dirname(path))
  const [part, ...others] = parts
  if (!part || others.length > 0) {
    throw new UserError(`${path}: ${name}: ${workload} is a mix`, 'Plan a mix with --mix, of the profiles in it.')
  }
  const { input, output = endpointOf(endpoint).limit === undefined ? 0 : undefined } = meanTokensOfPart(part)
  if (output === undefined) {
    throw new UserError(
      `${path}: ${name}: the workload ${workload} does not say how long its answers are`,
      'Give it output_tokens.',
    )
  }
  if (hidden > output) {
    throw new UserError(
      `${path}: ${name}: ${hidden} hidden tokens are more than the ${Math.round(output)} output tokens of ${workload}`,
      'Hidden tokens are a part of the output: correct one of them.',
    )
  }
  return {
    inputTokens: input,
    outputTokens: output - hidden,
    streamed: part.stream,
    inputSigma: part.inputTokens.kind === 'lognormal' ? part.inputTokens.sigma : undefined,
    source,
  }
}

/** A profile's name and its part of the requests. */
export interface MixShare {
  name: string
  weight: number
}

/** Apart from what rounding leaves. */
function isSumOf(sum: number, whole: number): boolean {
  return Math.abs(sum - whole) <= whole / 200
}

/** 'chat=70,rag=20,code-agent=10': shares of the requests, that add up to 100 or to 1. */
export function parseMixParts(text: string): Result<MixShare[]> {
  const next = 'Write profiles with their shares of the requests, for example --mix chat=70,rag=20,code-agent=10.'
  const parts: MixShare[] = []
  let percent = 0
  for (const part of text.split(',')) {
    const match = /^\s*([a-z0-9-]+)\s*=\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/i.exec(part)
    const [name, weight] = [match?.[1], Number(match?.[2])]
    if (match?.[3] === '%') percent++
    if (name === undefined || !(weight > 0))
      return failure(`'${part.trim()}' is not a profile with a share above 0`, next)
    if (parts.some((other) => other.name === name)) return failure(`'${name}' stands there twice`, next)
    parts.push({ name, weight })
  }
  if (percent > 0 && percent < parts.length) return failure('some of the shares are percentages and some are not', next)
  const sum = parts.reduce((total, { weight }) => total + weight, 0)
  if (isSumOf(sum, 100) || (percent === 0 && isSumOf(sum, 1))) return success(parts)
  return failure(`the shares add up to ${formatCount(sum)}${percent > 0 ? ' %' : ''}`, 'Let them add up to 100.')
}

/** The mean request of a mix of the kinds that it names. */
export function averageMix(mix: readonly MixShare[], kinds: RequestKinds): MeanRequest {
  const sum = mix.reduce((total, { weight }) => total + weight, 0)
  return averageRequests(
    mix.map(({ name, weight }): MixPart => ({ kind: kinds.named(name, '--mix'), share: weight / sum })),
  )
}
