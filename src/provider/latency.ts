/**
 * How long the simulated model takes, and when it stalls: time to first token and the gap between tokens, each fixed,
 * log-normal or by its quantiles, drawn from the request's own seed. The same request therefore costs the same upstream
 * time through any path and in any run with the same --seed. Pure: no clock, no timers (src/provider/reply.ts waits).
 *
 * An answer of n tokens has its k-th token (k = 0..n-1) at ttft + the first k gaps, and ends at ttft + all n gaps, as a
 * real model spends one more step on its end-of-text token. A JSON answer and a stream of the same request end at the
 * same time.
 */
import { delayDraws, type ModelDelay } from '../schedule/delays.ts'
import { parseDurationMs } from '../units.ts'

export interface LatencyModel {
  ttft: ModelDelay
  tokenGap: ModelDelay
  /** Added to the time to first token for each token of the prompt. */
  prefillUs?: number
  /** By how much each other request in flight slows this one down: 0.01 is 1 %. Then time depends on the load, too. */
  load?: { ttft: number; tokenGap: number }
  /** Combined with each request's own seed: another seed, another draw for every request. */
  seed: number
}

/** What a request costs besides what is drawn for it. */
interface RequestWork {
  promptTokens: number
  /** Thought before the first token that is shown, a gap each. */
  reasoningTokens: number
  /** Other requests in flight as this one arrives. */
  others: number
}

/** The delays of one request, in microseconds after its last body byte. */
export interface RequestDelays {
  ttftUs: number
  /** The gap after the token just sent; call it once a token, in order. */
  nextGapUs: () => number
}

/** The delays of the request whose own seed is `requestSeed`. */
export function drawDelays(model: LatencyModel, requestSeed: string, work: RequestWork = NO_WORK): RequestDelays {
  const { prefillUs = 0, load, seed } = model
  const own = `${seed}:${requestSeed}`
  // One stream for each quantity: a request for more tokens, or under another gap model, keeps its time to first token.
  let ttftUs = delayDraws(model.ttft, own)() + prefillUs * work.promptTokens
  if (work.reasoningTokens > 0) ttftUs += sumDraws(delayDraws(model.tokenGap, `${own}:reasoning`), work.reasoningTokens)
  const gap = delayDraws(model.tokenGap, `${own}:gaps`)
  if (!load || work.others <= 0) return { ttftUs, nextGapUs: gap }
  const slower = 1 + load.tokenGap * work.others
  return { ttftUs: ttftUs * (1 + load.ttft * work.others), nextGapUs: () => gap() * slower }
}

const NO_WORK: RequestWork = { promptTokens: 0, reasoningTokens: 0, others: 0 }

/** When a whole answer of `tokens` tokens is ready. Consumes the delays. */
export function wholeAnswerUs(delays: RequestDelays, tokens: number): number {
  return delays.ttftUs + sumDraws(delays.nextGapUs, tokens)
}

/** The next `count` draws together. */
export function sumDraws(draw: () => number, count: number): number {
  let total = 0
  for (let i = 0; i < count; i++) total += draw()
  return total
}

/**
 * A provider that stops answering for a while again and again (100 ms in every second, say), as one does in a garbage
 * collection or behind a throttled CPU: the case that coordinated omission hides. What falls due in a stall leaves at
 * its end.
 */
export interface StallPlan {
  forUs: number
  everyUs: number
}

/** '100ms/1s': silent for the last 100 ms of every second. Undefined where that is not what `text` says. */
export function parseStall(text: string): StallPlan | undefined {
  const [forMs, everyMs, ...rest] = text.split('/').map((part) => parseDurationMs(part))
  if (forMs === undefined || everyMs === undefined || rest.length > 0) return undefined
  if (forMs <= 0 || forMs >= everyMs) return undefined
  return { forUs: forMs * 1_000, everyUs: everyMs * 1_000 }
}

export class Stalls {
  readonly #plan: StallPlan
  readonly #startUs: number

  /** Each period, counted from `startUs`, ends with its stall. */
  constructor(plan: StallPlan, startUs: number) {
    this.#plan = plan
    this.#startUs = startUs
  }

  /** When the stall that `atUs` lies in ends; undefined outside of one. */
  endUs(atUs: number): number | undefined {
    const { forUs, everyUs } = this.#plan
    const leftUs = everyUs - ((atUs - this.#startUs) % everyUs)
    return leftUs <= forUs ? atUs + leftUs : undefined
  }
}
