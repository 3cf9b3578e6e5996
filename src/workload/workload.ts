/**
 * WHAT is sent: the requests of a run, each with its own nonce at the end of the last message. A workload is a mix of parts,
 * most often of one. Everything dear is done before the run: templates are serialised, words are laid out. Request i is drawn
 * from the seed and i alone, so it is the same in every arm and every run.
 */
import { createHash } from 'node:crypto'
import { hash32, type Random } from '../stats/random.ts'
import { type Distribution, drawTokens, meanTokens } from './distribution.ts'
import { type Filler, fillerOf } from './filler.ts'
import { nonceOf, nonceWord } from './nonce.ts'
import { promptTemplate, type Template } from './template.ts'
import { WORDS } from './words.ts'

export type Endpoint = 'chat' | 'completions' | 'embeddings'

/** Everything that decides what is sent; plain data, so that it can cross a thread. */
export interface WorkloadSpec {
  /** For the report: 'prompt', 'chat', a file's name. */
  name: string
  endpoint: Endpoint
  model: string
  /** Whether any of it is streamed. */
  stream: boolean
  seed: number
  /** At least one. */
  parts: WorkloadPart[]
}

export interface WorkloadPart {
  /** Its share of the requests, as a weight against the others. */
  weight: number
  stream: boolean
  source: TextSource
  /** How many output tokens a request asks for; undefined leaves it to the provider. */
  outputTokens?: Distribution | undefined
  /** The most that a request may ask for. */
  maxTokens?: number | undefined
}

export type TextSource =
  /** Requests given whole, sent in turn. */
  | { kind: 'given'; bodies: Template[] }
  /** Generated text of drawn length, after one of `prefixes` shared texts of `prefixTokens` tokens. */
  | { kind: 'generated'; around: Template; inputTokens: Distribution; prefixTokens: number; prefixes: number }

export interface PreparedRequest {
  nonce: string
  body: string
  stream: boolean
}

/** Makes request `index` of the arm with `tag`. The same index carries the same request in every arm, but for the nonce's tag. */
export type RequestMaker = (tag: string, index: number) => PreparedRequest

export interface PromptOptions {
  endpoint: Endpoint
  model: string
  prompt: string
  stream: boolean
  maxTokens?: number | undefined
  seed: number
}

/** The same prompt in every request. */
export function promptWorkload({ prompt, maxTokens, seed, ...shape }: PromptOptions): WorkloadSpec {
  const source: TextSource = { kind: 'given', bodies: [promptTemplate(shape, prompt)] }
  return { name: 'prompt', ...shape, seed, parts: [{ weight: 1, stream: shape.stream, source, maxTokens }] }
}

export function requestMaker(spec: WorkloadSpec): RequestMaker {
  const { seed, parts } = spec
  const filler = parts.some(({ source }) => source.kind === 'generated') ? fillerOf(seed) : undefined
  const makers = parts.map((part) => partMaker(part, seed, filler))
  const choose = chooser(parts, seed)
  return (tag, index) => {
    const nonce = nonceOf(tag, seed, index)
    const { stream, fill } = makers[choose(index)] ?? nothing()
    return { nonce, body: fill(index, nonceWord(nonce)), stream }
  }
}

/** Two runs with the same hash sent the same requests. */
export function workloadSha256({ endpoint, seed, parts }: WorkloadSpec): string {
  return createHash('sha256')
    .update(JSON.stringify([endpoint, seed, parts, WORDS]))
    .digest('hex')
}

/** An estimate for announcing a run before it starts: about 4 bytes a token where the text is given. */
export function expectedTokens({ endpoint, parts }: WorkloadSpec): { input: number; output: number } {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0)
  const mean = (of: (part: WorkloadPart) => number): number =>
    Math.ceil(parts.reduce((sum, part) => sum + (part.weight / total) * of(part), 0))
  return {
    input: mean(({ source }) => inputTokensOf(source)) + 10,
    output: endpoint === 'embeddings' ? 0 : mean(mostOutput),
  }
}

interface PartMaker {
  stream: boolean
  fill: (index: number, nonce: string) => string
}

function partMaker(part: WorkloadPart, seed: number, filler: Filler | undefined): PartMaker {
  const { stream } = part
  const end = endOf(part, seed)
  const { source } = part
  if (source.kind === 'given') {
    const { bodies } = source
    return {
      stream,
      fill: (index, nonce) => {
        const { before, after } = bodies[index % bodies.length] ?? nothing()
        return before + nonce + after + end(index)
      },
    }
  }
  const { around, inputTokens, prefixTokens, prefixes } = source
  const words = filler ?? nothing()
  const shared = Array.from({ length: prefixes }, (_, i) => words.text(prefixTokens, uniform(`${seed}/prefix/${i}`)))
  return {
    stream,
    fill: (index, nonce) => {
      const tokens = drawTokens(inputTokens, drawsOf(seed, index, 'in'))
      const text = words.text(tokens, uniform(`${seed}/${index}/at`))
      if (shared.length === 0) return `${around.before}${text} ${nonce}${around.after}${end(index)}`
      const prefix = shared[hash32(`${seed}/${index}/prefix`) % shared.length]
      return `${around.before}${prefix}${around.between}${text} ${nonce}${around.after}${end(index)}`
    },
  }
}

/** Where a wide distribution is cut: as far as current models go. */
const MOST_OUTPUT = 131_072

/** The end of a body: the output tokens it asks for, and the closing brace. */
function endOf({ outputTokens, maxTokens }: WorkloadPart, seed: number): (index: number) => string {
  if (!outputTokens) {
    const end = maxTokens === undefined ? '}' : `,"max_tokens":${maxTokens}}`
    return () => end
  }
  const most = maxTokens ?? (outputTokens.kind === 'constant' ? Number.POSITIVE_INFINITY : MOST_OUTPUT)
  return (index) => `,"max_tokens":${Math.min(most, drawTokens(outputTokens, drawsOf(seed, index, 'out')))}}`
}

/** Which part a request belongs to, by weight. */
function chooser(parts: readonly WorkloadPart[], seed: number): (index: number) => number {
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
function drawsOf(seed: number, index: number, what: string): Random {
  let drawn = 0
  return () => uniform(`${seed}/${index}/${what}/${drawn++}`)
}

function uniform(key: string): number {
  return hash32(key) / 4_294_967_296
}

function inputTokensOf(source: TextSource): number {
  if (source.kind === 'generated') return meanTokens(source.inputTokens) + source.prefixTokens
  const bytes = source.bodies.reduce((sum, { before, after }) => sum + Buffer.byteLength(before + after), 0)
  return bytes / source.bodies.length / 4
}

/** What an answer may hold where nothing limits it. */
const USUAL_OUTPUT = 256

function mostOutput({ outputTokens, maxTokens }: WorkloadPart): number {
  if (!outputTokens) return maxTokens ?? USUAL_OUTPUT
  return Math.min(maxTokens ?? Number.POSITIVE_INFINITY, meanTokens(outputTokens))
}

function nothing(): never {
  throw new Error('a workload without parts or texts')
}
