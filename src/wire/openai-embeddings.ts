/** OpenAI's embeddings: vectors, and no text. */
import type { WholeWriter } from './answer.ts'
import type { WireFormat } from './format.ts'
import { objectsIn } from './json.ts'
import { joinPrefix, openaiRequest } from './openai.ts'
import { usageIn } from './usage.ts'

export const openaiEmbeddings: WireFormat = {
  path: '/embeddings',
  requestMembers: ['input'],
  answerMembers: [],
  isEvent: () => false,
  isAnswer: ({ data }) => Array.isArray(data),
  eachEventText: () => {},
  eachAnswerText: () => {},
  eachOtherOfEvent: () => {},
  eachOtherOfAnswer: ({ data }, visit) => {
    for (const { embedding } of objectsIn(data)) if (isVector(embedding)) visit('shown', 'data.embedding')
  },
  usageOf: usageIn,
  endsStream: () => false,
  finishes: () => false,
  buildRequest: (spec, text, prefix) => openaiRequest(spec, { input: joinPrefix(text, prefix) }),
}

/** An answer of `embeddings`, one for each input: a list of numbers as JSON, or a string of base64 with its quotes. */
export function writeEmbeddings(model: string, embeddings: readonly string[], inputTokens: number): WholeWriter {
  const data = embeddings.map((embedding, i) => `{"object":"embedding","index":${i},"embedding":${embedding}}`)
  const usage = `{"prompt_tokens":${inputTokens},"total_tokens":${inputTokens}}`
  const head = `{"object":"list","data":[${data}],"model":${JSON.stringify(model)},"usage":${usage}`
  return (members) => `${head}${members}}`
}

/** A list of numbers, or base64. */
function isVector(embedding: unknown): boolean {
  return (Array.isArray(embedding) || typeof embedding === 'string') && embedding.length > 0
}
