/** Gemini's generateContent and streamGenerateContent: candidates of parts; an event has the shape of an answer. */
import type { TextVisitor, WireFormat } from './format.ts'
import { asObject, type JsonObject, objectsIn } from './json.ts'
import { visitArguments, visitString } from './text.ts'
import { usageIn } from './usage.ts'

export const gemini: WireFormat = {
  name: 'gemini',
  path: '/models',
  requestMembers: ['contents', 'systemInstruction', 'system_instruction'],
  isEvent: ({ candidates, usageMetadata }) => Array.isArray(candidates) || usageMetadata !== undefined,
  isAnswer: ({ candidates }) => Array.isArray(candidates),
  eachEventText: visitCandidates,
  eachAnswerText: visitCandidates,
  usageOf: usageIn,
  endsStream: ({ candidates }) => objectsIn(candidates).some(({ finishReason }) => typeof finishReason === 'string'),
  buildRequest: (_spec, text, prefix) => ({
    contents: [{ role: 'user', parts: [{ text }] }],
    ...(prefix !== undefined && { systemInstruction: { parts: [{ text: prefix }] } }),
  }),
}

function visitCandidates({ candidates }: JsonObject, visit: TextVisitor): void {
  for (const candidate of objectsIn(candidates)) {
    for (const part of objectsIn(asObject(candidate.content)?.parts)) {
      visitString(part.thought === true ? 'reasoning' : 'visible', part, 'text', visit)
      visitArguments(part, 'functionCall', visit)
      const code = asObject(part.executableCode)
      visitString('tool', code, 'code', visit)
    }
  }
}
