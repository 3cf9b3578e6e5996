/**
 * Rerank, as Cohere, Jina and vLLM have it. The scores mean nothing: each is drawn from the hash of its document, so
 * that a document always has the same one.
 */
import { z } from 'zod'
import { hash32 } from '../stats/random.ts'
import { rerank, writeRanking } from '../wire/rerank.ts'
import { accept, inputRefusal, type ProviderApi, refuse } from './api.ts'
import { openai } from './openai.ts'
import { readPrompt } from './text.ts'

const MAX_DOCUMENTS = 10_000
const HASHES = 4_294_967_296

const document = z.union(
  [z.string(), z.looseObject({ text: z.string() })],
  'expected a string or an object with a text',
)

const rerankBody = z.looseObject({
  model: z.string().min(1),
  query: z.string().min(1),
  documents: z.array(document).min(1).max(MAX_DOCUMENTS),
  top_n: z.int().min(1).nullish(),
})

export const rerankApi: ProviderApi = {
  flavor: openai,
  path: `/v1${rerank.path}`,
  parse: (json) => {
    const { success, data, error } = rerankBody.safeParse(json, { reportInput: true })
    if (!success) return refuse(inputRefusal(error))
    const { model, query, top_n: most } = data
    const texts = data.documents.map((one) => (typeof one === 'string' ? one : one.text))
    // The query comes last: the nonce ends it.
    const prompt = readPrompt([...texts, query], 0)

    const scores = (): number[] => texts.map((text) => hash32(text) / HASHES)
    return accept({
      request: { model, stream: false, tokens: 0, ...prompt },
      whole: ({ id }) =>
        writeRanking({ id, model, inputTokens: prompt.promptTokens, most: most ?? texts.length }, scores()),
    })
  },
}
