/**
 * A webhook's view of a growing text: it is asked about windows, each once it is full, once its first character has waited
 * for the flush interval, or once the text is complete. One window is asked about at a time; it is held until judged.
 */
import type { Policy } from '../policy.ts'
import type { TextBuffer } from '../text-buffer.ts'
import type { Webhook } from '../webhook.ts'
import type { Detector, DetectorSetting, Found } from './detector.ts'

export class WebhookDetector implements Detector {
  readonly policy: Policy
  readonly found: Found[] = []
  decided = 0
  failed: 'timeout' | undefined
  readonly #webhook: Webhook
  readonly #setting: DetectorSetting
  readonly #order: number
  readonly #abort = new AbortController()
  #text: TextBuffer | undefined
  #complete = false
  #asking = false
  #timer: NodeJS.Timeout | undefined

  constructor(policy: Policy, webhook: Webhook, setting: DetectorSetting, order: number) {
    this.policy = policy
    this.#webhook = webhook
    this.#setting = setting
    this.#order = order
  }

  get needed(): number {
    return this.decided
  }

  feed(text: TextBuffer, complete: boolean): boolean {
    this.#text = text
    this.#complete = complete
    this.#consider(false)
    return true
  }

  release(): void {
    this.decided = this.#text?.end ?? 0
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#abort.abort()
  }

  #consider(flush: boolean): void {
    const waiting = (this.#text?.end ?? 0) - this.decided
    if (this.#asking || waiting === 0) return
    if (flush || this.#complete || waiting >= this.#setting.window) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#ask()
    } else this.#timer ??= setTimeout(() => this.#flush(), this.#setting.flushMs)
  }

  #flush(): void {
    this.#timer = undefined
    this.#consider(true)
  }

  #ask(): void {
    const text = this.#text
    if (!text) return
    const from = this.decided
    const to = Math.min(text.end, from + this.#setting.window)
    const question = { policy: this.policy.name, direction: 'output' as const, texts: [text.slice(from, to)] }
    this.#asking = true
    this.#webhook.judge(question, this.policy.replacement, this.#abort.signal).then(
      ([findings = []]) => {
        this.#asking = false
        // Released meanwhile: too late.
        if (this.decided === from) {
          for (const { start, end, replacement } of findings) {
            const match = { start: from + start, end: from + end, open: false }
            this.found.push({ match, replacement, order: this.#order })
          }
          this.decided = to
        }
        this.#consider(false)
        this.#setting.changed()
      },
      () => {
        this.#asking = false
        if (this.#abort.signal.aborted) return
        this.failed = 'timeout'
        this.#setting.changed()
      },
    )
  }
}
