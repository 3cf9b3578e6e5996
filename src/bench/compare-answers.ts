/**
 * Whether the answers of an arm agree with those of the baseline. The same request is in both, but for its nonce; where
 * two answers differ, the very request that the first arm got, nonce included, is sent to the other arm again, twice.
 * If both of these answers are alike and unlike the one of the first arm, the first arm changed it. If they differ from
 * each other, the other arm does not repeat itself, and nothing can be said. So agreement costs no request, and a
 * provider that never says the same twice costs ten.
 */
import type { ComparedAnswer } from '../load/compared-answers.ts'
import { isChosen } from '../load/compared-answers.ts'
import type { RunRecord } from '../load/merge.ts'
import { planBeside, type RunPlan } from '../load/plan.ts'
import type { Agreement } from '../report/schema.ts'
import { type AnswerText, readAnswerTexts } from '../wire/answer-text.ts'
import { buildNonce, nonceWord } from '../wire/nonce.ts'
import { withoutStamps } from '../wire/stamp.ts'
import { type AnswerDifference, findDifference } from './answer-difference.ts'

/** Requests that are asked again at most, and how many of them first, to see whether it is of any use. */
const MOST_AGAIN = 20
const FIRST_AGAIN = 5
const CONCURRENCY = 4

/** Two answers to one request. */
interface AnswerPair {
  index: number
  block: number
  through: AnswerText[]
  other: AnswerText[]
}

/** Sends a plan, or what the user's interrupts leave of it. */
type Send = (plan: RunPlan) => Promise<RunRecord>

/** The numbers of the two arms. */
interface ComparedArms {
  through: number
  other: number
}

/** Of each arm with the baseline; undefined where no request was answered in both. */
export async function compareAnswers(plan: RunPlan, record: RunRecord, send: Send): Promise<(Agreement | undefined)[]> {
  const { arms, baseline: other } = plan
  const agreements: (Agreement | undefined)[] = []
  for (const through of arms.keys()) {
    const compared = other === undefined || through === other ? undefined : { through, other }
    agreements.push(compared && (await compareArms(plan, record, compared, send)))
  }
  return agreements
}

async function compareArms(
  plan: RunPlan,
  record: RunRecord,
  compared: ComparedArms,
  send: Send,
): Promise<Agreement | undefined> {
  const { pairs, every } = pairAnswers(plan, record, compared)
  if (pairs.length === 0) return undefined
  const differing = pairs.filter(({ through, other }) => findDifference(other, through))
  // A run that was ended before its time sends nothing more.
  const asked = record.stopReason === null ? await askAgain(differing, asker(plan, compared, send)) : NOT_ASKED
  return { every, ...conclude(pairs, differing, asked, record.arms[compared.other]?.name === 'direct') }
}

function pairAnswers(
  { arms, workload }: RunPlan,
  record: RunRecord,
  compared: ComparedArms,
): { pairs: AnswerPair[]; every: number } {
  const kept = record.arms.map(({ compared }) => compared ?? { every: 1, answers: [] })
  const every = Math.max(...kept.map((one) => one.every))
  const read = (arm: number, answer: ComparedAnswer): AnswerText[] =>
    readTexts(answer, buildNonce(arms[arm]?.tag ?? '', workload.seed, answer.index))
  const [first, second] = [kept[compared.through], kept[compared.other]]
  const others = new Map(second?.answers.map((answer) => [answer.index, answer]))
  const pairs = (first?.answers ?? []).flatMap((answer) => {
    const other = isChosen(answer.index, every) ? others.get(answer.index) : undefined
    const { index, block } = answer
    return other ? [{ index, block, through: read(compared.through, answer), other: read(compared.other, other) }] : []
  })
  return { pairs, every }
}

/** Without what differs each time by kt's own doing: stamps in the text, and the nonce where an answer repeats it. */
function readTexts({ body, streamed }: ComparedAnswer, nonce: string): AnswerText[] {
  return readAnswerTexts(body, streamed).map(({ text, ...place }) => ({
    ...place,
    text: withoutStamps(text).replaceAll(nonceWord(nonce), 'kt'),
  }))
}

type Ask = (indices: readonly number[]) => Promise<ReadonlyMap<number, AnswerText[]>>

