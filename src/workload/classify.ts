/**
 * Which category each request of a workload belongs to, known when it is made: from the endpoint, the headers it is sent with, and the
 * tokens of its prompt (exact where kt writes the text; about four bytes a token where it is given). Nothing is classified after
 * the fact, so that what is measured cannot decide how it is judged. Rules: src/slo/category.ts.
 */
import { categoryOf } from '../slo/category.ts'
import { type Distribution, MAX_TOKENS } from './distribution.ts'
import type { Template } from './template.ts'
import type { WorkloadPart, WorkloadSpec } from './workload.ts'

const BYTES_A_TOKEN = 4
/** In a list of categories, the place of a request that belongs to none. */
export const NO_CATEGORY = -1

/** The place in `spec.categories` of a prompt of so many tokens in this part. */
export function partClassifier(
  { endpoint, categories = [], headers = {} }: WorkloadSpec,
  part: WorkloadPart,
): (promptTokens: number) => number {
  const all = { ...headers, ...part.headers }
  return (promptTokens) => {
    const found = categoryOf({ endpoint, promptTokens, headers: all }, categories)
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
        ? source.bodies.map(givenTokens)
        : reachableTokens(source.inputTokens, edges, source.prefixTokens)
    return tokens.map(partClassifier(spec, part))
  })
  return new Set(reached)
}

/** An estimate, for text that kt did not write. */
export function givenTokens({ before, after }: Template): number {
  return Math.ceil(Buffer.byteLength(before + after) / BYTES_A_TOKEN)
}

/** Of the numbers of tokens that may be drawn, one on each side of every edge. */
function reachableTokens(distribution: Distribution, edges: readonly number[], prefixTokens: number): number[] {
  const [min, max] = supportOf(distribution)
  const own = [min, max, ...edges.map((edge) => edge - prefixTokens)]
  return own.filter((tokens) => tokens >= min && tokens <= max).map((tokens) => tokens + prefixTokens)
}

function supportOf(distribution: Distribution): [number, number] {
  switch (distribution.kind) {
    case 'constant':
      return [distribution.value, distribution.value]
    case 'uniform':
      return [distribution.min, distribution.max]
    case 'normal':
      return distribution.sd === 0 ? [distribution.mean, distribution.mean] : [1, MAX_TOKENS]
    case 'lognormal':
      return [1, MAX_TOKENS]
  }
}
