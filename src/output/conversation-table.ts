/** What conversations came to: a line about the sessions, and a table of the requests by turn. */
import type { Run } from '../report/schema.ts'
import { counted, formatDuration, formatMs, formatNumber } from '../units.ts'
import { columns, type Page, paragraph } from './table.ts'

/** More rows than that are shown on request. */
const MOST_ROWS = 8

type Conversations = NonNullable<Run['conversations']>

/** Each of them where some turn has it. */
const COLUMNS = [
  ['TTFT', 'ttftMs'],
  ['Latency', 'latencyMs'],
  ['Overhead', 'overheadMs'],
] as const

/** '' where requests belong to no conversation. */
export function conversationSection({ conversations, load }: Run, page: Page): string {
  if (!conversations) return ''
  const { c, explain, width } = page
  const { turns } = conversations
  const shown = explain || turns.length <= MOST_ROWS ? turns : [...turns.slice(0, MOST_ROWS - 1), ...turns.slice(-1)]
  const durations = COLUMNS.filter(([, of]) => shown.some((turn) => turn[of]))
  const rows = shown.map((turn) => {
    const cells = durations.flatMap(([, of]) => [turn[of]?.p50, turn[of]?.p99])
    return [`  ${turn.turn}:`, formatNumber(turn.sent), ...cells.map((ms) => (ms === undefined ? '-' : formatMs(ms)))]
  })
  const heads = ['Requests', ...durations.flatMap(([name]) => [`${name} P50`, 'P99'])]
  const hidden = turns.length - shown.length
  return [
    columns([[c.bold('By turn (ms):'), ...heads], ...rows], { width, indent: 0 }),
    ...(hidden > 0 ? [c.dim(`  ${counted(hidden, 'more turn')}: --explain shows them.`)] : []),
    paragraph(sessionsSentence(conversations, load.conversations), page, '  '),
  ].join('\n')
}

export function sessionsSentence({ sessions, turns }: Conversations, asked: Run['load']['conversations']): string {
  const { started, finished, failed, unfinished, durationMs } = sessions
  const took = durationMs
    ? `, in ${formatDuration(durationMs.p50)} at P50 and ${formatDuration(durationMs.p99)} at P99`
    : ''
  const at = turns.flatMap((turn) => (turn.failed > 0 ? [`${formatNumber(turn.failed)} at turn ${turn.turn}`] : []))
  const rest = [
    ...(failed > 0 ? [`${formatNumber(failed)} failed (${at.join(', ')})`] : []),
    ...(unfinished > 0 ? [`${formatNumber(unfinished)} were unfinished at the end of the run`] : []),
  ]
  const turnsEach = asked ? ` of ${formatNumber(asked.meanTurns, asked.meanTurns % 1 === 0 ? 0 : 1)} turns` : ''
  const begun = `${counted(started, 'session')}${turnsEach}: ${formatNumber(finished)} finished${took}`
  return `${[begun, ...rest].join('; ')}.`
}
