/**
 * WHAT is sent: the requests of a run, each with its own nonce at the end of the last message. A workload is a mix of
 * parts, most often of one. src/workload/request-maker.ts makes them.
 *
 * Which category a request belongs to is known when it is made: from the endpoint, the headers it is sent with, and the
 * tokens of its prompt (exact where kt writes the text; about four bytes a token where it is given). Nothing is
 * classified after the fact, so that what is measured cannot decide how it is judged. Rules: src/slo/category.ts.
 */
import { createHash } from 'node:crypto'
import { type Category, findCategory } from '../slo/category.ts'
import { MAX_TOKENS_FIELDS, type MaxTokensField } from '../wire/body-changes.ts'
import { type ApiEndpoint, endpointOf } from '../wire/endpoints.ts'
import { promptTemplate, type RequestTemplate } from '../wire/template.ts'
import { type ConversationSpec, meanTurns } from './conversations/conversation.ts'
import { MAX_TOKENS, meanTokens, outputLimit, type TokenDistribution } from './distribution.ts'
import { WORDS } from './filler.ts'
import {
  countGiven,
  type GivenRequests,
  givenRequests,
  givenTokens,
  hashGiven,
  meanGivenOutput,
  meanGivenTokens,
} from './given.ts'
import type { Repeats } from './repeats.ts'
import type { TraceTotals } from './traces/feed.ts'
import type { TraceRing } from './traces/ring.ts'

/** In a list of categories, the place of a request that belongs to none. */
export const NO_CATEGORY = -1

export interface ModelShare {
  name: string
  /** Against those of the other models. */
  weight: number
}

/** Everything that decides what is sent; plain data, so that it can cross a thread. */
export interface WorkloadSpec {
  /** For the report: 'prompt', 'chat', a file's name. */
  name: string
  endpoint: ApiEndpoint
  /** The requests are written as chat's, and translated for the endpoint when they are sent. */
  asChat?: boolean | undefined
  model: string
  /** Where there are several: `model` names them all, and each has parts of its own. */
  models?: readonly ModelShare[] | undefined
  /** Whether any of it is streamed. */
  stream: boolean
  seed: number
  /** At least one. */
  parts: WorkloadPart[]
  /** What is to be said of it before it is sent. */
  notes?: readonly string[] | undefined
  /** Set where requests are told apart by category; no part of what is sent. */
  categories?: readonly Category[] | undefined
  /** Those that every request is sent with, names in lower case: a category may ask for one. */
  headers?: Readonly<Record<string, string>> | undefined
  /** What output tokens are asked for with; `max_tokens`, until a target has refused it, where nobody says. */
  maxTokensField?: MaxTokensField | undefined
  /** False where no nonce ends the prompts. */
  nonce?: boolean | undefined
  /** Set where requests repeat others, for a cache to answer. */
  repeats?: Repeats | undefined
  /** Set where each request begins a conversation, or goes on with one. */
  conversations?: ConversationSpec | undefined
}

export interface WorkloadPart {
  /** Its share of the requests, as a weight against the others. */
  weight: number
  stream: boolean
  source: TextSource
  /** How many output tokens a request asks for; undefined leaves it to the provider. */
  outputTokens?: TokenDistribution | undefined
  /** The most that a request may ask for. */
  maxTokens?: number | undefined
  /** Asked for where nothing else says how many, of an API that refuses a request without a limit. */
  usualTokens?: number | undefined
  /** Sent with the requests of this part, names in lower case. */
  headers?: Record<string, string> | undefined
  /** Its place among the workload's models, where there are several. */
  model?: number | undefined
}

export type TextSource =
  /** Sent in turn. */
  | GivenRequests
  /** Generated text of drawn length, after one of `prefixes` shared texts of `prefixTokens` tokens. */
  | {
      kind: 'generated'
      around: RequestTemplate
      inputTokens: TokenDistribution
      prefixTokens: number
      prefixes: number
    }
  /** Generated text of the lengths of a trace's rows. `totals` and `sha256` are known once the trace was read. */
  | {
      kind: 'trace'
      around: RequestTemplate
      ring: TraceRing
      totals?: TraceTotals | undefined
      sha256?: string | undefined
    }

export type TraceSource = Extract<TextSource, { kind: 'trace' }>

/** The trace that is replayed, if one is: it is the only part then. */
export function traceOf({ parts }: WorkloadSpec): TraceSource | undefined {
  const source = parts[0]?.source
  return source?.kind === 'trace' ? source : undefined
}

interface PromptOptions {
  endpoint: ApiEndpoint
  model: string
  prompt: string
  stream: boolean
  maxTokens?: number | undefined
  seed: number
}

/** The requests that begin the conversations of a workload, each by itself. */
export function singleRequests(spec: WorkloadSpec): WorkloadSpec {
  return spec.conversations ? { ...spec, conversations: undefined } : spec
}

/** The same prompt in every request. */
export function promptWorkload({ prompt, maxTokens, seed, ...shape }: PromptOptions): WorkloadSpec {
  const source = givenRequests([promptTemplate(shape, prompt)])
  return { name: 'prompt', ...shape, seed, parts: [{ weight: 1, stream: shape.stream, source, maxTokens }] }
}

