/**
 * Which recorded answer a request gets. By request: one that was recorded for the same request (its digest), else for
 * one that is near (the same protocol, whole or streamed, the same model, a similar size); which of several, the
 * request's own seed says, so that the same request has the same answer in every arm and run. Without a nonce they come
 * in turns. In order: one after another of the same protocol, and again from the first.
 */
import { hash32 } from '../../stats/random.ts'
import type { Cassette, RecordedAnswer } from './cassette.ts'
import type { AskedRequest } from './request.ts'
import { type Script, scriptOf } from './script.ts'

export const ORDERS = ['request', 'sequence'] as const

export interface PlayerOptions {
  /** So many times faster than recorded. */
  speed: number
  order: (typeof ORDERS)[number]
  /** Combined with each request's own seed. */
  seed: number
  /** Hears once of what a user should know: a fallback, a cassette that begins again. */
  note: (line: string) => void
}

/** What was played so far, for GET /__kt/stats. */
export interface PlayedCounts {
  /** Answers of the very request. */
  exact: number
  /** Answers of a request that is near. */
  nearest: number
  /** One after another. */
  inOrder: number
  /** Requests that the cassette has no answer for. */
  unanswered: number
  /** With --order sequence: how often all answers of a kind had been played, and it began again. */
  rounds: number
}

/** A size is similar within this factor. */
const SIMILAR = 2

export class CassettePlayer {
  readonly speed: number
  readonly counts: PlayedCounts = { exact: 0, nearest: 0, inOrder: 0, unanswered: 0, rounds: 0 }
  readonly #path: string
  readonly #options: PlayerOptions
  readonly #scripts: readonly Script[]
  readonly #exact: ReadonlyMap<string, Script[]>
  readonly #kinds: ReadonlyMap<string, Script[]>
  /** How often each list was asked. */
  readonly #turns = new Map<string, number>()
  readonly #said = new Set<string>()

  constructor({ path, answers }: Cassette, options: PlayerOptions) {
    this.#path = path
    this.#options = options
    this.speed = options.speed
    this.#scripts = answers.map(({ answer, line }) => scriptOf(answer, line))
    this.#exact = Map.groupBy(this.#scripts, ({ answer }) => exactKey(answer.request))
    this.#kinds = Map.groupBy(this.#scripts, ({ answer }) => kindKey(answer.request))
  }

  /** `attempt` of the request's nonce: a retry draws anew. Undefined where the cassette has no answer for it. */
  choose(asked: AskedRequest, attempt: number): Script | undefined {
    const kind = kindKey(asked)
    const ofKind = this.#kinds.get(kind)
    if (!ofKind) {
      this.counts.unanswered++
      return undefined
    }
    if (this.#options.order === 'sequence') {
      this.counts.inOrder++
      return this.#next(kind, ofKind)
    }
    const key = exactKey(asked)
    const exact = this.#exact.get(key)
    if (exact) {
      this.counts.exact++
      return this.#drawn(key, exact, asked, attempt)
    }
    this.counts.nearest++
    return this.#nearest(ofKind, asked, attempt)
  }

  /** Whether it holds whole answers of this kind. */
  knows(kind: string): boolean {
    return this.#kinds.has(kind)
  }

  /** What the cassette holds, for a request that it has no answer for. */
  get holds(): string {
    return [...this.#kinds.keys()].join(', ')
  }

  #nearest(ofKind: Script[], asked: AskedRequest, attempt: number): Script | undefined {
    const ofModel = ofKind.filter(({ answer }) => answer.request.model === asked.model)
    const model = ofModel.length > 0
    const near = model ? ofModel : ofKind
    const similar = near.filter(({ answer }) => sizesApart(answer, asked) <= SIMILAR)
    const [first] = near.toSorted((a, b) => sizesApart(a.answer, asked) - sizesApart(b.answer, asked))
    const what = model ? 'a similar one' : `one of another model (${first?.answer.request.model ?? 'none'})`
    this.#say(`no answer to this very request in ${this.#path}: it plays that of ${what}, by protocol, model and size`)
    const list =
      similar.length > 0 ? similar : near.filter(({ answer }) => answer.request.bytes === first?.answer.request.bytes)
    return this.#drawn(`${kindKey(asked)} ${asked.model} near`, list, asked, attempt)
  }

  #drawn(key: string, list: readonly Script[], { seed }: AskedRequest, attempt: number): Script | undefined {
    if (seed === undefined) return this.#next(key, list)
    return list[hash32(`${this.#options.seed}:${seed}:${attempt}:answer`) % list.length]
  }

  #next(key: string, list: readonly Script[]): Script | undefined {
    const turn = this.#turns.get(key) ?? 0
    this.#turns.set(key, turn + 1)
    if (this.#options.order === 'sequence' && turn > 0 && turn % list.length === 0) {
      this.counts.rounds++
      this.#say(`all answers of ${this.#path} were played: it begins again`)
    }
    return list[turn % list.length]
  }

  #say(line: string): void {
    if (this.#said.has(line)) return
    this.#said.add(line)
    this.#options.note(`kt: ${line}`)
  }
}

type Request = Pick<RecordedAnswer['request'], 'kind' | 'stream' | 'digest'>

function kindKey({ kind, stream }: Request): string {
  return stream ? `${kind} (stream)` : kind
}

function exactKey(request: Request): string {
  return `${kindKey(request)} ${request.digest}`
}

/** How many times larger one request is than the other. */
function sizesApart({ request }: RecordedAnswer, { bytes }: AskedRequest): number {
  const [a, b] = [request.bytes + 1, bytes + 1]
  return Math.max(a / b, b / a)
}
