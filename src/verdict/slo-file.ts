/**
 * SLO files (profiles/slo.yaml or a user's own): categories of requests with their objectives; and `kt slo check`,
 * from the name of a report to its judgement by them.
 */

import { z } from 'zod'
import { EXIT, type ExitCode, exitOf, failure, type Inconclusive, success, UserError } from '../errors.ts'
import { readYaml } from '../parse/file.ts'
import { type FlagValues, flagGroup, former } from '../parse/flags.ts'
import { didYouMean } from '../parse/near.ts'
import { rulesOf } from '../parse/parse-flags.ts'
import { countOrZero, durationMs, parsedBy } from '../parse/quantity.ts'
import { readRun } from '../report/read.ts'
import type { Gate, Run, SloResult } from '../report/schema.ts'
import { SLO_SCHEMA, type SloJudgement } from '../report/slo-schema.ts'
import type { Category, Targets } from '../slo/category.ts'
import { packaged } from '../system/machine.ts'
import { fileNamed } from '../system/shipped.ts'
import { ENDPOINTS } from '../wire/endpoints.ts'
import { toGate } from './checks.ts'
import { estimateNoise } from './noise.ts'
import { type CategoryRun, categoryOfRun, categoryRun, judgeSlos, uncategorised, wholeRun } from './slo.ts'

const share = parsedBy((text) => {
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim())?.[1]
  const value = Number(percent) / 100
  return value > 0 && value < 1
    ? success(Number(value.toFixed(9)))
    : failure(`'${text}' is not a share between 0 and 100 %, such as '99.9%'`)
})

const targets = { p50: durationMs.optional(), p99: durationMs.optional() }

const categorySchema = z
  .strictObject({
    match: z
      .strictObject({
        endpoint: z.enum(ENDPOINTS).optional(),
        min_prompt_tokens: countOrZero.optional(),
        max_prompt_tokens: countOrZero.optional(),
        header: z.record(z.string().toLowerCase(), z.string()).optional(),
      })
      .optional(),
    ...targets,
    ttft: z.strictObject(targets).optional(),
    timeout: durationMs,
    objective: share.optional(),
  })
  .refine(({ p50 = 0, p99 = Number.POSITIVE_INFINITY }) => p50 <= p99, 'p50 is above p99')
  .refine(({ p50 = 0, p99 = 0, timeout }) => Math.max(p50, p99) <= timeout, 'a target is above the timeout')

const sloSchema = z.strictObject({
  categories: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'a name has lower-case letters, digits and dashes'), categorySchema)
    .refine((categories) => Object.keys(categories).length > 0, 'expected at least one category'),
})

const DEFAULT_OBJECTIVE = 0.99

/** The categories in the order of the file: the first that matches a request wins. */
export function readSlo(path: string = packaged('profiles', 'slo.yaml')): Category[] {
  const { categories } = readYaml(fileNamed(path), sloSchema, 'SLO file')
  return Object.entries(categories).map(([name, { match, p50, p99, ttft, timeout, objective }]) => ({
    name,
    latency: toTargets(p50, p99),
    ttft: toTargets(ttft?.p50, ttft?.p99),
    timeoutMs: timeout,
    objective: objective ?? DEFAULT_OBJECTIVE,
    match: match
      ? {
          ...(match.endpoint === undefined ? {} : { endpoint: match.endpoint }),
          ...(match.min_prompt_tokens === undefined ? {} : { minPromptTokens: match.min_prompt_tokens }),
          ...(match.max_prompt_tokens === undefined ? {} : { maxPromptTokens: match.max_prompt_tokens }),
          ...(match.header === undefined ? {} : { header: match.header }),
        }
      : null,
  }))
}

/** The flags that choose the SLO of a run, as the user gave them. */
interface GivenSlo {
  slo?: string | undefined
  'slo-file'?: string | undefined
}

/** `--slo` names a category, or a file, whose categories are then found by their rules. */
export function chooseSlo({ slo, 'slo-file': file }: GivenSlo): {
  category: string | undefined
  file: string | undefined
} {
  return slo !== undefined && isFile(slo) ? { category: undefined, file: slo } : { category: slo, file }
}

export function namesTwoSloFiles({ slo, 'slo-file': file }: GivenSlo) {
  return (
    slo !== undefined &&
    isFile(slo) &&
    file !== undefined &&
    failure('--slo and --slo-file name two files', 'Give a category to --slo, such as chat-short.')
  )
}

