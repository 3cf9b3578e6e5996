/** How far a session has come whose turns form a graph: which turns may begin, and whether it is over. */
import type { TurnGraph } from '../workload/conversations/graph.ts'
import { GraphHistory } from '../workload/conversations/graph-history.ts'

export class SessionGraph {
  readonly graph: TurnGraph
  readonly history: GraphHistory
  /** Its requests in flight, and its turns that wait for their time. */
  open = 0
  /** A turn failed: no other begins. */
  failed = false
  /** By turn: the parents that have not ended. */
  readonly #missing: number[]

  constructor(graph: TurnGraph) {
    this.graph = graph
    this.history = new GraphHistory(graph)
    this.#missing = graph.parents.map(({ length }) => length)
  }

  /** The turns that begin with the session; the first turn is one of them. */
  get roots(): number[] {
    return this.#missing.flatMap((missing, turn) => (missing === 0 ? [turn] : []))
  }

  /** The turns that waited for this one alone. */
  freedBy(turn: number): number[] {
    const { children } = this.graph
    return (children[turn] ?? []).filter((child) => {
      const missing = (this.#missing[child] ?? 0) - 1
      this.#missing[child] = missing
      return missing === 0
    })
  }

  /** The pause that the file gives after `parent`, before `turn`. */
  delayUs(parent: number, turn: number): number | undefined {
    return this.graph.parents[turn]?.find((each) => each.turn === parent)?.delayUs
  }
}
