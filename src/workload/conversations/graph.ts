/**
 * Turns of a session that form a graph: agents that others call, at the same time, and turns that wait for them. Plain
 * data, which crosses to the sending threads.
 */
import type { DatasetTurn, TurnParent } from '../datasets/dataset.ts'

/** Each by turn, in an order in which parents come first. */
export interface TurnGraph {
  parents: readonly (readonly GraphParent[])[]
  children: readonly (readonly number[])[]
  /** How many turns come before it, at most, one after another. */
  depths: readonly number[]
}

type GraphParent = Pick<TurnParent, 'turn' | 'history'> & { delayUs: number | undefined }

/** Undefined where the turns just follow one another. */
export function graphOf(turns: readonly DatasetTurn[]): TurnGraph | undefined {
  if (turns.every(({ parents }, turn) => parents === undefined || isPlain(parents, turn))) return undefined
  const parents = turns.map((turn) =>
    (turn.parents ?? []).map((parent): GraphParent => {
      const { delayMs } = parent
      return {
        turn: parent.turn,
        history: parent.history,
        delayUs: delayMs === undefined ? undefined : delayMs * 1_000,
      }
    }),
  )
  const children: number[][] = turns.map(() => [])
  const depths: number[] = []
  for (const [turn, those] of parents.entries()) {
    for (const parent of those) children[parent.turn]?.push(turn)
    depths[turn] = Math.max(-1, ...those.map((parent) => depths[parent.turn] ?? 0)) + 1
  }
  return { parents, children, depths }
}

function isPlain(parents: readonly TurnParent[], turn: number): boolean {
  const [only, ...others] = parents
  if (turn === 0) return only === undefined
  return only?.turn === turn - 1 && only.history === 'full' && only.delayMs === undefined && others.length === 0
}
