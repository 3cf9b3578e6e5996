/** Rerank, as Cohere, Jina and vLLM have it: documents by their relevance to a query, and no text of a model. */
import type { WholeWriter } from './answer.ts'
import type { WireFormat } from './format.ts'
import { asNumber, asObject, type JsonObject, objectsIn } from './json.ts'
import { joinPrefix } from './openai.ts'
import { NO_USAGE, type TokenUsage, toldUsage, usageIn } from './usage.ts'

/** What is ranked where a prompt is all that a user gives. */
const DOCUMENTS = [
  'A gateway stands between an application and the models that it asks, and passes each request on.',
  'The harbour was empty when the ferry came in, and the captain ordered coffee for the whole crew.',
  'A load balancer spreads requests over several servers, so that none of them has to wait for the others.',
  'The committee met twice in spring and agreed on a budget for the repair of the old bridge.',
  'Tokens are the pieces of text that a language model reads and writes, about four characters each.',
  'Rain fell on the terraces for three days, and the vines recovered from a dry summer.',
  'A cache keeps answers that were given before, and gives them again to whoever asks the same.',
  'The museum lends its maps to schools in the region, on request and free of charge.',
  'Latency is the time between a question and its answer, and its tail is what users remember.',
  'The orchestra opened the season with a symphony that had not been played for a century.',
]

export const rerank: WireFormat = {
  path: '/rerank',
  requestMembers: ['query', 'documents'],
  answerMembers: [],
  isEvent: () => false,
  isAnswer: ({ results }) => Array.isArray(results),
  eachEventText: () => {},
  eachAnswerText: () => {},
  eachOtherOfEvent: () => {},
  eachOtherOfAnswer: ({ results }, visit) => {
    for (const result of objectsIn(results)) if (isRanked(result)) visit('shown', 'results.relevance_score')
  },
  usageOf: (json) => usageIn(json) ?? countedInput(json),
  endsStream: () => false,
  finishes: () => false,
  buildRequest: ({ model }, text, prefix) => ({ model, query: joinPrefix(text, prefix), documents: DOCUMENTS }),
}

function isRanked({ relevance_score }: JsonObject): boolean {
  return typeof relevance_score === 'number'
}

/** Jina tells a total alone, Cohere tokens beside what it bills. */
function countedInput({ usage, meta }: JsonObject): TokenUsage | undefined {
  const told = asNumber(asObject(usage)?.total_tokens) || asNumber(asObject(asObject(meta)?.tokens)?.input_tokens)
  return toldUsage({ ...NO_USAGE, input: told })
}

/** An answer of the best `most` of the documents' `scores`, in the words that the protocols have in common. */
export function writeRanking(
  { id, model, inputTokens, most }: { id: string; model: string; inputTokens: number; most: number },
  scores: readonly number[],
): WholeWriter {
  const results = scores
    .map((score, index) => ({ index, relevance_score: score }))
    .sort((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, most)
  const usage = { prompt_tokens: inputTokens, total_tokens: inputTokens }
  const meta = { billed_units: { search_units: 1 }, tokens: { input_tokens: inputTokens, output_tokens: 0 } }
  const head = JSON.stringify({ id, model, results, usage, meta }).slice(0, -1)
  return (members) => `${head}${members}}`
}
