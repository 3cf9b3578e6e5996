/**
 * Tokens that the provider did not tell, counted after the run with o200k_base, the vocabulary of OpenAI's current models: in
 * the answers that were kept, then scaled to all by their bytes. The tokenizer is loaded here and nowhere else, when the
 * measurement is over: it takes 0.2 s and 80 MB.
 */

import type { RunRecord } from '../load/messages.ts'
import type { RunPlan } from '../load/plan.ts'
import type { ArmRecord } from '../load/recorder.ts'
import { textOfAnswer, textOfRequest } from '../wire/answer-text.ts'
import { requestMaker } from '../workload/workload.ts'

/** `record`, with the tokens of its arms completed. */
export async function countTokens(plan: RunPlan, record: RunRecord): Promise<RunRecord> {
  if (record.arms.every(({ tokens }) => tokens.samples.length === 0)) {
    return { ...record, arms: record.arms.map(byEvents) }
  }
  const { countTokens: count } = await import('gpt-tokenizer/encoding/o200k_base')
  const tokensOf = (text: string): number => count(text, { disallowedSpecial: new Set() })
  const make = requestMaker(plan.workload)
  const arms = record.arms.map((arm, position) => {
    const { samples, untold } = arm.tokens
    if (samples.length === 0) return byEvents(arm)
    const seen = { output: 0, answerBytes: 0, input: 0, requestChars: 0 }
    for (const { index, text, streamed, share, bodyBytes, requestChars } of samples) {
      seen.output += tokensOf(textOfAnswer(text, streamed))
      seen.answerBytes += share * bodyBytes
      seen.input += tokensOf(textOfRequest(make(plan.arms[position]?.tag ?? '', index).body))
      seen.requestChars += requestChars
    }
    return counted(arm, {
      input: Math.round((seen.input / seen.requestChars) * untold.requestChars),
      output: Math.round((seen.output / seen.answerBytes) * untold.answerBytes),
      fromTokenizer: untold.requests,
    })
  })
  return { ...record, arms }
}

/** Where no answer was kept, every token-bearing event counts as one token. */
function byEvents(arm: ArmRecord): ArmRecord {
  const { tokenEvents, requests } = arm.tokens.untold
  return tokenEvents === 0 ? arm : counted(arm, { output: tokenEvents, fromEvents: requests })
}

interface Counted {
  input?: number
  output: number
  fromTokenizer?: number
  fromEvents?: number
}

function counted(arm: ArmRecord, { input = 0, output, fromTokenizer = 0, fromEvents = 0 }: Counted): ArmRecord {
  const { tokens } = arm
  return {
    ...arm,
    tokens: { ...tokens, input: tokens.input + input, output: tokens.output + output, fromTokenizer, fromEvents },
  }
}
