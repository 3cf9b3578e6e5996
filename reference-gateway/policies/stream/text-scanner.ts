/**
 * Scans one growing text for one policy group: its detectors side by side, how far all of them have settled the text,
 * and their matches merged into edits. A policy that only flags settles nothing, so nothing waits for it.
 */
import { TextBuffer } from '../pattern/text-buffer.ts'
import type { Edit } from '../policy/edits.ts'
import type { DetectedMatch, Detector, DetectorOptions, Policy, PolicyGroup } from '../policy/policy.ts'
import { ALL, type Skim, skimOf, startersIn } from './skim.ts'

export interface PolicyEvents {
  found(policy: Policy): void
  timedOut(policy: Policy): void
}

export interface PolicyBlock {
  policy: Policy
  why: 'match' | 'timeout'
}

/** Text is forgotten in pieces of this length, since every detector is asked whether it needs it. */
const DROPPED_UNITS = 128

class MergedEdit implements Edit {
  readonly start: number
  readonly text: string
  readonly #parts: DetectedMatch[]

  constructor(found: DetectedMatch) {
    this.start = found.match.start
    this.text = found.replacement
    this.#parts = [found]
  }

  get end(): number {
    let end = 0
    for (const { match } of this.#parts) end = Math.max(end, match.end)
    return end
  }

  get open(): boolean {
    return this.#parts.some(({ match }) => match.open)
  }

  add(found: DetectedMatch): void {
    this.#parts.push(found)
  }
}

export class TextScanner {
  readonly text = new TextBuffer()
  /** The reader takes edits from here, in order. */
  readonly edits: MergedEdit[] = []
  settledUpTo = 0
  blocked: PolicyBlock | undefined
  readonly #events: PolicyEvents
  readonly #early: boolean
  #detectors: Detector[]
  /** Undefined: every detector reads everything. */
  #skim: Skim | undefined
  /** A bit for each detector with something under way. The others were not asked to read up to #readTo. */
  #active = ALL
  #readTo = 0
  #pending: DetectedMatch[] = []
  #last: MergedEdit | undefined

  constructor(group: PolicyGroup, setting: DetectorOptions, events: PolicyEvents) {
    this.#events = events
    this.#early = setting.early
    this.#detectors = group.flatMap((policy) => policy.stream.detectors(policy, setting))
    this.#skim = skimOf(group, this.#detectors)
  }

  /**
   * Judges what was added to `text`. `complete`: as if nothing more were added. False: it needs another turn of the
   * event loop.
   */
  advance(complete: boolean): boolean {
    if (this.blocked) return true
    const { text } = this
    const detectors = this.#detectors
    const from = this.#readTo
    const due = this.#due(complete)
    let isDone = true
    for (let i = 0; i < detectors.length; i++) {
      const detector = detectors[i]
      const bit = 1 << i
      if (!detector || (due & bit) === 0) continue
      if ((this.#active & bit) === 0) detector.skip?.(from)
      if (detector.failed === undefined && !detector.feed(text, complete)) isDone &&= detector.failed !== undefined
      if (this.#skim) this.#active = detector.isIdleAt?.(text.end) ? this.#active & ~bit : this.#active | bit
      if (detector.failed !== undefined) this.#fail(detector)
      if (detector.found.length > 0) this.#take(detector)
    }
    this.#readTo = text.end
    if (detectors !== this.#detectors) this.#forgetSkim(detectors, due)
    this.#merge(this.#frontier())
    return isDone || this.blocked !== undefined
  }

  /** The detectors that must read what was added. */
  #due(complete: boolean): number {
    if (complete || this.text.odd || !this.#skim) return ALL
    return this.#active | startersIn(this.#skim, this.text, this.#readTo)
  }

  /** The rest of the detectors reads everything from here on: `before` was the order of their bits. */
  #forgetSkim(before: readonly Detector[], read: number): void {
    if (!this.#skim) return
    for (const [i, detector] of before.entries()) {
      if (((this.#active | read) & (1 << i)) === 0) detector.skip?.(this.#readTo)
    }
    this.#skim = undefined
    this.#active = ALL
  }

  /** Forgets what lies before `position`, as far as no detector looks back at it. */
  drop(position: number): void {
    if (position - this.text.base < DROPPED_UNITS) return
    // What an idle detector reads next may depend on the character before.
    let needed = Math.max(0, Math.min(position, this.#readTo - 1))
    for (let i = 0; i < this.#detectors.length; i++) {
      if ((this.#active & (1 << i)) !== 0) needed = Math.min(needed, this.#detectors[i]?.needed ?? needed)
    }
    this.text.drop(needed)
  }

  close(): void {
    for (const detector of this.#detectors) detector.close?.()
  }

  #fail(detector: Detector): void {
    const { policy } = detector
    this.#detectors = this.#detectors.filter((other) => other.policy !== policy)
    this.#events.timedOut(policy)
    if (policy.onTimeout === 'fail_closed') this.blocked ??= { policy, why: 'timeout' }
  }

  #take(detector: Detector): void {
    const { policy, found } = detector
    this.#events.found(policy)
    if (policy.action === 'block') {
      // The earliest match of the group counts, whichever detector ran first.
      this.blocked ??= { policy, why: 'match' }
      this.#blockedAt = Math.min(this.#blockedAt, found[0]?.match.start ?? 0)
    } else if (policy.action === 'redact') this.#pending.push(...found)
    found.length = 0
  }

  #blockedAt = Number.POSITIVE_INFINITY

  #frontier(): number {
    let frontier = Math.min(this.text.end, this.#blockedAt)
    if (this.blocked?.why === 'timeout') frontier = this.settledUpTo
    for (let i = 0; i < this.#detectors.length; i++) {
      const detector = (this.#active & (1 << i)) === 0 ? undefined : this.#detectors[i]
      if (detector && detector.policy.action !== 'flag') frontier = Math.min(frontier, detector.settledUpTo)
    }
    return Math.max(this.settledUpTo, frontier)
  }

  #merge(frontier: number): void {
    this.settledUpTo = frontier
    if (this.#pending.length > 0) this.#mergePending(frontier)
    // Only final text goes on to the next stage.
    const straddling = this.#early ? undefined : this.edits.at(-1)
    if (straddling && straddling.end > frontier) this.settledUpTo = Math.min(frontier, straddling.start)
  }

  #mergePending(frontier: number): void {
    this.#pending.sort((a, b) => a.match.start - b.match.start || a.order - b.order)
    let taken = 0
    for (const found of this.#pending) {
      if (found.match.start >= frontier) break
      taken++
      if (this.#last && found.match.start < this.#last.end) {
        this.#last.add(found)
      } else {
        this.#last = new MergedEdit(found)
        this.edits.push(this.#last)
      }
    }
    this.#pending.splice(0, taken)
  }
}
