/**
 * WHAT is sent: the requests of a run, each with its own nonce at the end of the last message. A workload is a mix of
 * parts, most often of one. Everything expensive is done before the run: templates are serialised, words are laid out.
 * Request i is drawn from the seed and i alone, so it is the same in every arm and every run.
 *
 * Which category a request belongs to is known when it is made: from the endpoint, the headers it is sent with, and the
 * tokens of its prompt (exact where kt writes the text; about four bytes a token where it is given). Nothing is
 * classified after the fact, so that what is measured cannot decide how it is judged. Rules: src/slo/category.ts.
 */
import { createHash } from 'node:crypto'
import { type Category, findCategory } from '../slo/category.ts'
import { hash32, type Random } from '../stats/random.ts'
import type { ApiEndpoint } from '../wire/formats.ts'
import { buildNonce, nonceWord } from '../wire/nonce.ts'
import { promptTemplate, type RequestTemplate } from '../wire/template.ts'
import { type ConversationSpec, meanTurns } from './conversations/conversation.ts'
import { drawTokens, MAX_TOKENS, meanTokens, outputLimit, type TokenDistribution } from './distribution.ts'
import { type Filler, makeFiller, WORDS } from './filler.ts'
import {
  countGiven,
  type GivenRequests,
  givenReader,
  givenRequests,
  givenTokens,
  hashGiven,
  meanGivenOutput,
  meanGivenTokens,
} from './given.ts'

/** In a list of categories, the place of a request that belongs to none. */
export const NO_CATEGORY = -1

