/** The end of a bench's table: what the client and the machine have to say, and how the run ended. */
import type { ChalkInstance } from 'chalk'
import type { StopReason } from '../load/limits.ts'
import type { Run } from '../report/schema.ts'
import { counted, formatMs, formatNumber } from '../units.ts'
import { clientWord, rateNotReached } from '../verdict/rate.ts'
import { answersLine } from './answers-line.ts'
import { machineLine } from './machine-line.ts'
import { wrapHanging } from './table.ts'
import { fellBehind } from './throughput-lines.ts'

const STOPPED: Record<StopReason, string> = {
  interrupted: 'Interrupted: these are the results up to then.',
  'token-budget': 'Stopped: the token budget is spent.',
  'abort-on': 'Ended early by --abort-on: the figures are those of a part of the run.',
  refused: 'Stopped after the validating request: every other one would have failed alike. --no-validate sends them.',
  'target-dead': 'Stopped: 1,000 requests had failed and none succeeded.',
}

function cutOffNote({ cutOff = 0 }: Run['totals']): string {
  return cutOff === 0 ? '' : ` ${counted(cutOff, 'request was', 'requests were')} cut off, and counted nowhere.`
}

/** What the client says of itself, and how the run ended. */
export function ending(report: Run, stopped: StopReason | null, c: ChalkInstance): string {
  const { client, load, totals } = report
  const told = totals.successful > 0 && stopped !== 'refused'
  const [machine, answers] = [machineLine(report), answersLine(report)]
  const lines = told ? [clientLine(report, c)] : []
  if (told && machine) lines.push(namedLine('Machine', machine.text, machine.short, c))
  if (told && answers) lines.push(namedLine('Answers', answers.text, answers.warn, c))
  if (stopped) lines.push(c.yellow(wrapHanging(STOPPED[stopped] + cutOffNote(totals), '')))
  if (fellBehind(report)) {
    lines.push(c.yellow('The answers fell behind the requested rate: each came later than the one before.'))
  }
  if (load.mode === 'open' && rateNotReached(client) && !totals.toldWaits?.heldBack) {
    lines.push(
      c.yellow(
        'The requested rate was not reached: requests waited for a free connection, and their wait is in the latency.',
      ),
    )
  }
  return lines.join('\n')
}

function namedLine(name: string, text: string, warn: boolean, c: ChalkInstance): string {
  const [head = '', ...rest] = wrapHanging(`${name}  ${text}`, '').split('\n')
  const shown = head.slice(`${name}  `.length)
  return [`${c.bold(name)}  ${warn ? c.yellow(shown) : shown}`, ...rest].join('\n')
}

function clientLine({ client }: Run, c: ChalkInstance): string {
  const word = clientWord(client)
  const lag = client.sendLagMs
  const late = lag ? `; send lag ${formatMs(lag.p50)} ms at P50, ${formatMs(lag.p99)} at P99` : ''
  const reached =
    client.achievedToOffered === null || client.why.includes(rateNotReached(client) ?? '')
      ? ''
      : `; ${formatNumber(client.achievedToOffered * 100, 1)} % of the requested rate`
  const verdict = word === 'ok' ? c.green(word) : c.yellow(word)
  const line = wrapHanging(`Client  ${word}${late}${reached}${floorNote(client.floorMs)}`, '').replace(
    `Client  ${word}`,
    `${c.bold('Client')}  ${verdict}`,
  )
  return `${line}${client.why.map((why) => `\n${wrapHanging(why, '  ')}`).join('')}`
}

/** The measurement floor of a run without a direct arm. A direct arm has a row in the table of the overhead. */
function floorNote(floor: Run['client']['floorMs']): string {
  if (floor?.source !== 'null-upstream') return ''
  const [p50, p99, count] = [formatMs(floor.p50), formatMs(floor.p99), formatNumber(floor.count ?? 0)]
  return `; measurement floor, at a null upstream: P50 ${p50} ms, P99 ${p99}, n=${count}`
}
