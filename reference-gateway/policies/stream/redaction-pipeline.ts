/**
 * Takes one text through all stages of output policies, one stage for each policy group. Says how far the text is
 * settled, and which edits apply, in positions of the original text. A later stage reads what the earlier stages left,
 * and its edits are mapped back to the original here. For example, a first stage turns "ring 555-0143 or call" into
 * "ring [PHONE] or call". A second stage finds "call" at 16-20 of what it reads, which is the edit 17-21 of the
 * original.
 */
import type { TextBuffer } from '../pattern/text-buffer.ts'
import type { Edit } from '../policy/edits.ts'
import type { DetectorOptions, PolicyGroup } from '../policy/policy.ts'
import { type PolicyBlock, type PolicyEvents, TextScanner } from './text-scanner.ts'

/** An edit of the original, and where its replacement lies in the text that the next stage reads. */
interface PriorEdit {
  edit: Edit
  at: number
}

interface EditedText {
  readonly text: TextBuffer
  readonly settledUpTo: number
  /** The reader takes edits from here. */
  readonly edits: Edit[]
}

export class RedactionPipeline {
  readonly #scanners: TextScanner[]
  readonly #adapters: StageAdapter[] = []
  readonly #last: EditedText

  constructor(groups: readonly PolicyGroup[], setting: Omit<DetectorOptions, 'early'>, events: PolicyEvents) {
    const early = groups.length === 1
    this.#scanners = groups.map((group) => new TextScanner(group, { ...setting, early }, events))
    let last: EditedText = this.#first
    for (const scanner of this.#scanners.slice(1)) {
      const adapter = new StageAdapter(last, scanner)
      this.#adapters.push(adapter)
      last = adapter
    }
    this.#last = last
  }

  /** The original text: append to it, then call `advance`. */
  get text(): TextBuffer {
    return this.#first.text
  }

  get settledUpTo(): number {
    return this.#last.settledUpTo
  }

  get edits(): Edit[] {
    return this.#last.edits
  }

  /** The block of the first stage that blocks; the text before it is settled. */
  get blocked(): PolicyBlock | undefined {
    for (const { blocked } of this.#scanners) if (blocked) return blocked
    return undefined
  }

  /** `complete`: judges what is there as if nothing followed. More may follow all the same. */
  /** False: it needs another turn of the event loop. */
  advance(complete: boolean): boolean {
    let isDone = this.#first.advance(complete)
    for (const adapter of this.#adapters) isDone = adapter.advance(complete) && isDone
    return isDone
  }

  /** Nothing before `position` will be asked for again. */
  drop(position: number): void {
    let before = position
    for (const adapter of this.#adapters) before = Math.min(before, adapter.read)
    this.#first.drop(before)
  }

  close(): void {
    for (const scanner of this.#scanners) scanner.close()
  }

  get #first(): TextScanner {
    const [first] = this.#scanners
    if (!first) throw new Error('a redaction pipeline without stages')
    return first
  }
}

/** A stage behind another one. */
class StageAdapter implements EditedText {
  readonly edits: Edit[] = []
  settledUpTo = 0
  /** How much of the source's text the stage has received. */
  read = 0
  readonly #source: EditedText
  readonly #scanner: TextScanner
  readonly #priors: PriorEdit[] = []
  /** How much longer the stage's text is than the original, in the part that is composed. */
  #longer = 0

  constructor(source: EditedText, scanner: TextScanner) {
    this.#source = source
    this.#scanner = scanner
  }

  get text(): TextBuffer {
    return this.#source.text
  }

  advance(complete: boolean): boolean {
    this.#hand()
    const isDone = this.#scanner.advance(complete && this.read === this.#source.text.end)
    this.#compose()
    return isDone
  }

  /** Gives the stage what the source has settled. */
  #hand(): void {
    const { text, edits, settledUpTo } = this.#source
    const target = this.#scanner.text
    // An edit that starts before `settledUpTo` also ends there.
    for (let edit = edits[0]; edit && edit.start < settledUpTo; edit = edits[0]) {
      edits.shift()
      target.appendFrom(text, this.read, edit.start)
      this.#priors.push({ edit, at: target.end })
      target.append(edit.text)
      this.read = edit.end
    }
    if (this.read < settledUpTo) {
      target.appendFrom(text, this.read, settledUpTo)
      this.read = settledUpTo
    }
  }

  #compose(): void {
    const { edits: nexts } = this.#scanner
    const limit = this.#wholeUpTo(this.#scanner.settledUpTo)
    for (;;) {
      const prior = this.#priors[0]
      const next = nexts[0]
      // A deletion right at the limit has nothing to wait for.
      const ready = prior && (prior.at < limit || (prior.at === limit && prior.edit.text === ''))
      const priorAt = ready ? prior.at : Number.POSITIVE_INFINITY
      const nextAt = next && next.start < limit ? next.start : Number.POSITIVE_INFINITY
      if (priorAt === Number.POSITIVE_INFINITY && nextAt === Number.POSITIVE_INFINITY) break
      this.edits.push(this.#cluster(Math.min(priorAt, nextAt), limit))
    }
    this.settledUpTo = limit - this.#longer
    this.#scanner.drop(limit)
  }

  /** A replacement that is settled in part waits as a whole. */
  #wholeUpTo(decided: number): number {
    let limit = decided
    for (let before = -1; before !== limit; ) {
      before = limit
      for (const { edit, at } of this.#priors) if (at < limit && limit < at + edit.text.length) limit = at
      for (const { start, end } of this.#scanner.edits) if (start < limit && limit < end) limit = start
    }
    return limit
  }

  /** Makes one edit of all edits, of both texts, that overlap from `from` on. */
  #cluster(from: number, limit: number): Edit {
    const nexts = this.#scanner.edits
    const start = from - this.#longer
    let reach = from
    let text = ''
    let written = from
    for (;;) {
      const prior = this.#priors[0]
      const next = nexts[0] && nexts[0].start < limit ? nexts[0] : undefined
      if (prior && (prior.at < reach || prior.at === from)) {
        this.#priors.shift()
        reach = Math.max(reach, prior.at + prior.edit.text.length)
        this.#longer += prior.edit.text.length - (prior.edit.end - prior.edit.start)
      } else if (next && (next.start < reach || (next.start === from && reach === from))) {
        nexts.shift()
        text += this.#scanner.text.slice(written, next.start) + next.text
        written = next.end
        reach = Math.max(reach, next.end)
      } else break
    }
    if (written < reach) text += this.#scanner.text.slice(written, reach)
    return { start, end: reach - this.#longer, text }
  }
}
