/**
 * OpenAI's wire format of embeddings, as floats or base64 (little-endian float32, what the official clients ask for). The
 * vectors mean nothing: every component is plus or minus 1/sqrt(dimensions), the sign drawn from the input's hash. They have
 * unit length, an input always has the same one, and two inputs are near orthogonal, related or not.
 */
import { hash32 } from '../../stats/random.ts'
import type { Ask, Whole } from '../ask.ts'

export interface EmbeddingsAsk extends Ask {
  items: (string | readonly number[])[]
  dimensions: number
  encoding: 'float' | 'base64'
}

export function wholeEmbeddings(ask: EmbeddingsAsk): Whole {
  const encode = ask.encoding === 'base64' ? base64Of : floatsOf
  const data = ask.items.map((item, index) => {
    const hash = hash32(typeof item === 'string' ? item : item.join())
    return `{"object":"embedding","index":${index},"embedding":${encode(hash, ask.dimensions)}}`
  })
  const usage = `{"prompt_tokens":${ask.promptTokens},"total_tokens":${ask.promptTokens}}`
  const head = `{"object":"list","data":[${data.join()}],"model":${JSON.stringify(ask.model)},"usage":${usage}`
  return (stamp) => `${head}${stamp}}`
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
