/** Whether both arms of a run answered alike, in words, with an example where they did not. */
import type { Agreement, Run } from '../report/schema.ts'
import { counted, formatNumber } from '../units.ts'

interface Words {
  /** The arm that may have changed answers, and the one that cannot. */
  first: string
  other: string
  /** What is said by the one, and by the other. */
  through: string
  directly: string
}

const DIRECT: Words = {
  first: 'the gateway',
  other: 'the provider',
  through: 'through the gateway',
  directly: 'directly',
}
const OTHER: Words = {
  first: 'the target',
  other: 'the other arm',
  through: 'by the target',
  directly: 'by the other arm',
}

const KINDS = { visible: 'visible text', reasoning: 'reasoning', tool: 'tool arguments' } as const

/** Undefined where nothing was compared. `warn`: an answer was changed. */
export function answersLine({ agreement, baseline }: Pick<Run, 'agreement' | 'baseline'>): AnswersLine | undefined {
  if (!agreement) return undefined
  const words = baseline?.role === 'direct' ? DIRECT : OTHER
  const { changed } = agreement
  if (changed === null) return { warn: false, text: unsettled(agreement, words) }
  const chosen = agreement.every > 1 ? `, one of ${counted(agreement.every, 'request')}` : ''
  const compared = formatNumber(agreement.compared)
  if (changed === 0) {
    const nonce = agreement.differing > 0 ? '; some change with the nonce, and not with the gateway' : ''
    return { warn: false, text: `alike, ${compared} compared${chosen}${nonce}` }
  }
  const text =
    `${words.first} changed ${formatNumber(changed)} of ${compared} answers${chosen}; ` +
    `${words.other} repeats itself (${counted(agreement.askedAgain, 'request')} asked again)`
  return { warn: true, text: text + example(agreement, words) }
}

interface AnswersLine {
  warn: boolean
  text: string
}

function unsettled({ why, compared, differing, askedAgain, notRepeated }: Agreement, { other }: Words): string {
  if (why === 'not-asked') {
    return `${formatNumber(differing)} of ${formatNumber(compared)} differ, and ${other} was not asked again`
  }
  const shown =
    notRepeated > 0 ? ` (${notRepeated} of ${counted(askedAgain, 'request')} asked again got two answers)` : ''
  return `${other} does not repeat itself: not compared${shown}`
}

function example({ example: found }: Agreement, { directly, through }: Words): string {
  if (!found) return ''
  const choice = found.choice > 0 ? `, choice ${found.choice}` : ''
  const place = `request ${found.request}${choice}, ${KINDS[found.kind]} from character ${found.at}`
  return `. Such as ${place}: ${quoted(found.other)} ${directly}, ${quoted(found.through)} ${through}`
}

function quoted(text: string): string {
  return text === '' ? 'nothing' : JSON.stringify(text)
}
