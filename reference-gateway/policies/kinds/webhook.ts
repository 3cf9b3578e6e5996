/**
 * A policy that an HTTP service judges. The gateway sends POST {policy, direction, texts: [...]} to its URL. The
 * response {matches: [{index, start, end, replacement?}]} says what was found where, in UTF-16 positions; without
 * `matches` nothing was found, with `true` everything. The policy's action decides what follows. At most
 * `maxConcurrency` calls run at a time; others wait their turn, and the wait counts as time. A response that is late,
 * not 200 or not valid is no judgement, and rejects.
 */
import { Agent, request } from 'undici'
import { z } from 'zod'
import { headerValue, httpUrl } from '../../../src/parse/config-values.ts'
import { timerMs } from '../../../src/parse/quantity.ts'
import type { TextBuffer } from '../pattern/text-buffer.ts'
import type { TextFinding } from '../policy/edits.ts'
import {
  type DetectedMatch,
  type Detector,
  type DetectorOptions,
  nextOrder,
  type Policy,
  type PolicyKind,
  REPLACEMENT,
} from '../policy/policy.ts'

const schema = z.strictObject({
  webhook: z.strictObject({
    url: httpUrl,
    timeout: timerMs.optional(),
    max_concurrency: z.int().min(1).default(16),
    headers: z.record(z.string().regex(/^[\w-]+$/), headerValue).default({}),
  }),
})

export const webhook: PolicyKind<'webhook', typeof schema> = {
  name: 'webhook',
  schema,
  compile: ({ name, type, policy_timeout: policyMs, replacement = REPLACEMENT, webhook: given }) => {
    const { url, headers, timeout = policyMs, max_concurrency: maxConcurrency } = given
    const service = new Webhook({
      url,
      headers,
      timeoutMs: Math.min(timeout, policyMs),
      maxConcurrency,
      replacement,
      asks: { policy: name, direction: type === 'input_filter' ? 'input' : 'output' },
    })
    return {
      whole: { how: 'question', ask: (texts, signal) => service.judge(texts, signal) },
      stream: {
        longest: 0,
        settlesLater: true,
        detectors: (policy, options) => [new WebhookDetector(policy, service, options)],
      },
      close: () => service.close(),
    }
  },
}

interface WebhookOptions {
  url: string
  headers: Readonly<Record<string, string>>
  timeoutMs: number
  maxConcurrency: number
  replacement: string
  /** What every question says beside its texts. */
  asks: { policy: string; direction: 'input' | 'output' }
}

const MAX_ANSWER_BYTES = 1024 * 1024

const answerShape = z.object({
  matches: z
    .union([
      z.boolean(),
      z.array(
        z.object({
          index: z.int().min(0).default(0),
          start: z.int().min(0),
          end: z.int().min(0),
          replacement: z.string().optional(),
        }),
      ),
    ])
    .default(false),
})

class Webhook {
  readonly #options: WebhookOptions
  readonly #agent: Agent

  constructor(options: WebhookOptions) {
    this.#options = options
    // One call at a time on each connection: a call that finds none free waits in the agent's queue.
    this.#agent = new Agent({ connections: options.maxConcurrency, allowH2: false, keepAliveTimeout: 30_000 })
  }

  /**
   * Returns a list of findings for each text. Rejects without a judgement within `timeoutMs`, or when `signal` is
   * aborted.
   */
  async judge(texts: readonly string[], signal?: AbortSignal): Promise<TextFinding[][]> {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs)
    const either = signal ? AbortSignal.any([timeout, signal]) : timeout
    return readFindings(await this.#ask(texts, either), texts, this.#options.replacement)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #ask(texts: readonly string[], signal: AbortSignal): Promise<z.output<typeof answerShape>> {
    const { url, headers, asks } = this.#options
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ ...asks, texts }),
      dispatcher: this.#agent,
      signal,
    })
    const bytes: Buffer[] = []
    let size = 0
    for await (const chunk of body) {
      size += (chunk as Buffer).length
      if (size > MAX_ANSWER_BYTES) throw new Error('the answer is larger than 1 MiB')
      bytes.push(chunk as Buffer)
    }
    if (statusCode !== 200) throw new Error(`status ${statusCode}`)
    return answerShape.parse(JSON.parse(Buffer.concat(bytes).toString('utf8')))
  }
}

function readFindings(
  answer: z.output<typeof answerShape>,
  texts: readonly string[],
  replacement: string,
): TextFinding[][] {
  const { matches } = answer
  return texts.map((text, index) => {
    if (matches === true) return text.length > 0 ? [{ start: 0, end: text.length, replacement }] : []
    if (matches === false) return []
    if (matches.some((match) => match.index >= texts.length)) throw new Error('a match in no text')
    return matches
      .filter((match) => match.index === index)
      .map(({ start, end, replacement: own }) => {
        if (start >= end || end > text.length) throw new Error('a match outside of the text')
        return { start, end, replacement: own ?? replacement }
      })
  })
}

/**
 * Asks a webhook about windows of a growing text: each window once it is full, once its first character has waited for
 * the flush interval, or once the text is complete. It asks about one window at a time, which is held until judged.
 */
class WebhookDetector implements Detector {
  readonly policy: Policy
  readonly found: DetectedMatch[] = []
  settledUpTo = 0
  failed: 'timeout' | undefined
  readonly #service: Webhook
  readonly #setting: DetectorOptions
  readonly #order = nextOrder()
  readonly #abort = new AbortController()
  #text: TextBuffer | undefined
  #complete = false
  #asking = false
  #timer: NodeJS.Timeout | undefined

  constructor(policy: Policy, service: Webhook, setting: DetectorOptions) {
    this.policy = policy
    this.#service = service
    this.#setting = setting
  }

  get needed(): number {
    return this.settledUpTo
  }

  feed(text: TextBuffer, complete: boolean): boolean {
    this.#text = text
    this.#complete = complete
    this.#consider(false)
    return true
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#abort.abort()
  }

  #consider(flush: boolean): void {
    const waiting = (this.#text?.end ?? 0) - this.settledUpTo
    if (this.#asking || waiting === 0) return
    if (flush || this.#complete || waiting >= this.#setting.window) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#ask()
    } else this.#timer ??= setTimeout(() => this.#setting.run(() => this.#flush()), this.#setting.flushMs)
  }

  #flush(): void {
    this.#timer = undefined
    this.#consider(true)
  }

  #ask(): void {
    const text = this.#text
    if (!text) return
    const from = this.settledUpTo
    const to = Math.min(text.end, from + this.#setting.window)
    this.#asking = true
    const { run } = this.#setting
    this.#service.judge([text.slice(from, to)], this.#abort.signal).then(
      ([findings = []]) => run(() => this.#judged(findings, from, to)),
      () => run(() => this.#notJudged()),
    )
  }

  #judged(findings: readonly TextFinding[], from: number, to: number): void {
    this.#asking = false
    for (const { start, end, replacement } of findings) {
      const match = { start: from + start, end: from + end, open: false }
      this.found.push({ match, replacement, order: this.#order })
    }
    this.settledUpTo = to
    this.#consider(false)
    this.#setting.onSettled()
  }

  #notJudged(): void {
    this.#asking = false
    if (this.#abort.signal.aborted) return
    this.failed = 'timeout'
    this.#setting.onSettled()
  }
}
