/**
 * What a worker's CPU goes into, from runs: cores busy = idle x workers + requests x a request + input x a token +
 * output x a token + events x an event, each a cost of at least 0. Least squares of the relative error over all rows.
 * An interval holds every value that some costs give and the rows do not contradict (profile likelihood), so what the
 * rows cannot tell apart makes it wide instead of being assumed away: two mixes leave the cost of a request open, one
 * mix that of an input token. Reference: Venzon and Moolgavkar 1988, profile-likelihood-based confidence intervals.
 */
import { studentQuantile } from '../../stats/distributions.ts'
import { solve } from '../../stats/solve.ts'

const TERMS = ['idle', 'request', 'input', 'output', 'event'] as const
type Term = (typeof TERMS)[number]
type Costs = Record<Term, number>

/** In a second: what was passed, and the cores that it kept busy. */
export interface CostRow extends Load {
  /** Where it stands: rows of one source follow each other in time. */
  source: string
  cores: number
  workers: number
  /** Of the cores or the throughput, relative. */
  standardError: number
  /** Whether the cores were read, or the workers known to be used up. */
  read: boolean
}

export interface Load {
  requests: number
  input: number
  output: number
  events: number
}

interface Range {
  value: number
  low: number
  high: number
}

export interface CostFit {
  /** Those that the rows do not tell apart are 0 here, and open in the intervals. */
  costs: Costs
  /** Workers for a load: the cores of its costs, of what idling leaves of each. */
  workersFor(load: Load): Range
  /** What the load `a` costs over what `b` costs. */
  ratioOf(a: Load, b: Load): Range
}

/** Of the sum of squares that is left where rows fit exactly. */
const ROUNDING = 1e-8
/** A worker that does nothing is busy for no more than this. */
const MOST_IDLE = 0.1
/** Of what is known of a row's error before the rows are laid side by side. */
const PRIOR_FREEDOM = 6
/** Beyond it, rows leave their line for other reasons than their own errors. */
const SCATTERED = 2
/** How far all readings may be off together, beyond what their scatter shows. */
const COMMON = 0.005
/** Relative to a column's length: below it a term says nothing that those before it do not. */
const TOLD_APART = 0.05

/** `among`: the terms that the point may have; the interval has them all. */
export function fitCosts(rows: readonly CostRow[], among: readonly Term[] = TERMS): CostFit {
  const system = normalSystem(rows)
  const terms = identified(rows).filter((term) => among.includes(term))
  const best = constrained(system, terms)
  if (!best) throw new Error('no admissible costs: those of one term alone always are')
  const { scale, quantile } = noiseOf(rows, best, terms.length)
  const free = TERMS.filter((term) => term !== 'idle' || rows.some(({ read }) => read))
  const limit = (constrained(system, free)?.rss ?? best.rss) + scale * quantile ** 2 + ROUNDING * system.square
  const holds = (load: Load, workers: number): boolean =>
    (constrained(system, free, {
      by: { idle: workers, request: load.requests, input: load.input, output: load.output, event: load.events },
      to: workers,
    })?.rss ?? Number.POSITIVE_INFINITY) <= limit
  const within = (value: number, holdsAt: (value: number) => boolean): Range => ({
    value,
    low: edge(value, 1 / STEP, holdsAt) * (1 - COMMON),
    high: edge(value, STEP, holdsAt) * (1 + COMMON),
  })
  return {
    costs: best.costs,
    workersFor: (load) => within(coresOf(best.costs, load) / (1 - best.costs.idle), (workers) => holds(load, workers)),
    ratioOf: (a, b) =>
      within(coresOf(best.costs, a) / coresOf(best.costs, b), (ratio) => {
        const by = Object.fromEntries(TERMS.map((term) => [term, ofLoad(a, term) - ratio * ofLoad(b, term)])) as Costs
        return (constrained(system, free, { by, to: 0 })?.rss ?? Number.POSITIVE_INFINITY) <= limit
      }),
  }
}