/** Two runs with the same hash sent the same requests. */
export function workloadSha256({ endpoint, seed, parts, conversations, ...rest }: WorkloadSpec): string {
  const { maxTokensField, nonce, repeats } = rest
  const unusual = {
    ...(maxTokensField === MAX_TOKENS_FIELDS[1] && { maxTokensField }),
    ...(nonce === false && { nonce }),
    ...(repeats && { repeats }),
  }
  const more = [...(conversations ? [conversations] : []), ...(Object.keys(unusual).length > 0 ? [unusual] : [])]
  const given = parts.flatMap(({ source }) => (source.kind === 'given' ? [source] : []))
  const kinds = parts.map((part) => {
    return part.source.kind === 'given' ? { ...part, source: { kind: 'given', bodies: [BODIES] } } : part
  })
  const hash = createHash('sha256')
  // One at a time: together they may be larger than a text can be.
  JSON.stringify([endpoint, seed, kinds, WORDS, ...more])
    .split(JSON.stringify(BODIES))
    .forEach((piece, i) => {
      hash.update(piece)
      const source = given[i]
      if (source) hashGiven(hash, source)
    })
  return hash.digest('hex')
}

/** Stands for the requests of a part; no text of a workload has this character unescaped. */
const BODIES = '\0'

/** An estimate for announcing a run before it starts: about 4 bytes a token where the text is given. */
export function expectedTokens({ endpoint, parts, conversations }: WorkloadSpec): { input: number; output: number } {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0)
  const mean = (of: (part: WorkloadPart) => number): number =>
    Math.ceil(parts.reduce((sum, part) => sum + (part.weight / total) * of(part), 0))
  const input = mean(({ source }) => meanInput(source)) + 10
  const output = endpointOf(endpoint).limit === undefined ? 0 : mean(meanOutput)
  // A request of a conversation holds, in the mean, half of the other turns too.
  const before = conversations ? (meanTurns(conversations) - 1) / 2 : 0
  return { input: input + Math.ceil(before * (input + output)), output }
}

function meanInput(source: TextSource): number {
  if (source.kind === 'generated') return meanTokens(source.inputTokens) + source.prefixTokens
  if (source.kind === 'trace') return source.totals ? source.totals.inputTokens / source.totals.rows : 0
  return meanGivenTokens(source)
}

/** What an answer may hold where nothing limits it. */
const USUAL_OUTPUT = 256

function meanOutput({ source, outputTokens, maxTokens, usualTokens = USUAL_OUTPUT }: WorkloadPart): number {
  if (source.kind === 'trace') return source.totals ? source.totals.outputTokens / source.totals.rows : 0
  const asked = outputTokens
    ? meanTokens(outputTokens, maxTokens ?? outputLimit(outputTokens))
    : (maxTokens ?? usualTokens)
  return source.kind === 'given' ? meanGivenOutput(source, asked, maxTokens) : asked
}

/** Whether some of the requests ask for a number of output tokens. */
export function asksForTokens({ parts }: WorkloadSpec): boolean {
  return parts.some(
    ({ source, outputTokens, maxTokens, usualTokens }) =>
      outputTokens !== undefined ||
      (maxTokens ?? usualTokens) !== undefined ||
      source.kind === 'trace' ||
      (source.kind === 'given' && source.outputs !== undefined),
  )
}

/** The place in `spec.categories` of a prompt of so many tokens in this part. */
export function partClassifier(
  { endpoint, categories = [], headers = {} }: WorkloadSpec,
  part: WorkloadPart,
): (promptTokens: number) => number {
  const all = { ...headers, ...part.headers }
  return (promptTokens) => {
    const found = findCategory({ endpoint, promptTokens, headers: all }, categories)
    return found ? categories.indexOf(found) : NO_CATEGORY
  }
}

/** The categories that requests of this workload can belong to, as places in its list. */
export function reachableCategories(spec: WorkloadSpec): Set<number> {
  const bounds = (spec.categories ?? []).flatMap(({ match }) => [match?.minPromptTokens, match?.maxPromptTokens])
  const edges = bounds.flatMap((edge) => (edge === undefined ? [] : [edge - 1, edge, edge + 1]))
  const reached = spec.parts.flatMap((part) => {
    const { source } = part
    const tokens =
      source.kind === 'given'
        ? new Set(Array.from({ length: countGiven(source) }, (_, place) => givenTokens(source, place)))
        : source.kind === 'trace'
          ? edges.concat(1, MAX_TOKENS).filter((tokens) => tokens >= 1)
          : reachableTokens(source.inputTokens, edges, source.prefixTokens)
    return [...tokens].map(partClassifier(spec, part))
  })
  return new Set(reached)
}

/** Of the numbers of tokens that may be drawn, one on each side of every edge. */
function reachableTokens(distribution: TokenDistribution, edges: readonly number[], prefixTokens: number): number[] {
  const [min, max] = tokenSupport(distribution)
  const own = [min, max, ...edges.map((edge) => edge - prefixTokens)]
  return own.filter((tokens) => tokens >= min && tokens <= max).map((tokens) => tokens + prefixTokens)
}

function tokenSupport(distribution: TokenDistribution): [number, number] {
  switch (distribution.kind) {
    case 'constant':
      return [distribution.value, distribution.value]
    case 'uniform':
      return [distribution.min, distribution.max]
    case 'normal':
      return distribution.sd === 0 ? [distribution.mean, distribution.mean] : [1, MAX_TOKENS]
    case 'lognormal':
      return [1, MAX_TOKENS]
    default:
      return distribution satisfies never
  }
}
