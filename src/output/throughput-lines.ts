/** What a run carried a second, in words: the basis of every rate, and what is not in it. */
import type { ArmResult, Run } from '../report/schema.ts'
import { COUNTED_BY } from '../report/token-basis.ts'
import { formatNumber, formatShare } from '../units.ts'
import { type Goodput, goodputOf } from '../verdict/goodput.ts'
import { restsOn } from './answers.ts'
import { columns, type Page, paragraph } from './table.ts'

type Throughput = ArmResult['throughput']

/** With two decimals below 100. */
export function rate(perSec: number): string {
  return formatNumber(perSec, perSec < 100 ? 2 : 0)
}

/** The rates of a run; what they rest on is told on request, and always where kt itself was their limit. */
export function throughputSection(report: Run, page: Page): string {
  const { c, explain, width } = page
  const t = report.throughput
  const { successful, sent } = report.totals
  const note = [restsOn(successful, sent), drainNote(report) ?? ''].filter((part) => part !== '').join('; ')
  const rows = [['Requests/sec:', rate(t.requestsPerSec), c.dim(explain ? note : '')]]
  if (t.tokensPerSec !== null) {
    const parts =
      t.inputTokensPerSec === null ? '' : `in ${rate(t.inputTokensPerSec)}, out ${rate(t.outputTokensPerSec ?? 0)}; `
    rows.push(['Tokens/sec:', rate(t.tokensPerSec), c.dim(explain ? `${parts}counted by ${countedBy(t)}` : '')])
  }
  rows.push(...goodputRows(report).map(([name, value, share]) => [name, value, c.dim(share)]))
  const notes = explain ? tokenNotes(report).map((line) => c.dim(paragraph(line, page, '  '))) : []
  const [limit, by] = [limitNote(report), report.client.throughputLimit?.by]
  if (limit !== undefined && (explain || by === 'client')) {
    const shade = by === 'target' ? c.dim : c.yellow
    notes.push(shade(paragraph(limit, page, '  ')))
  }
  const table = columns(rows, { width, align: ['left', 'right', 'left'] })
  return [c.bold('Throughput:'), table, ...notes].join('\n')
}

/** The requests a second that were answered within all targets, where the run has any. */
function goodputRows(report: Run): [string, string, string][] {
  const goodput = goodputOf(report)
  if (!goodput || report.totals.successful === 0) return []
  return [['Goodput/sec:', rate(goodputPerSec(report, goodput)), goodputWords(goodput)]]
}

export function goodputWords({ share, exact, within }: Goodput): string {
  return `${exact ? '' : 'at least '}${formatShare(share)} within ${within}`
}

function goodputPerSec({ throughput, totals }: Run, { share }: Goodput): number {
  return (throughput.requestsPerSec * totals.sent * share) / totals.successful
}

/** 'usage', 'tokenizer', or each with its number of answers. */
export function countedBy({ tokenSource, counted }: Throughput): string {
  if (tokenSource !== 'mixed' || !counted) return COUNTED_BY[tokenSource]
  const parts = Object.entries(counted).filter(([, answers]) => answers > 0)
  return parts.map(([source, answers]) => `${source} (${formatNumber(answers)} answers)`).join(' and ')
}

/** What is in the rates of tokens that a reader may not expect there, and what is not. */
export function tokenNotes({ throughput, totals }: Pick<Run, 'throughput' | 'totals'>): string[] {
  const { tokensPerSec, counted, failedAnswers } = throughput
  const { hiddenTokensPerSec, cachedTokensPerSec, cacheWrittenTokensPerSec } = throughput
  const cache = [
    cachedTokensPerSec === undefined ? '' : `${rate(cachedTokensPerSec)}/s read from a prompt cache`,
    cacheWrittenTokensPerSec === undefined ? '' : `${rate(cacheWrittenTokensPerSec)}/s written to one`,
  ].filter((part) => part !== '')
  const answers = counted ? counted.usage + counted.tokenizer + counted.events : totals.successful
  return [
    tokensPerSec !== null && answers < totals.successful
      ? `the tokens of ${formatNumber(answers)} of ${formatNumber(totals.successful)} answers`
      : '',
    hiddenTokensPerSec === undefined ? '' : `of the output ${rate(hiddenTokensPerSec)}/s hidden reasoning, never sent`,
    cache.length === 0 ? '' : `of the input ${cache.join(', ')}`,
    failedAnswers
      ? `in none of these: ${formatNumber(failedAnswers.outputTokens)} tokens that ` +
        `${formatNumber(failedAnswers.answers)} failed answers had generated`
      : '',
  ].filter((note) => note !== '')
}

/** Closed loop: whether the rate is that of the target, or only the least that it carries. */
export function limitNote({ client }: Pick<Run, 'client'>): string | undefined {
  const limit = client.throughputLimit
  if (!limit) return undefined
  const { by, ownShare, capacityPerSec } = limit
  const could = capacityPerSec === null ? '' : `, and could send ${rate(capacityPerSec)}/s`
  const busy = `kt was busy ${formatShare(ownShare)} of the time${could}`
  if (by === 'client') return `at least that: kt itself was the limit (${busy}); --workers gives it more threads`
  return by === 'target' ? `the target was the limit: ${busy}` : `the target or kt was the limit: ${busy}`
}

/** Open loop: what the rate would be over the whole time, where the drain is a part of it that matters. */
export function drainNote({ throughput, totals }: Pick<Run, 'throughput' | 'totals'>): string | undefined {
  const { loadS, dueS, durationS } = totals
  if (dueS === undefined || loadS === undefined || durationS <= loadS * 1.05) return undefined
  const overAll = rate((throughput.requestsPerSec * loadS) / durationS)
  return `${overAll} over all ${formatNumber(durationS, 1)} s, drain included`
}

/** Open loop: the requests left on time, and their answers came ever later. */
export function fellBehind({ totals, client }: Pick<Run, 'totals' | 'client'>): boolean {
  const { loadS, dueS } = totals
  return dueS !== undefined && loadS !== undefined && loadS > dueS * 1.05 && (client.achievedToOffered ?? 1) >= 0.95
}