function isFile(name: string): boolean {
  return /[/\\]|\.ya?ml$/.test(name)
}

/** The category called `name`, or a UserError that lists the known ones. `given` says where the name is from. */
export function namedCategory(categories: readonly Category[], name: string, given: string): Category {
  const found = categories.find((category) => category.name === name)
  if (found) return found
  const names = categories.map((category) => category.name)
  const near = didYouMean(name, names)
  throw new UserError(
    `${given}: there is no category '${name}'${near ? ` (did you mean '${near}'?)` : ''}`,
    `Known categories: ${names.join(', ')}. Put your own into a file: --slo-file file.yaml.`,
  )
}

function toTargets(p50: number | undefined, p99: number | undefined): Targets {
  return { ...(p50 === undefined ? {} : { p50Ms: p50 }), ...(p99 === undefined ? {} : { p99Ms: p99 }) }
}

export type { SloJudgement }

const { text, toggle } = flagGroup()

export const sloFlags = {
  slo: text(z.string().optional(), 'category of the requests, such as chat-short [default: by their rules]', {
    helpValue: 'chat-short',
  }),
  'slo-file': text(z.string().optional(), 'file of SLO categories [default: slo, as kt profiles show slo prints it]', {
    helpValue: 'file.yaml',
  }),
  category: former(text(z.string().optional(), 'category of the requests: --slo')),
  json: toggle('print the judgement as JSON (kt.slo/1)'),
  explain: toggle('also show the checks of every category, and the noise of the rig'),
}

const rule = rulesOf<FlagValues<typeof sloFlags>>()

export const SLO_RULES = [
  rule(['slo', 'slo-file'], namesTwoSloFiles),
  rule(
    ['slo', 'category'],
    ({ slo, category }) =>
      slo !== undefined &&
      category !== undefined &&
      chooseSlo({ slo }).category !== undefined &&
      failure('--slo and --category both name the category', 'Leave --category out.'),
  ),
]

export function checkSlo(file: string, name?: string, sloPath?: string): SloJudgement {
  const categories = readSlo(sloPath)
  const named = name === undefined ? undefined : namedCategory(categories, name, '--slo')
  const report = readRun(file)
  const runs = categoryRuns(report, categories, named, file)
  const slo = judgeSlos(runs)
  const split = runs.some((run) => run.report !== report)
  return {
    schema: SLO_SCHEMA,
    file,
    startedAt: report.startedAt,
    categoryBy: split ? 'request' : named ? 'name' : 'match',
    requests: report.totals.sent,
    uncategorised: split && !named ? uncategorised(report) : 0,
    verdict: sloGate(slo).verdict,
    slo,
    noise: report.noise ?? estimateNoise(report, 'halves') ?? null,
  }
}

/** All checks of all categories. With several categories each check names its own. */
export function sloGate(slo: readonly SloResult[]): Gate {
  const alone = slo.length === 1
  return toGate(
    slo.flatMap(({ category, checks }) =>
      checks.map((check) => (alone ? check : { ...check, why: `${category}: ${check.why}` })),
    ),
  )
}

/** A run without a single answer never passes. */
export function exitOfSlo({ slo, verdict }: SloJudgement, inconclusive?: Inconclusive): ExitCode {
  return exitOf(verdict, slo.some(({ goodput }) => goodput !== null) ? inconclusive : 'fail')
}

/**
 * A mixed run is judged by the categories of its requests, any other run by the category that is named or that
 * matches the whole run.
 */
function categoryRuns(
  report: Run,
  categories: readonly Category[],
  named: Category | undefined,
  file: string,
): CategoryRun[] {
  if (named) return [categoryRun(report, named) ?? wholeRun(report, named)]
  const recorded = report.categories ?? []
  if (recorded.length > 0) {
    return recorded.flatMap(({ name }) => categoryRun(report, namedCategory(categories, name, file)) ?? [])
  }
  const category = categoryOfRun(report, categories)
  if (category) return [wholeRun(report, category)]
  throw new UserError(
    `${file}: no category matches these requests: their prompts' tokens were not counted, or no rule fits`,
    `Name one: --slo ${categories.map((known) => known.name).join(' | ')}`,
    EXIT.usage,
  )
}
