/**
 * What would change the answer: the fleet again with each main uncertainty at its ends, by itself. A figure has its
 * measured interval, else 20 % each way; a window that is not stated may have been a second.
 */
import type { Demand } from './demand.ts'
import type { FigureKey } from './figures.ts'
import { nodeCapacity, type PlanChoices, planFleet } from './plan.ts'
import type { Sizing } from './sizing.ts'

const UNSURE: readonly FigureKey[] = [
  'outputPerWorker',
  'ratio',
  'outputBytesPerToken',
  'tokensPerSecPerStream',
  'ttftS',
]
const ASSUMED = 0.2

export interface AnswerRange {
  pods: { low: number; high: number }
  nodes: { low: number; high: number }
  /** What moves it, the most first. */
  by: string[]
}

export function answerRange(demand: Demand, sizing: Sizing, choices: PlanChoices): AnswerRange {
  const node = nodeCapacity(choices.node)
  const sizeOf = (of: Demand, figures = choices.figures) => {
    const { pods, nodes } = planFleet(of, sizing, { ...choices, figures }, node)
    return { pods: pods.steady, nodes: nodes.steady }
  }
  const moved = UNSURE.map((name) => {
    const figure = choices.figures[name]
    const { value, low = value * (1 - ASSUMED), high = value * (1 + ASSUMED) } = figure
    const at = (to: number) => sizeOf(demand, { ...choices.figures, [name]: { ...figure, value: to } })
    return { name: name as string, sizes: [at(low), at(high)] }
  })
  const second = { ...demand, burst: { factor: 1, why: 'the peak is one of a second' } }
  const all = [...(demand.window.stated ? [] : [{ name: 'window', sizes: [sizeOf(second)] }]), ...moved]
  const base = sizeOf(demand)
  const span = (read: (size: typeof base) => number) => {
    const values = [base, ...all.flatMap(({ sizes }) => sizes)].map(read)
    return { low: Math.min(...values), high: Math.max(...values) }
  }
  const swing = ({ sizes }: { sizes: (typeof base)[] }): number =>
    Math.max(...sizes.map(({ pods, nodes }) => Math.abs(nodes / base.nodes - 1) + Math.abs(pods / base.pods - 1)))
  return {
    pods: span(({ pods }) => pods),
    nodes: span(({ nodes }) => nodes),
    by: all
      .filter((entry) => swing(entry) > 0)
      .sort((a, b) => swing(b) - swing(a))
      .map(({ name }) => name),
  }
}
