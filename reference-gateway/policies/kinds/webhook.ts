/**
 * A policy that an HTTP service judges. The gateway sends POST {policy, direction, texts: [...]} to its URL. The
 * response {matches: [{index, start, end, replacement?}]} says what was found where, in UTF-16 positions; without
 * `matches` nothing was found, with `true` everything. The policy's action decides what follows. At most
 * `maxConcurrency` calls run at a time; others wait their turn, and the wait counts as time. A response that is late,
 * not 200 or not valid is no judgement, and rejects.
 */
import { Agent, request } from 'undici'
import { z } from 'zod'
import type { TextFinding } from './edits.ts'

interface WebhookSettings {
  url: string
  timeoutMs: number
  maxConcurrency: number
  headers: Readonly<Record<string, string>>
}

interface WebhookQuestion {
  policy: string
  direction: 'input' | 'output'
  texts: readonly string[]
}

const DEFAULT_REPLACEMENT = '[REDACTED]'
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

export class Webhook {
  readonly #settings: WebhookSettings
  readonly #agent: Agent

  constructor(settings: WebhookSettings) {
    this.#settings = settings
    // One call at a time on each connection: a call that finds none free waits in the agent's queue.
    this.#agent = new Agent({ connections: settings.maxConcurrency, allowH2: false, keepAliveTimeout: 30_000 })
  }

  /**
   * Returns a list of findings for each text. Rejects without a judgement within `timeoutMs`, or when `signal` is
   * aborted.
   */
  async judge(
    question: WebhookQuestion,
    replacement: string | undefined,
    signal?: AbortSignal,
  ): Promise<TextFinding[][]> {
    const timeout = AbortSignal.timeout(this.#settings.timeoutMs)
    const either = signal ? AbortSignal.any([timeout, signal]) : timeout
    return readFindings(await this.#ask(question, either), question.texts, replacement ?? DEFAULT_REPLACEMENT)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #ask(question: WebhookQuestion, signal: AbortSignal): Promise<z.output<typeof answerShape>> {
    const { url, headers } = this.#settings
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(question),
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
