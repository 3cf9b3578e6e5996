/** OpenAI's embeddings: vectors, and no text. */
import type { WireFormat } from './format.ts'
import { joinPrefix, openaiRequest } from './request.ts'
import { usageIn } from './usage.ts'

export const openaiEmbeddings: WireFormat = {
  name: 'openai-embeddings',
  path: '/embeddings',
  requestMembers: ['input'],
  isEvent: () => false,
  isAnswer: ({ data }) => Array.isArray(data),
  eachEventText: () => {},
  eachAnswerText: () => {},
  usageOf: usageIn,
  endsStream: () => false,
  buildRequest: (spec, text, prefix) => openaiRequest(spec, { input: joinPrefix(text, prefix) }),
}
