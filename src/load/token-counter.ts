/** Counts the tokens of one arm while it runs: those of whole answers, those of failed ones, and what was spent. */
import type { RequestResult } from '../client/request-result.ts'
import { fields, joined, total } from './add-up.ts'
import { type AnswerSample, AnswerSampler, type KeptAnswer } from './answer-sampler.ts'

const BYTES_A_TOKEN = 4

export interface TokensSpent {
  input: number
  output: number
}

/** The tokens of whole answers, and apart from them what failed ones generated. */
export interface TokenRecord {
  input: number
  output: number
  events: number
  /** The part of `output` that is reasoning whose text was not sent. */
  hidden: number
  /** The parts of `input` that came from the provider's prompt cache, and that went there. */
  cached: number
  cacheWritten: number
  /** Answers by the source of their token counts; the last two are counted after the run. */
  fromUsage: number
  fromTokenizer: number
  fromEvents: number
  /** Failed answers that had begun, and the output tokens that they had generated: in no other figure. */
  failedAnswers: number
  failedOutput: number
  /** The answers that reported no usage. */
  withoutUsage: { requests: number; requestChars: number; answerBytes: number; tokenEvents: number }
  /** Some of their answers, from which their tokens are estimated. */
  samples: KeptAnswer[]
}

export class TokenCounter {
  /** By all requests, the excluded ones too. */
  readonly spent: TokensSpent = { input: 0, output: 0 }
  readonly #tokens = {
    ...{ input: 0, output: 0, events: 0, hidden: 0, cached: 0, cacheWritten: 0 },
    ...{ fromUsage: 0, fromTokenizer: 0, fromEvents: 0, failedAnswers: 0, failedOutput: 0 },
  }
  readonly #withoutUsage = { requests: 0, requestChars: 0, answerBytes: 0, tokenEvents: 0 }
  readonly #sampler = new AnswerSampler()

  /** Collects the answer of request `index`, if it is one of those to be kept. */
  sampleAnswer(index: number): AnswerSample | undefined {
    return this.#sampler.next(index)
  }

  /** The tokens of an excluded request are in no figure, but spent. */
  spend(result: RequestResult): void {
    spendTokens(result, this.spent)
  }

  /** A measured request has ended. */
  count(result: RequestResult, sample: AnswerSample | undefined): void {
    const { usage, outcome } = result
    const tokens = this.#tokens
    tokens.events += result.events
    this.spend(result)
    if (outcome !== 'OK') {
      const generated = usage && usage.output > 0 ? usage.output : result.tokenEvents
      if (generated > 0) tokens.failedAnswers++
      tokens.failedOutput += generated
    } else if (usage) {
      tokens.input += usage.input
      tokens.output += usage.output
      tokens.hidden += result.hiddenTokens
      tokens.cached += usage.cached
      tokens.cacheWritten += usage.cacheWritten
      tokens.fromUsage++
      this.#sampler.usageReported()
    } else {
      const { requestChars, bodyBytes, tokenEvents, streamed } = result
      this.#withoutUsage.requests++
      this.#withoutUsage.requestChars += requestChars
      this.#withoutUsage.answerBytes += bodyBytes
      this.#withoutUsage.tokenEvents += tokenEvents
      this.#sampler.keep(sample?.kept({ streamed, bodyBytes, requestChars }))
    }
  }

  toRecord(): TokenRecord {
    return { ...this.#tokens, withoutUsage: this.#withoutUsage, samples: this.#sampler.samples }
  }
}

/**
 * Adds the tokens that a request has cost: its usage, else an estimate of four bytes a token. The budgets need them
 * during the run, so they cannot wait for the tokenizer.
 */
function spendTokens(
  { usage, outcome, tokenEvents, requestChars, bodyBytes, streamed }: RequestResult,
  spent: TokensSpent,
): void {
  if (usage) {
    spent.input += usage.input
    spent.output += usage.output
  } else if (outcome === 'OK' || tokenEvents > 0) {
    spent.input += Math.ceil(requestChars / BYTES_A_TOKEN)
    spent.output += streamed ? tokenEvents : Math.ceil(bodyBytes / BYTES_A_TOKEN)
  }
}

export const spentSum = fields<TokensSpent>({ input: total, output: total })

export const tokensSum = fields<TokenRecord>({
  ...{ input: total, output: total, events: total, hidden: total, cached: total, cacheWritten: total },
  ...{ fromUsage: total, fromTokenizer: total, fromEvents: total, failedAnswers: total, failedOutput: total },
  withoutUsage: fields({ requests: total, requestChars: total, answerBytes: total, tokenEvents: total }),
  samples: joined(),
})
