/**
 * One text through all stages of output policies: what of it is decided, and what stands in place of what, in the positions
 * of the text as it came. A later stage reads what the earlier ones left; its edits are brought back to the original's
 * positions here.
 */
import type { Edit } from '../kinds/edits.ts'
import type { Stage } from '../kinds/policy.ts'
import type { TextBuffer } from '../pattern/text-buffer.ts'
import type { DetectorSetting } from './detector.ts'
import { type StageBlock, type StageEvents, StageText } from './stage-text.ts'

/** An edit of the original, and where its replacement lies in the text that the next stage reads. */
interface Prior {
  edit: Edit
  at: number
}

interface Source {
  readonly text: TextBuffer
  readonly decided: number
  /** For the reader to take. */
  readonly edits: Edit[]
}

export class Chain {
  readonly #stages: StageText[]
  readonly #joints: Joint[] = []
  readonly #last: Source

  constructor(stages: readonly Stage[], setting: Omit<DetectorSetting, 'early'>, events: StageEvents) {
    const early = stages.length === 1
    this.#stages = stages.map((stage) => new StageText(stage, { ...setting, early }, events))
    let last: Source = this.#first
    for (const stage of this.#stages.slice(1)) {
      const joint = new Joint(last, stage)
      this.#joints.push(joint)
      last = joint
    }
    this.#last = last
  }

  /** The text as it came: append here, then pump. */
  get text(): TextBuffer {
    return this.#first.text
  }

  get decided(): number {
    return this.#last.decided
  }

  get edits(): Edit[] {
    return this.#last.edits
  }

  /** The first stage that blocks; what it has seen of the text before is decided. */
  get blocked(): StageBlock | undefined {
    return this.#stages.find(({ blocked }) => blocked)?.blocked
  }

  pump(complete: boolean): void {
    this.#first.pump(complete)
    for (const joint of this.#joints) joint.pump(complete)
  }

  release(): void {
    this.#first.release()
    for (const joint of this.#joints) joint.release()
  }

  /** Nothing before `position` will be asked for again. */
  drop(position: number): void {
    let before = position
    for (const joint of this.#joints) before = Math.min(before, joint.read)
    this.#first.drop(before)
  }

  close(): void {
    for (const stage of this.#stages) stage.close()
  }

  get #first(): StageText {
    const [first] = this.#stages
    if (!first) throw new Error('a chain without stages')
    return first
  }
}

/** A stage behind another one. */
class Joint implements Source {
  readonly edits: Edit[] = []
  decided = 0
  /** Up to where the source's text was handed to the stage. */
  read = 0
  readonly #source: Source
  readonly #stage: StageText
  readonly #priors: Prior[] = []
  /** How much longer the stage's text is than the original, up to what is composed. */
  #longer = 0

  constructor(source: Source, stage: StageText) {
    this.#source = source
    this.#stage = stage
  }

  get text(): TextBuffer {
    return this.#source.text
  }

  pump(complete: boolean): void {
    this.#hand()
    this.#stage.pump(complete && this.read === this.#source.text.end)
    this.#compose()
  }

  release(): void {
    this.#hand()
    this.#stage.pump(false)
    this.#stage.release()
    this.#compose()
  }

  /** Gives the stage what the source has decided. */
  #hand(): void {
    const { text, edits, decided } = this.#source
    const target = this.#stage.text
    // An edit that starts before `decided` also ends there.
    for (let edit = edits[0]; edit && edit.start < decided; edit = edits[0]) {
      edits.shift()
      target.appendFrom(text, this.read, edit.start)
      this.#priors.push({ edit, at: target.end })
      target.append(edit.text)
      this.read = edit.end
    }
    if (this.read < decided) {
      target.appendFrom(text, this.read, decided)
      this.read = decided
    }
  }

  #compose(): void {
    const { edits: nexts } = this.#stage
    const limit = this.#wholeUpTo(this.#stage.decided)
    for (;;) {
      const prior = this.#priors[0]
      const next = nexts[0]
      // What was removed without a trace right at the limit has nothing to wait for.
      const ready = prior && (prior.at < limit || (prior.at === limit && prior.edit.text === ''))
      const priorAt = ready ? prior.at : Number.POSITIVE_INFINITY
      const nextAt = next && next.start < limit ? next.start : Number.POSITIVE_INFINITY
      if (priorAt === Number.POSITIVE_INFINITY && nextAt === Number.POSITIVE_INFINITY) break
      this.edits.push(this.#cluster(Math.min(priorAt, nextAt), limit))
    }
    this.decided = limit - this.#longer
    this.#stage.drop(limit)
  }

  /** A replacement that is decided in part waits as a whole. */
  #wholeUpTo(decided: number): number {
    let limit = decided
    for (let before = -1; before !== limit; ) {
      before = limit
      for (const { edit, at } of this.#priors) if (at < limit && limit < at + edit.text.length) limit = at
      for (const { start, end } of this.#stage.edits) if (start < limit && limit < end) limit = start
    }
    return limit
  }

  /** The edits, of both, that overlap from `from` on, as one. */
  #cluster(from: number, limit: number): Edit {
    const nexts = this.#stage.edits
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
        text += this.#stage.text.slice(written, next.start) + next.text
        written = next.end
        reach = Math.max(reach, next.end)
      } else break
    }
    if (written < reach) text += this.#stage.text.slice(written, reach)
    return { start, end: reach - this.#longer, text }
  }
}