/** Everything that decides what is sent; plain data, so that it can cross a thread. */
export interface WorkloadSpec {
  /** For the report: 'prompt', 'chat', a file's name. */
  name: string
  endpoint: ApiEndpoint
  model: string
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
  /** Sent with the requests of this part, names in lower case. */
  headers?: Record<string, string> | undefined
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

export interface PreparedRequest {
  nonce: string
  body: string
  stream: boolean
  /** Which part of the workload it is of. */
  part: number
  /** Its place in the workload's categories; NO_CATEGORY where it has none. */
  category: number
}

export interface RequestMaker {
  /**
   * Makes request `index` of the arm with `tag`. The same index carries the same request in every arm, but for the
   * nonce's tag. Of requests that are given, `place` says which one it is; by itself they come in turn.
   */
  (tag: string, index: number, place?: number): PreparedRequest
  /** The category of request `index`, without making it. */
  categoryOf(index: number): number
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

export function requestMaker(spec: WorkloadSpec): RequestMaker {
  const { seed, parts } = spec
  const filler = parts.some(({ source }) => source.kind === 'generated') ? makeFiller(seed) : undefined
  const makers = parts.map((part) => partMaker(part, seed, filler))
  const choose = partChooser(parts, seed)
  const classifiers = parts.map((part) => requestClassifier(spec, part))
  const make = (tag: string, index: number, place?: number): PreparedRequest => {
    const nonce = buildNonce(tag, seed, index)
    const part = choose(index)
    const { stream, fill } = makers[part] ?? nothing()
    const category = classifiers[part]?.(index) ?? NO_CATEGORY
    return { nonce, body: fill(index, nonceWord(nonce), place), stream, part, category }
  }
  return Object.assign(make, {
    categoryOf: (index: number): number => classifiers[choose(index)]?.(index) ?? NO_CATEGORY,
  })
}

/** Of the requests of a part, by their index: everything that can be decided before the run is. */
function requestClassifier(spec: WorkloadSpec, part: WorkloadPart): (index: number) => number {
  if (!spec.categories?.length) return () => NO_CATEGORY
  const [only, ...others] = reachableCategories({ ...spec, parts: [part] })
  if (only !== undefined && others.length === 0) return () => only
  const classify = partClassifier(spec, part)
  const { source } = part
  if (source.kind === 'given') {
    const categories = Int16Array.from({ length: countGiven(source) }, (_, place) =>
      classify(givenTokens(source, place)),
    )
    return (index) => categories[index % categories.length] ?? NO_CATEGORY
  }
  const { inputTokens, prefixTokens } = source
  return (index) => classify(inputTokensAt(inputTokens, spec.seed, index) + prefixTokens)
}

/** How many tokens of generated text request `index` has, a shared prefix left out. */
function inputTokensAt(distribution: TokenDistribution, seed: number, index: number): number {
  return drawTokens(distribution, requestDraws(seed, index, 'in'))
}

/** Two runs with the same hash sent the same requests. */
export function workloadSha256({ endpoint, seed, parts, conversations }: WorkloadSpec): string {
  const given = parts.flatMap(({ source }) => (source.kind === 'given' ? [source] : []))
  const kinds = parts.map((part) => {
    return part.source.kind === 'given' ? { ...part, source: { kind: 'given', bodies: [BODIES] } } : part
  })
  const hash = createHash('sha256')
  // One at a time: together they may be larger than a text can be.
  JSON.stringify([endpoint, seed, kinds, WORDS, ...(conversations ? [conversations] : [])])
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
  const output = endpoint === 'embeddings' ? 0 : mean(meanOutput)
  // A request of a conversation holds, in the mean, half of the other turns too.
  const before = conversations ? (meanTurns(conversations) - 1) / 2 : 0
  return { input: input + Math.ceil(before * (input + output)), output }
}

interface PartMaker {
  stream: boolean
  fill: (index: number, nonce: string, place?: number) => string
}

function partMaker(part: WorkloadPart, seed: number, filler: Filler | undefined): PartMaker {
  const { stream } = part
  const end = bodyEnd(part, seed)
  const { source } = part
  if (source.kind === 'given') {
    const { outputs } = source
    const count = countGiven(source)
    const read = givenReader(source)
    return {
      stream,
      fill: (index, nonce, asked = index) => {
        const place = asked % count
        const [before, after] = read(place)
        return before + nonce + after + end(index, outputs?.[place])
      },
    }
  }
  const { around, inputTokens, prefixTokens, prefixes } = source
  const words = filler ?? nothing()
  const shared = Array.from({ length: prefixes }, (_, i) => words.text(prefixTokens, uniform(`${seed}/prefix/${i}`)))
  return {
    stream,
    fill: (index, nonce) => {
      const tokens = inputTokensAt(inputTokens, seed, index)
      const text = words.text(tokens, uniform(`${seed}/${index}/at`))
      if (shared.length === 0) return `${around.before}${text} ${nonce}${around.after}${end(index)}`
      const prefix = shared[hash32(`${seed}/${index}/prefix`) % shared.length]
      return `${around.before}${prefix}${around.between}${text} ${nonce}${around.after}${end(index)}`
    },
  }
}

/** The end of a body: the output tokens it asks for (its `own`, where it has some), and the closing brace. */
function bodyEnd({ outputTokens, maxTokens }: WorkloadPart, seed: number): (index: number, own?: number) => string {
  const limited = (tokens: number, most = Number.POSITIVE_INFINITY): string =>
    `,"max_tokens":${Math.min(maxTokens ?? most, tokens)}}`
  if (!outputTokens) {
    const end = maxTokens === undefined ? '}' : limited(maxTokens)
    return (_, own) => (own ? limited(own) : end)
  }
  const most = outputLimit(outputTokens)
  return (index, own) => {
    return own ? limited(own) : limited(drawTokens(outputTokens, requestDraws(seed, index, 'out')), most)
  }
}

/** Which part a request belongs to, by weight. */
function partChooser(parts: readonly WorkloadPart[], seed: number): (index: number) => number {
  if (parts.length === 1) return () => 0
  const total = parts.reduce((sum, { weight }) => sum + weight, 0)
  let reached = 0
  const bounds = parts.map(({ weight }) => {
    reached += weight
    return reached / total
  })
  return (index) => {
    const drawn = uniform(`${seed}/${index}/part`)
    const found = bounds.findIndex((bound) => drawn < bound)
    return found === -1 ? parts.length - 1 : found
  }
}

/** Uniforms that belong to one quantity of one request. */
function requestDraws(seed: number, index: number, what: string): Random {
  let drawn = 0
  return () => uniform(`${seed}/${index}/${what}/${drawn++}`)
}

function uniform(key: string): number {
  return hash32(key) / 4_294_967_296
}

function meanInput(source: TextSource): number {
  if (source.kind === 'generated') return meanTokens(source.inputTokens) + source.prefixTokens
  return meanGivenTokens(source)
}

/** What an answer may hold where nothing limits it. */
const USUAL_OUTPUT = 256

function meanOutput({ source, outputTokens, maxTokens }: WorkloadPart): number {
  const asked = outputTokens
    ? meanTokens(outputTokens, maxTokens ?? outputLimit(outputTokens))
    : (maxTokens ?? USUAL_OUTPUT)
  return source.kind === 'given' ? meanGivenOutput(source, asked, maxTokens) : asked
}

function nothing(): never {
  throw new Error('a workload without parts or texts')
}

/** The place in `spec.categories` of a prompt of so many tokens in this part. */
function partClassifier(
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
