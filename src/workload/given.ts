/**
 * Requests that are given whole: their templates, kept once for all threads (src/workload/texts.ts). Each is a text of
 * two halves around the hole for the nonce. JSON escapes the character between them, so neither half can hold it.
 */
import type { Hash } from 'node:crypto'
import type { RequestTemplate } from '../wire/template.ts'
import { drawPlaces, pickTexts, type TextStore, TextWriter, textReader } from './texts.ts'

const HOLE = '\0'
const BYTES_A_TOKEN = 4

export interface GivenTemplate extends Pick<RequestTemplate, 'before' | 'after' | 'attached'> {
  /** Its own number of output tokens to ask for. */
  outputTokens?: number | undefined
}

export interface GivenRequests {
  kind: 'given'
  texts: TextStore
  /** Of each request its own number of output tokens, or 0; undefined where no request has one. */
  outputs?: Uint32Array | undefined
  /** Bytes of each that are no text: its images. */
  attached: number
}

/** With `sample`, so many of the requests, drawn by its seed and in a drawn order. */
export function givenRequests(
  templates: Iterable<GivenTemplate>,
  sample?: { count: number; seed: number },
): GivenRequests {
  const writer = new TextWriter()
  const own: number[] = []
  let attached = 0
  for (const { before, after, outputTokens, attached: images = 0 } of templates) {
    attached = images
    if (outputTokens !== undefined) own[writer.count] = outputTokens
    writer.add(before + HOLE + after)
  }
  const texts = writer.finish()
  const places = sample && drawPlaces(writer.count, sample.count, sample.seed)
  const outputs = own.length === 0 ? undefined : pickOutputs(own, writer.count, places)
  return { kind: 'given', texts: places ? pickTexts(texts, places) : texts, outputs, attached }
}

function pickOutputs(own: readonly number[], count: number, places: Uint32Array | undefined): Uint32Array {
  const length = places ? places.length : count
  const outputs = new Uint32Array(new SharedArrayBuffer(4 * length))
  for (let i = 0; i < length; i++) outputs[i] = own[places ? (places[i] ?? 0) : i] ?? 0
  return outputs
}

export function countGiven({ texts }: GivenRequests): number {
  return texts.lengths.length
}

/** The halves of the request at a place. Where all fit into memory, they are made once. */
export function givenReader({ texts }: GivenRequests): (place: number) => readonly [before: string, after: string] {
  const read = textReader(texts)
  const halves = (place: number): readonly [string, string] => {
    const text = read(place)
    const hole = text.indexOf(HOLE)
    return [text.slice(0, hole), text.slice(hole + HOLE.length)]
  }
  if ('file' in texts.kept) return halves
  const all = Array.from({ length: texts.lengths.length }, (_, place) => halves(place))
  return (place) => all[place] ?? halves(place)
}

/** The tokens of a request's prompt: an estimate, for text that kt did not write. */
export function givenTokens(given: GivenRequests, place: number): number {
  return Math.ceil(bytesAt(given, place) / BYTES_A_TOKEN)
}

export function meanGivenTokens(given: GivenRequests): number {
  const { length } = given.texts.lengths
  let bytes = 0
  for (let place = 0; place < length; place++) bytes += bytesAt(given, place)
  return bytes / length / BYTES_A_TOKEN
}

/** The mean over all requests, of which those without a number of their own ask for `others`. */
export function meanGivenOutput({ outputs }: GivenRequests, others: number, most = Number.POSITIVE_INFINITY): number {
  if (!outputs) return others
  let sum = 0
  for (const own of outputs) sum += own === 0 ? others : Math.min(own, most)
  return sum / outputs.length
}

/** All that is sent of them, as JSON. */
export function hashGiven(hash: Hash, given: GivenRequests): void {
  const read = givenReader(given)
  for (let place = 0; place < countGiven(given); place++) {
    const [before, after] = read(place)
    const outputTokens = given.outputs?.[place] || undefined
    hash.update((place === 0 ? '' : ',') + JSON.stringify({ before, between: '', after, outputTokens }))
  }
}

function bytesAt({ texts: { lengths }, attached }: GivenRequests, place: number): number {
  return (lengths[place] ?? 0) - HOLE.length - attached
}
