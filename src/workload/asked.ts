/**
 * What is asked, whatever the API and the model: a digest that is equal where two workloads put the same texts with the
 * same limits, each in the words of its own API. It tells which runs of two endpoints may be compared.
 */
import { createHash, type Hash } from 'node:crypto'
import { type ApiEndpoint, endpointOf } from '../wire/endpoints.ts'
import { asObject, type JsonObject, parseObject } from '../wire/json.ts'
import type { RequestTemplate } from '../wire/template.ts'
import { WORDS } from './filler.ts'
import { countGiven, givenReader } from './given.ts'
import { type TextSource, type WorkloadPart, type WorkloadSpec, workloadSha256 } from './workload.ts'

/** Of all that is sent, and of what it asks; the latter is absent for requests of which kt reads nothing. */
export function workloadDigests(spec: WorkloadSpec): { sha256: string; asked?: string } {
  const asked = askedSha256(spec)
  return { sha256: workloadSha256(spec), ...(asked !== undefined && { asked }) }
}

function askedSha256(spec: WorkloadSpec): string | undefined {
  const { endpoint, asChat, seed, parts, conversations, nonce, repeats } = spec
  if (endpoint === 'raw') return undefined
  const written = asChat ? 'chat' : endpoint
  const hash = createHash('sha256')
  hash.update(JSON.stringify([seed, WORDS, conversations, nonce, repeats]))
  for (const part of parts) {
    hash.update(JSON.stringify(shapeOf(part)))
    hashTexts(hash, part.source, written)
  }
  return hash.digest('hex')
}

/** How many tokens go and come. What an API insists on counts only where nothing else limits an answer. */
function shapeOf({ weight, stream, source, outputTokens, maxTokens, usualTokens, headers, model }: WorkloadPart) {
  const limit = outputTokens ? maxTokens : (maxTokens ?? usualTokens)
  return [weight, stream, lengthsOf(source), outputTokens, limit ?? null, headers, model]
}

function lengthsOf(source: TextSource) {
  if (source.kind === 'generated') return [source.inputTokens, source.prefixTokens, source.prefixes]
  return source.kind === 'trace' ? [source.totals, source.sha256] : []
}

function hashTexts(hash: Hash, source: TextSource, endpoint: ApiEndpoint): void {
  const write = ({ before, between, after }: RequestTemplate, own?: number): void => {
    const body = parseObject(`${before}${between}${after}}`)
    hash.update(JSON.stringify([body && neutral(body, endpoint), own || null]))
  }
  if (source.kind !== 'given') {
    write(source.around)
    return
  }
  const read = givenReader(source)
  for (let place = 0; place < countGiven(source); place++) {
    const [before, after] = read(place)
    write({ before, between: '', after }, source.outputs?.[place])
  }
}

/** What a request says of itself, which is no part of what it asks. */
const OWN_MEMBERS = ['model', 'stream', 'stream_options'] as const

/** The texts of a request, those before the prompt first, and the members that the user gave it. */
function neutral(body: JsonObject, endpoint: ApiEndpoint): { texts: string[]; others: JsonObject } {
  const { format, limit: [limit = ''] = [] } = endpointOf(endpoint)
  const [prompt = '', ...before] = format?.requestMembers ?? []
  const texts = [...before, prompt].flatMap((member) => textsIn(body[member]))
  const left = new Set<string>([...OWN_MEMBERS, prompt, ...before])
  const others = Object.entries(body).flatMap(([name, value]) => {
    return left.has(name) ? [] : [[name === limit ? 'limit' : name, value] as const]
  })
  return { texts, others: Object.fromEntries(others.sort(([a], [b]) => (a < b ? -1 : 1))) }
}

/** Members whose words are the API's and not the user's. */
const API_WORDS = new Set(['role', 'type'])

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return Object.entries(asObject(value) ?? {}).flatMap(([name, held]) => (API_WORDS.has(name) ? [] : textsIn(held)))
}
