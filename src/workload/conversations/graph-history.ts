/** What was said on the ways to each turn of a graph, and what of it goes into the turn's request. */
import { allSaid, type History, joinSaid, NOTHING_SAID } from './conversation.ts'
import type { TurnGraph } from './graph.ts'

/** What a turn was told, and answered. */
interface Told {
  /** From the turn that begins its history, up to its answer. */
  said: string
  /** Where in it the turn itself begins. */
  from: number
  /** What parents of the kind 'last' told on the way; it comes after all of `said` in a history. */
  aside: string
}

/** What was said so far in a session, by turn. */
export class GraphHistory {
  readonly #graph: TurnGraph
  readonly #told: (Told | undefined)[] = []

  constructor(graph: TurnGraph) {
    this.#graph = graph
  }

  /** What a turn's request is made with; its parents have ended. */
  before(turn: number): { history: History; between: string } {
    const { full, lasts } = this.#tellersOf(turn)
    const history = { ...NOTHING_SAID, said: full?.said ?? '' }
    return { history, between: joinSaid(full?.aside ?? '', lasts) }
  }

  /** The turn has ended; `history` is that of its request, and the answer. */
  ended(turn: number, history: History): void {
    const { full, lasts } = this.#tellersOf(turn)
    const before = full?.said ?? ''
    this.#told[turn] = {
      said: allSaid(history),
      from: before === '' ? 0 : before.length + 1,
      // The nearest comes first. Without a history that goes on they were told to this turn alone.
      aside: full ? joinSaid(lasts, full.aside) : '',
    }
  }

  #tellersOf(turn: number): { full: Told | undefined; lasts: string } {
    let full: Told | undefined
    let lasts = ''
    for (const parent of this.#graph.parents[turn] ?? []) {
      const told = this.#told[parent.turn]
      if (parent.history === 'full') full = told
      else if (parent.history === 'last') lasts = joinSaid(lasts, told?.said.slice(told.from) ?? '')
    }
    return { full, lasts }
  }
}
