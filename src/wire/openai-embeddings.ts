/** OpenAI's embeddings: vectors, and no text. */
import type { WholeWriter } from './answer.ts'
import type { WireFormat } from './format.ts'
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
  usageOf: usageIn,
  endsStream: () => false,
  buildRequest: (spec, text, prefix) => openaiRequest(spec, { input: joinPrefix(text, prefix) }),
}

/** An answer of `embeddings`, one for each input: a list of numbers as JSON, or a string of base64 with its quotes. */
export function writeEmbeddings(model: string, embeddings: readonly string[], inputTokens: number): WholeWriter {
  const data = embeddings.map((embedding, i) => `{"object":"embedding","index":${i},"embedding":${embedding}}`)
  const usage = `{"prompt_tokens":${inputTokens},"total_tokens":${inputTokens}}`
  const head = `{"object":"list","data":[${data}],"model":${JSON.stringify(model)},"usage":${usage}`
  return (members) => `${head}${members}}`
}
