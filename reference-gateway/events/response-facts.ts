/**
 * What a response's bytes say on their way to the client: when the first token arrived, and the usage. Nothing is
 * parsed or kept whole: until the first token, each piece is searched for one; after that only the last pieces are
 * kept, and at the end the last usage object in them is read.
 */
import type { BodyObserver, ResponseHead } from '../http/hooks.ts'

export interface BilledTokens {
  input_tokens: number | null
  output_tokens: number | null
}

const NO_USAGE: BilledTokens = { input_tokens: null, output_tokens: null }
/** Usage stands in one of the last events; this leaves room for what Azure and others send after it. */
const TAIL_BYTES = 8 * 1024
/** A non-empty string: content, reasoning (in its several spellings), text, tool arguments. */
const TOKEN = /"(?:content|reasoning|reasoning_content|text|arguments|refusal)"\s*:\s*"[^"]/

export class ResponseFacts implements BodyObserver {
  /** On the process's clock; 0 until there is a token. */
  firstTokenMs = 0
  readonly #isStream: boolean
  #tail: Buffer[] = []
  #tailBytes = 0

  constructor(head: ResponseHead) {
    this.#isStream = head.isEventStream
  }

  data(chunk: Buffer): void {
    if (this.#isStream && this.firstTokenMs === 0 && TOKEN.test(chunk.toString('latin1'))) {
      this.firstTokenMs = performance.now()
    }
    this.#tail.push(chunk)
    this.#tailBytes += chunk.length
    for (let first = this.#tail[0]; first && this.#tailBytes - first.length >= TAIL_BYTES; first = this.#tail[0]) {
      this.#tail.shift()
      this.#tailBytes -= first.length
    }
  }

  usage(): BilledTokens {
    const all = this.#tail.length === 1 ? this.#tail[0] : Buffer.concat(this.#tail)
    if (!all) return NO_USAGE
    const text = all.toString('latin1', Math.max(0, all.length - TAIL_BYTES))
    // The last one counts: earlier events may carry `"usage":null`.
    const at = text.lastIndexOf('"usage"')
    if (at < 0) return NO_USAGE
    const usage = text.slice(at, at + 1_024)
    return {
      input_tokens: numberAfter(usage, /"(?:prompt|input)_tokens"\s*:\s*(\d+)/),
      output_tokens: numberAfter(usage, /"(?:completion|output)_tokens"\s*:\s*(\d+)/),
    }
  }
}

function numberAfter(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? null : Number(found)
}
