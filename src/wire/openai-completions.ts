/** OpenAI's legacy completions: the text stands in each choice. */
import type { OtherVisitor, TextVisitor, WireFormat } from './format.ts'
import { asObject, type JsonObject, objectsIn } from './json.ts'
import { joinPrefix, openaiRequest } from './openai.ts'
import { choicesWriter, hasFinishReason } from './openai-choices.ts'
import { visitOtherOfChoice } from './other-output.ts'
import { visitReasoning, visitString } from './text.ts'
import { usageIn } from './usage.ts'

export const openaiCompletions: WireFormat = {
  path: '/completions',
  requestMembers: ['prompt', 'suffix'],
  answerMembers: ['choices'],
  isEvent: hasTexts,
  isAnswer: hasTexts,
  eachEventText: visitChoices,
  eachAnswerText: visitChoices,
  eachOtherOfEvent: visitOther,
  eachOtherOfAnswer: visitOther,
  usageOf: usageIn,
  endsStream: () => false,
  finishes: hasFinishReason,
  buildRequest: (spec, text, prefix) => openaiRequest(spec, { prompt: joinPrefix(text, prefix) }),
}

export const openaiCompletionsWriter = choicesWriter({
  idPrefix: 'cmpl-',
  answer: 'text_completion',
  chunk: 'text_completion',
  whole: ['"text":"', '"'],
  delta: ['"text":"', '"'],
  begin: undefined,
  finish: '"text":""',
  promptFilter: '',
})

function hasTexts({ choices }: JsonObject): boolean {
  return Array.isArray(choices) && typeof asObject(choices[0])?.text === 'string'
}

function visitChoices({ choices }: JsonObject, visit: TextVisitor): void {
  for (const choice of objectsIn(choices)) {
    visitString('visible', choice, 'text', visit)
    visitReasoning(choice, visit)
  }
}

function visitOther({ choices }: JsonObject, visit: OtherVisitor): void {
  for (const choice of objectsIn(choices)) visitOtherOfChoice(choice, 'text', visit)
}
