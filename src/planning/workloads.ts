/** Reads the workload profiles that a demand can be said in: profiles/sizing/workloads.yaml, or the user's copy of it. */
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { didYouMean } from '../parse/explain.ts'
import { readYaml } from '../parse/file.ts'
import type { Shape } from '../plan/demand.ts'
import { type MixPart, meanRequest, type WorkloadProfile } from '../plan/demand.ts'
import { packaged } from '../system/machine.ts'

const tokens = z.number().min(0)

const profileSchema = z.strictObject({
  input: z.number().positive(),
  output: tokens,
  hidden: tokens.default(0),
  streamed: z.boolean().default(true),
  input_sigma: z.number().positive().optional(),
  peak_to_mean: z.record(z.string().regex(/^\d+$/, 'a window in whole seconds'), z.number().min(1)).optional(),
  source: z.string(),
})

const workloadsSchema = z.record(z.string(), profileSchema).transform((file): WorkloadProfile[] =>
  Object.entries(file).map(([name, { input, output, hidden, streamed, input_sigma, peak_to_mean, source }]) => ({
    name,
    inputTokens: input,
    outputTokens: output,
    hiddenTokens: hidden,
    streamed,
    inputSigma: input_sigma,
    peakToMean:
      peak_to_mean &&
      Object.entries(peak_to_mean)
        .map(([windowS, factor]) => ({ windowS: Number(windowS), factor }))
        .sort((a, b) => a.windowS - b.windowS),
    source,
  })),
)

export function readWorkloads(path: string = packaged('profiles', 'sizing', 'workloads.yaml')): WorkloadProfile[] {
  return readYaml(path, workloadsSchema, 'file of workload profiles')
}

/** 'chat=70,rag=20,code-agent=10': shares of the requests, in percent or in any parts of their sum. */
export function parseMix(text: string, profiles: readonly WorkloadProfile[]): Shape {
  const next = 'Write profiles with their shares of the requests, for example --mix chat=70,rag=20,code-agent=10.'
  const parts = text.split(',').map((part) => {
    const match = /^\s*([a-z0-9-]+)\s*=\s*(\d+(?:\.\d+)?)\s*%?\s*$/i.exec(part)
    const weight = Number(match?.[2])
    if (!match?.[1] || !(weight > 0))
      throw new UserError(`--mix: '${part.trim()}' is not a profile with a share above 0`, next)
    return { name: match[1], weight }
  })
  const names = parts.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice) throw new UserError(`--mix: '${twice}' stands there twice`, next)
  const sum = parts.reduce((total, { weight }) => total + weight, 0)
  return meanRequest(
    parts.map(({ name, weight }): MixPart => ({ profile: profileNamed(name, profiles, '--mix'), share: weight / sum })),
  )
}

export function profileNamed(name: string, profiles: readonly WorkloadProfile[], flag: string): WorkloadProfile {
  const profile = profiles.find((candidate) => candidate.name === name)
  if (profile) return profile
  const known = profiles.map((candidate) => candidate.name)
  const near = didYouMean(name, known)
  throw new UserError(
    `${flag}: no workload profile '${name}'${near ? ` (did you mean '${near}'?)` : ''}`,
    `Known: ${known.join(', ')}.`,
  )
}
