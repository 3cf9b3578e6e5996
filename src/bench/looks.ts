/**
 * The looks of a run that ends as soon as it is decided (src/stats/sequential.ts): at each one the report so far is judged as the
 * whole would be, what was seen is kept for the report, and the run is told whether to go on.
 */
import type { BenchReport, Verdict } from '../report/schema.ts'
import { ALPHA_FAIL, ALPHA_PASS } from '../stats/gate.ts'
import { nextLook } from '../stats/sequential.ts'

type TakenLooks = NonNullable<BenchReport['looks']>

export class Looks {
  readonly #planned: readonly number[]
  readonly #judge: (report: BenchReport) => Verdict | undefined
  readonly #note: (line: string) => void
  readonly #taken: TakenLooks['taken'] = []

  /** `judge` puts its verdict into the report too. */
  constructor(
    planned: readonly number[],
    judge: (report: BenchReport) => Verdict | undefined,
    note: (line: string) => void,
  ) {
    this.#planned = planned
    this.#judge = judge
    this.#note = note
  }

  /** So many pairs of blocks are done: is there need of more? */
  readonly goOn = (soFar: BenchReport, pairs: number): boolean => {
    const verdict = this.#judge(soFar) ?? 'inconclusive'
    this.#taken.push({ pairs, verdict })
    const next = nextLook(verdict, pairs, this.#planned)
    const then = next === undefined ? 'the run ends here' : `on to ${next}`
    this.#note(`After ${pairs} pairs of blocks: ${verdict.toUpperCase()}, ${then}.`)
    return next !== undefined
  }

  /** Judges the whole run, which is the last look, unless that one ended it. */
  end(report: BenchReport): void {
    const verdict = this.#judge(report) ?? 'inconclusive'
    if (this.#planned.length === 0) return
    const pairs = pairsOf(report)
    if (this.#taken.at(-1)?.pairs === pairs) this.#taken.pop()
    this.#taken.push({ pairs, verdict })
    report.looks = { planned: [...this.#planned], taken: this.#taken, alphaPass: ALPHA_PASS, alphaFail: ALPHA_FAIL }
  }
}

/** Blocks that both arms have. */
function pairsOf({ arms, blocks }: BenchReport): number {
  const ofPrimary = blocks.filter((block) => block.arm === arms.primary)
  return ofPrimary.filter(({ index }) => blocks.some((block) => block.arm !== arms.primary && block.index === index))
    .length
}
