/**
 * The requests of a workload, made one by one. Everything expensive is done before the run: templates are serialised,
 * words are laid out. Request i is drawn from the seed and i alone, so it is the same in every arm and every run.
 */
import { hash32, type Random } from '../stats/random.ts'
import { marked } from '../wire/body-changes.ts'
import { limitWriter } from '../wire/endpoints.ts'
import { buildNonce, nonceWord } from '../wire/nonce.ts'
import { chatTranslator } from '../wire/template.ts'
import { drawTokens, MAX_TOKENS, outputLimit, type TokenDistribution } from './distribution.ts'
import { type Filler, makeFiller } from './filler.ts'
import { countGiven, type GivenRequests, givenReader, givenTokens } from './given.ts'
import { repeatOf } from './repeats.ts'
import { RingRows } from './traces/ring.ts'
import { traceText } from './traces/text.ts'
import {
  NO_CATEGORY,
  partClassifier,
  reachableCategories,
  type TraceSource,
  type WorkloadPart,
  type WorkloadSpec,
} from './workload.ts'
export interface PreparedRequest {
  nonce: string
  body: string
  stream: boolean
  /** Which part of the workload it is of. */
  part: number
  /** Its place in the workload's categories; NO_CATEGORY where it has none. */
  category: number
  /** It was sent before, nonce and all, so that a cache may answer it. */
  repeats: boolean
}

export interface RequestMaker {
  /**
   * Makes request `index` of the arm with `tag`. The same index carries the same request in every arm, but for the
   * nonce's tag. Of requests that are given, `place` says which one it is; by itself they come in turn.
   */
  (tag: string, index: number, place?: number): PreparedRequest
  /** The category of request `index`, and its model's place where there are several, without making it. */
  classOf(index: number): { category: number; model: number | undefined }
}

/** With `asChat`, bodies that are translated when they are sent stay as they are. */
export function requestMaker(spec: WorkloadSpec, asChat = false): RequestMaker {
  const { seed, parts, nonce: hasNonce = true, repeats } = spec
  const filler = parts.some(({ source }) => source.kind !== 'given') ? makeFiller(seed) : undefined
  const makers = parts.map((part) => partMaker(part, spec, filler))
  const translate = spec.asChat && !asChat ? chatTranslator(spec.endpoint) : undefined
  const choose = partChooser(parts, seed)
  const classifiers = parts.map((part) => requestClassifier(spec, part))
  const make = (tag: string, asked: number, place?: number): PreparedRequest => {
    const repeated = repeats && repeatOf(repeats, seed, asked)
    const index = repeated ?? asked
    const nonce = buildNonce(tag, seed, index)
    const part = choose(index)
    const { stream, fill } = makers[part] ?? nothing()
    const category = classifiers[part]?.(index) ?? NO_CATEGORY
    const body = fill(index, hasNonce ? nonceWord(nonce) : '', place)
    return {
      nonce,
      body: translate ? translate(body) : body,
      stream,
      part,
      category,
      repeats: repeated !== undefined,
    }
  }
  return Object.assign(make, {
    classOf: (asked: number) => {
      const index = (repeats && repeatOf(repeats, seed, asked)) ?? asked
      const part = choose(index)
      return { category: classifiers[part]?.(index) ?? NO_CATEGORY, model: parts[part]?.model }
    },
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
  if (source.kind === 'trace') {
    const rows = new RingRows(source.ring)
    return (index) => classify(rows.inputTokens(index))
  }
  const { inputTokens, prefixTokens } = source
  return (index) => classify(inputTokensAt(inputTokens, spec.seed, index) + prefixTokens)
}

/** How many tokens of generated text request `index` has, a shared prefix left out. */
function inputTokensAt(distribution: TokenDistribution, seed: number, index: number): number {
  return drawTokens(distribution, requestDraws(seed, index, 'in'))
}

interface PartMaker {
  stream: boolean
  fill: (index: number, nonce: string, place?: number) => string
}

function partMaker(part: WorkloadPart, spec: WorkloadSpec, filler: Filler | undefined): PartMaker {
  const { endpoint, asChat, seed, maxTokensField } = spec
  const { stream, source } = part
  if (endpoint === 'raw' && source.kind === 'given') return rawMaker(source)
  const limit = limitWriter(asChat ? 'chat' : endpoint, maxTokensField)
  const end = bodyEnd(part, seed, limit)
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
  const words = filler ?? nothing()
  if (source.kind === 'trace') return traceMaker(source, part, { words, seed, limit })
  const { around, inputTokens, prefixTokens, prefixes } = source
  const shared = Array.from({ length: prefixes }, (_, i) => words.text(prefixTokens, uniform(`${seed}/prefix/${i}`)))
  return {
    stream,
    fill: (index, nonce) => {
      const tokens = inputTokensAt(inputTokens, seed, index)
      const text = words.text(tokens, uniform(`${seed}/${index}/at`))
      if (shared.length === 0) return `${around.before}${marked(text, nonce)}${around.after}${end(index)}`
      const prefix = shared[hash32(`${seed}/${index}/prefix`) % shared.length]
      return `${around.before}${prefix}${around.between}${marked(text, nonce)}${around.after}${end(index)}`
    },
  }
}

/** What is sent as it stands, without a nonce: nobody knows where it could go. */
function rawMaker(source: GivenRequests): PartMaker {
  const read = givenReader(source)
  return { stream: false, fill: (index) => read(index % countGiven(source)).join('') }
}

type LimitWriter = (tokens: number) => string

function traceMaker(
  { around, ring }: TraceSource,
  { stream, maxTokens }: WorkloadPart,
  { words, seed, limit }: { words: Filler; seed: number; limit: LimitWriter },
): PartMaker {
  const rows = new RingRows(ring)
  const text = traceText(rows, words, seed)
  return {
    stream,
    fill: (index, nonce) => {
      const output = Math.min(maxTokens ?? MAX_TOKENS, rows.outputTokens(index))
      return `${around.before}${marked(text(index), nonce)}${around.after}${limit(output)}}`
    },
  }
}

/** The end of a body: the output tokens it asks for (its `own`, where it has some), and the closing brace. */
function bodyEnd(
  { outputTokens, maxTokens, usualTokens }: WorkloadPart,
  seed: number,
  limit: LimitWriter,
): (index: number, own?: number) => string {
  const limited = (tokens: number, most = Number.POSITIVE_INFINITY): string =>
    `${limit(Math.min(maxTokens ?? most, tokens))}}`
  if (!outputTokens) {
    const usual = maxTokens ?? usualTokens
    const end = usual === undefined ? '}' : limited(usual)
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

function nothing(): never {
  throw new Error('a workload without parts or texts')
}