/** Asks the other arm with requests of the first one. */
function asker(plan: RunPlan, { through, other }: ComparedArms, send: Send): Ask {
  const [first, second] = [plan.arms[through], plan.arms[other]]
  return async (only) => {
    if (!first || !second || only.length === 0) return new Map()
    const arm = { ...second, tag: first.tag }
    const beside = planBeside(plan, [arm], only.length, Math.min(CONCURRENCY, only.length))
    const { arms } = await send({ ...beside, compareAnswers: true, only })
    const nonce = (index: number): string => buildNonce(first.tag, plan.workload.seed, index)
    const answers = arms[0]?.compared?.answers ?? []
    return new Map(answers.map((answer) => [answer.index, readTexts(answer, nonce(answer.index))]))
  }
}

interface Asked {
  /** How many of the differing ones, in their order. */
  count: number
  /** The other arm gave another answer to the same request. */
  notRepeated: number
  /** The other arm says what the first one said. */
  own: AnswerPair[]
  /** The other arm says twice the same, and something else than the first one. */
  changed: { pair: AnswerPair; difference: AnswerDifference }[]
  /** No answer changed with the nonce. */
  nonceless: boolean
}

const NOT_ASKED: Asked = { count: 0, notRepeated: 0, own: [], changed: [], nonceless: false }

async function askAgain(differing: readonly AnswerPair[], ask: Ask): Promise<Asked> {
  const asked: Asked = { ...NOT_ASKED, own: [], changed: [], nonceless: true }
  for (const batch of [differing.slice(0, FIRST_AGAIN), differing.slice(FIRST_AGAIN, MOST_AGAIN)]) {
    if (asked.notRepeated > 0) break
    const once = await ask(batch.map(({ index }) => index))
    const open = batch.flatMap((pair) => {
      const again = once.get(pair.index)
      if (!again) return []
      if (findDifference(again, pair.other)) asked.nonceless = false
      const difference = findDifference(again, pair.through)
      if (!difference) asked.own.push(pair)
      return difference ? [{ pair, again, difference }] : []
    })
    const twice = await ask(open.map(({ pair }) => pair.index))
    for (const { pair, again, difference } of open) {
      const answer = twice.get(pair.index)
      if (!answer) continue
      if (findDifference(again, answer)) asked.notRepeated++
      else asked.changed.push({ pair, difference })
    }
    asked.count += batch.length
  }
  return asked
}

/** `direct`: the other arm is the provider itself, which has no cache that could make it repeat itself. */
function conclude(
  pairs: readonly AnswerPair[],
  differing: readonly AnswerPair[],
  { count, notRepeated, own, changed, nonceless }: Asked,
  direct: boolean,
): Omit<Agreement, 'every'> {
  const unsettled = (why: Agreement['why']) => ({
    ...{ compared: pairs.length, differing: differing.length, changed: null, askedAgain: count, notRepeated, why },
    blocks: [],
  })
  if (notRepeated > 0 || (!direct && !nonceless && differing.length > 0)) return unsettled('not-repeated')
  if (differing.length > 0 && own.length + changed.length === 0) return unsettled('not-asked')
  // Where the nonce changes no answer, what was not asked again differs for no other reason than what was.
  const rest = nonceless ? differing.slice(count) : []
  const found = [...changed.map(({ pair }) => pair), ...rest]
  const agreed = pairs.filter((pair) => !differing.includes(pair))
  const compared = [...agreed, ...own, ...found]
  const [example] = changed
  return {
    compared: compared.length,
    differing: differing.length,
    changed: found.length,
    askedAgain: count,
    notRepeated,
    ...(example ? { example: toExample(example.pair.index, example.difference) } : {}),
    blocks: byBlock(compared, found),
  }
}

function toExample(request: number, { choice, kind, at, excerpts: [other, through] }: AnswerDifference) {
  return { request, choice, kind, at, other, through }
}

function byBlock(compared: readonly AnswerPair[], changed: readonly AnswerPair[]): Agreement['blocks'] {
  const blocks = new Map<number, Agreement['blocks'][number]>()
  const blockOf = (index: number) => {
    const block = blocks.get(index) ?? { index, compared: 0, changed: 0 }
    blocks.set(index, block)
    return block
  }
  for (const { block } of compared) blockOf(block).compared++
  for (const { block } of changed) blockOf(block).changed++
  return [...blocks.values()].sort((a, b) => a.index - b.index)
}
