/** OpenAI's chat completions, and what others add to them: reasoning under several names, content lists, audio. */
import type { TextVisitor, WireFormat } from './format.ts'
import { asObject, type JsonObject, objectsIn } from './json.ts'
import { openaiRequest } from './openai.ts'
import { visitContent, visitReasoning, visitString, visitToolCalls, visitTranscript } from './text.ts'
import { usageIn } from './usage.ts'

export const openaiChat: WireFormat = {
  path: '/chat/completions',
  requestMembers: ['messages', 'prediction'],
  isEvent: isChat,
  isAnswer: isChat,
  eachEventText: ({ choices }, visit) => {
    for (const choice of objectsIn(choices)) visitMessage(asObject(choice.delta), visit)
  },
  eachAnswerText: ({ choices }, visit) => {
    for (const choice of objectsIn(choices)) visitMessage(asObject(choice.message), visit)
  },
  usageOf: usageIn,
  endsStream: () => false,
  buildRequest: (spec, text, prefix) => {
    const system = prefix === undefined ? [] : [{ role: 'system', content: prefix }]
    return openaiRequest(spec, { messages: [...system, { role: 'user', content: text }] })
  },
}

/** Choices, but not those of legacy completions, which have a text of their own. */
function isChat({ choices }: JsonObject): boolean {
  return Array.isArray(choices) && typeof asObject(choices[0])?.text !== 'string'
}

/** A message, or the delta of one. */
function visitMessage(message: JsonObject | undefined, visit: TextVisitor): void {
  visitContent('visible', message, 'content', visit)
  visitString('visible', message, 'refusal', visit)
  visitTranscript(message?.audio, visit)
  visitReasoning(message, visit)
  visitToolCalls(message, visit)
}
