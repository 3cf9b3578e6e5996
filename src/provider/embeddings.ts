/**
 * OpenAI's embeddings, as floats or base64 (little-endian float32, what the official clients ask for). The vectors mean
 * nothing: every component is plus or minus 1/sqrt(dimensions), the sign drawn from the input's hash. They have unit
 * length, an input always has the same one, and two inputs are near orthogonal, related or not.
 */
import { z } from 'zod'
import { hash32 } from '../stats/random.ts'
import { openaiEmbeddings, writeEmbeddings } from '../wire/openai-embeddings.ts'
import { accept, inputRefusal, type ProviderApi, refuse } from './api.ts'
import { openai, tokenIds } from './openai.ts'
import { inputItems, readItems } from './text.ts'

const DEFAULT_DIMENSIONS = 1_536
const MAX_DIMENSIONS = 4_096
const MAX_INPUTS = 2_048

export const embeddingsBody = z.looseObject({
  model: z.string().min(1),
  input: z.union(
    [
      z.string().min(1),
      z.array(z.string().min(1)).min(1).max(MAX_INPUTS),
      tokenIds,
      z.array(tokenIds).min(1).max(MAX_INPUTS),
    ],
    `expected a string, up to ${MAX_INPUTS} strings, or arrays of token ids, none of them empty`,
  ),
  dimensions: z.int().min(1).max(MAX_DIMENSIONS).nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
})

export const embeddingsApi: ProviderApi = {
  flavor: openai,
  path: `/v1${openaiEmbeddings.path}`,
  parse: (json) => {
    const { success, data, error } = embeddingsBody.safeParse(json, { reportInput: true })
    if (!success) return refuse(inputRefusal(error))
    const { model, dimensions, encoding_format: encoding } = data
    const items = inputItems(data.input)
    const prompt = readItems(items)
    const encode = encoding === 'base64' ? base64Of : floatsOf
    const vectors = (): string[] =>
      items.map((item) =>
        encode(hash32(typeof item === 'string' ? item : item.join()), dimensions ?? DEFAULT_DIMENSIONS),
      )
    return accept({
      request: { model, stream: false, tokens: 0, ...prompt },
      whole: () => writeEmbeddings(model, vectors(), prompt.promptTokens),
    })
  },
}

function floatsOf(hash: number, dimensions: number): string {
  const plus = Math.fround(1 / Math.sqrt(dimensions)).toPrecision(9)
  const nextIsPlus = signsOf(hash)
  let text = ''
  for (let i = 0; i < dimensions; i++) text += nextIsPlus() ? `,${plus}` : `,-${plus}`
  return `[${text.slice(1)}]`
}

function base64Of(hash: number, dimensions: number): string {
  const plus = 1 / Math.sqrt(dimensions)
  const bytes = Buffer.allocUnsafe(dimensions * 4)
  const nextIsPlus = signsOf(hash)
  for (let i = 0; i < dimensions; i++) bytes.writeFloatLE(nextIsPlus() ? plus : -plus, i * 4)
  return `"${bytes.toString('base64')}"`
}

/** Fair signs from a 32-bit seed: the top bit of Marsaglia's xorshift32, which must not start at zero. */
function signsOf(hash: number): () => boolean {
  let x = hash || 1
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return x < 0
  }
}