function coresOf(costs: Costs, load: Load): number {
  return TERMS.reduce((sum, term) => sum + costs[term] * ofLoad(load, term), 0)
}

function ofLoad({ requests, input, output, events }: Load, term: Term): number {
  return { idle: 0, request: requests, input, output, event: events }[term]
}

const STEP = 1.15
const STEPS = 60

/** Where `holds` ends, going from a value that it holds for by a factor; the last one tried where it does not end. */
function edge(from: number, factor: number, holds: (value: number) => boolean): number {
  let inside = from
  let outside = from * factor
  for (let step = 0; holds(outside); step++) {
    if (step === STEPS) return factor < 1 ? 0 : Number.POSITIVE_INFINITY
    inside = outside
    outside *= factor
  }
  for (let i = 0; i < 10; i++) {
    const middle = Math.sqrt(inside * outside)
    if (holds(middle)) inside = middle
    else outside = middle
  }
  return inside
}

/** How much wider than the rows' own errors they scatter, and Student's quantile of what is known of it. */
function noiseOf(
  rows: readonly CostRow[],
  { costs, rss }: { costs: Costs; rss: number },
  terms: number,
): { scale: number; quantile: number } {
  const freedom = rows.length - terms
  const scatter = freedom > 0 ? (rss / freedom) * drift(rows, costs) : 1
  const alone = freedom >= 3 && (rows.every(({ read }) => read) || scatter > SCATTERED)
  if (alone) return { scale: scatter, quantile: studentQuantile(0.975, freedom) }
  const pooled = (PRIOR_FREEDOM + Math.max(0, freedom) * scatter) / (PRIOR_FREEDOM + Math.max(0, freedom))
  return { scale: Math.max(1, pooled), quantile: studentQuantile(0.975, PRIOR_FREEDOM + Math.max(0, freedom)) }
}

/** Machines drift: neighbours in time that err alike count for fewer rows than there are. */
const MOST_DRIFT = 6

function drift(rows: readonly CostRow[], costs: Costs): number {
  const residuals = rows.map((row) => ({
    source: row.source,
    error: TERMS.reduce((sum, term) => sum + costs[term] * amountIn(row, term), 0) / row.cores - 1,
  }))
  let [along, square, sources] = [0, 0, 0]
  for (const [i, { source, error }] of residuals.entries()) {
    const before = residuals[i - 1]
    if (before?.source === source) along += error * before.error
    else sources++
    square += error ** 2
  }
  const pairs = rows.length - sources
  if (pairs < 3 || square === 0) return 1
  // Around a line through few rows the correlation comes out too low, by about (2 + 4 r) / n (Kendall 1954).
  const seen = along / square
  const correlation = Math.min(0.9, seen + (2 + 4 * seen) / (rows.length / sources))
  return Math.min(MOST_DRIFT, Math.max(1, (1 + correlation) / (1 - correlation)))
}

function amountIn(row: CostRow, term: Term): number {
  return term === 'idle' ? row.workers : ofLoad(row, term)
}

/** Terms that the rows tell apart, tokens first: the point that is planned with has no others. */
function identified(rows: readonly CostRow[]): Term[] {
  const kept: { term: Term; direction: number[] }[] = []
  const order: Term[] = rows.some(({ read }) => read)
    ? ['output', 'input', 'idle', 'request', 'event']
    : ['output', 'input', 'request', 'event']
  for (const term of order) {
    const column = rows.map((row) => amountIn(row, term) / row.cores)
    const length = Math.hypot(...column)
    let left = column
    for (const { direction } of kept) {
      const along = left.reduce((sum, value, i) => sum + value * (direction[i] ?? 0), 0)
      left = left.map((value, i) => value - along * (direction[i] ?? 0))
    }
    const rest = Math.hypot(...left)
    if (kept.length < rows.length && rest > TOLD_APART * length)
      kept.push({ term, direction: left.map((value) => value / rest) })
  }
  return TERMS.filter((term) => kept.some((entry) => entry.term === term))
}

interface System {
  /** Of each term, so that all columns have the length 1. */
  unit: Costs
  normal: number[][]
  right: number[]
  square: number
}

function normalSystem(rows: readonly CostRow[]): System {
  const weighted = rows.map((row) => ({
    columns: TERMS.map((term) => amountIn(row, term) / row.cores / row.standardError),
    to: 1 / row.standardError,
  }))
  const lengths = TERMS.map((_, j) => Math.hypot(...weighted.map(({ columns }) => columns[j] ?? 0)) || 1)
  const at = (columns: readonly number[], j: number): number => (columns[j] ?? 0) / (lengths[j] ?? 1)
  return {
    unit: Object.fromEntries(TERMS.map((term, j) => [term, lengths[j] ?? 1])) as Costs,
    normal: TERMS.map((_, j) =>
      TERMS.map((__, k) => weighted.reduce((sum, { columns }) => sum + at(columns, j) * at(columns, k), 0)),
    ),
    right: TERMS.map((_, j) => weighted.reduce((sum, { columns, to }) => sum + at(columns, j) * to, 0)),
    square: weighted.reduce((sum, { to }) => sum + to * to, 0),
  }
}

/** Keeps a system solvable whose columns say the same; it changes no figure in its first eight digits. */
const RIDGE = 1e-9

/**
 * The least squares under costs of at least 0, an idle worker of at most a tenth, and one linear equation: every choice
 * of which costs are free is solved by itself, and the best admissible one wins.
 */
function constrained(
  { unit, normal, right, square }: System,
  terms: readonly Term[],
  equation?: { by: Costs; to: number },
): { costs: Costs; rss: number } | undefined {
  const by = equation && TERMS.map((term) => equation.by[term] / unit[term])
  let best: { costs: Costs; rss: number } | undefined
  for (const { free, idle } of choices(terms)) {
    const fixed = idle * unit.idle
    const matrix = free.map((j) => [
      ...free.map((k) => (normal[j]?.[k] ?? 0) * (j === k ? 1 + RIDGE : 1)),
      ...(by ? [by[j] ?? 0] : []),
    ])
    const to = free.map((j) => (right[j] ?? 0) - (normal[j]?.[0] ?? 0) * fixed)
    if (by) {
      matrix.push([...free.map((j) => by[j] ?? 0), 0])
      to.push((equation?.to ?? 0) - (by[0] ?? 0) * fixed)
    }
    const solved = solve(matrix, to)
    if (!solved) continue
    const scaled = TERMS.map((_, j) => (j === 0 ? fixed : 0))
    for (const [i, j] of free.entries()) scaled[j] = solved[i] ?? 0
    if (scaled.some((value) => value < 0) || (scaled[0] ?? 0) > MOST_IDLE * unit.idle) continue
    const rss =
      square +
      scaled.reduce(
        (sum, value, j) =>
          sum +
          value * (scaled.reduce((row, other, k) => row + (normal[j]?.[k] ?? 0) * other, 0) - 2 * (right[j] ?? 0)),
        0,
      )
    if (best && rss >= best.rss) continue
    best = { rss, costs: Object.fromEntries(TERMS.map((term, j) => [term, (scaled[j] ?? 0) / unit[term]])) as Costs }
  }
  return best
}

/** Which terms are free, by their index, where the others are 0 and the idle one may lie on its bound. */
function choices(terms: readonly Term[]): { free: number[]; idle: number }[] {
  const indexes = terms.map((term) => TERMS.indexOf(term))
  const subsets = Array.from({ length: 2 ** indexes.length }, (_, set) => indexes.filter((__, i) => (set >> i) & 1))
  return subsets
    .filter(({ length }) => length > 0)
    .flatMap((free) => [
      { free, idle: 0 },
      ...(indexes.includes(0) && !free.includes(0) ? [{ free, idle: MOST_IDLE }] : []),
    ])
}
