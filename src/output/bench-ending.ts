/**
 * What is told of a bench beside its figures: how it was sent, what the client and the machine have to say, how it
 * ended, and what a verdict on it rests on. By itself only what a reader must know before believing the figures.
 */
import type { StopReason } from '../load/limits.ts'
import type { Run } from '../report/schema.ts'
import { hang } from '../system/terminal.ts'
import { counted, formatDuration, formatMs, formatNumber } from '../units.ts'
import { clientWord, rateNotReached } from '../verdict/rate.ts'
import { answersLine } from './answers-line.ts'
import { costLine } from './cost-line.ts'
import { fleetLine } from './fleet-line.ts'
import { machineLine } from './machine-line.ts'
import { fidelityLines } from './replay-line.ts'
import { interimAnalysesLine, loopLine, noiseLine } from './sentences.ts'
import { soakLines } from './soak-lines.ts'
import { steadinessLine } from './steadiness-line.ts'
import { type Page, paragraph } from './table.ts'
import { fellBehind } from './throughput-lines.ts'
import { watchLines } from './watch-lines.ts'

const STOPPED: Record<StopReason, string> = {
  interrupted: 'Interrupted: these are the results up to then.',
  'token-budget': 'Stopped: the token budget is spent.',
  'cost-budget': 'Stopped: the cost budget is spent.',
  'sender-lost': 'Ended early, because a worker of the fleet was lost: the figures are those of the others.',
  'abort-on': 'Ended early by --abort-on: the figures are those of a part of the run.',
  refused: 'Stopped after the validating request: every other one would have failed alike. --no-validate sends them.',
  'warm-up-failed':
    'Stopped after the warm-up, of which every request failed. --warmup 0 sends the others all the same.',
  'target-dead': 'Stopped: 1,000 requests had failed and none succeeded.',
}

/** The whole of what was asked: on request. `others`: further gateways of the run. */
export function heading(report: Run, { c, width }: Page, others: readonly Run[] = []): string {
  const { target, load, baseline, pairing } = report
  const gateways = [report, ...others].map(({ name, url, gateway }) => {
    return `${others.length === 0 ? '' : `${name}: `}${url}${gateway ? ` (${gateway})` : ''}`
  })
  const direct = baseline
    ? [
        `${baseline.role === 'direct' ? 'directly, ' : ''}in ` +
          `turns${pairing === 'request' ? ` by ${load.conversations ? 'session' : 'request'}` : ''}: ${baseline.url}`,
      ]
    : []
  const workload = load.workload.name === 'prompt' ? '' : `workload: ${load.workload.name}; `
  const marked =
    load.workload.nonce === false
      ? 'no nonce ends the prompts, so a cache may have answered'
      : 'each prompt ends with a nonce, so that no cache answers'
  const sent = [`${workload}${marked}`]
  const asked = `${target.model}, ${target.endpoint}${target.stream ? ', streamed' : ''}; ${loopLine(report)}`
  return [
    ...hang(`${c.bold('kt bench')}  `, `${asked}; seed ${load.seed}`, width),
    ...[...gateways, ...direct, ...sent].flatMap((line) => hang(' '.repeat(10), c.dim(line), width)),
  ].join('\n')
}

/** The run as a whole takes longer than what is measured: JIT warm-up, warm-up, the other arm, the floor. */
export function tookNote({ totals, tookS = 0 }: Run): string {
  return tookS > totals.durationS * 1.05 + 0.1 ? `measured of ${formatDuration(tookS * 1_000)}` : ''
}

export function connectionsNote({ totals, load, baseline }: Run): string {
  const { connections, warmup, idleFirst } = totals
  const warm = load.warmup > 0 || load.warmupS ? `; ${counted(warmup.sent, 'warm-up request')} excluded` : ''
  const theirs = baseline ? ` (the other arm ${formatNumber(baseline.totals.connections.opened)})` : ''
  const opened =
    `${counted(connections.opened, 'connection')} opened${theirs}, ` +
    `${counted(connections.reused, 'request')} on an open one`
  return opened + warm + idleFirstNote(idleFirst)
}

/** The first request of each connection in a block is excluded: its connection was idle while the other arm ran. */
function idleFirstNote(idleFirst: Run['totals']['idleFirst']): string {
  if (!idleFirst) return ''
  const failed = idleFirst.failed > 0 ? ` (${formatNumber(idleFirst.failed)} of them failed)` : ''
  return `; ${formatNumber(idleFirst.sent)} excluded as the first of a connection in a block${failed}`
}

function cutOffNote({ cutOff = 0 }: Run['totals']): string {
  return cutOff === 0 ? '' : ` ${counted(cutOff, 'request was', 'requests were')} cut off, and counted nowhere.`
}

/** What the client says of itself, and how the run ended. */
export function ending(report: Run, stopped: StopReason | null, judged: boolean, page: Page): string {
  const { c, explain } = page
  const { client, load, totals } = report
  const told = totals.successful > 0 && stopped !== 'refused' && stopped !== 'warm-up-failed'
  const [machine, answers] = [machineLine(report), answersLine(report)]
  const lines: string[] = []
  // Without a verdict the answer itself says that the machine was busy.
  const unremarkable = judged ? ['ok'] : ['ok', 'noisy']
  if (told && (explain || !unremarkable.includes(clientWord(client)))) lines.push(clientLine(report, page))
  if (told && machine && (explain || (judged && machine.short))) {
    lines.push(namedLine('Machine', explain ? machine.text : machine.state, machine.short, page))
  }
  if (told && answers && (explain || answers.warn)) lines.push(namedLine('Answers', answers.text, answers.warn, page))
  for (const { text, warn } of told ? fidelityLines(report, explain) : []) {
    lines.push(namedLine('Replay', text, warn, page))
  }
  const cost = costLine(report)
  if (cost !== undefined) lines.push(namedLine('Cost', cost, false, page))
  for (const { name, text, warn } of [...watchLines(report), ...soakLines(report)]) {
    if (explain || warn) lines.push(namedLine(name, text, warn, page))
  }
  const fleet = fleetLine(report)
  if (fleet && (explain || fleet.warn)) lines.push(namedLine('Fleet', fleet.text, fleet.warn, page))
  const steady = told ? steadinessLine(report) : undefined
  if (steady !== undefined) lines.push(namedLine('Steady', steady, true, page))
  if (stopped) lines.push(c.yellow(paragraph(STOPPED[stopped] + cutOffNote(totals), page)))
  if (fellBehind(report)) {
    lines.push(
      c.yellow(paragraph('The answers fell behind the requested rate: each came later than the one before.', page)),
    )
  }
  if (load.mode === 'open' && rateNotReached(client) && !totals.toldWaits?.heldBack) {
    const text =
      'The requested rate was not reached: requests waited for a free connection, and their wait is in the latency.'
    lines.push(c.yellow(paragraph(text, page)))
  }
  return lines.join('\n')
}

function namedLine(name: string, text: string, warn: boolean, { c, width }: Page): string {
  return hang(`${c.bold(name)}  `, warn ? c.yellow(text) : text, width).join('\n')
}

function clientLine({ client }: Run, page: Page): string {
  const { c, explain, width } = page
  const word = clientWord(client)
  const lag = client.sendLagMs
  const late = lag ? `; send lag ${formatMs(lag.p50)} ms at P50, ${formatMs(lag.p99)} at P99` : ''
  const reached =
    client.achievedToOffered === null || client.why.includes(rateNotReached(client) ?? '')
      ? ''
      : `; ${formatNumber(client.achievedToOffered * 100, 1)} % of the requested rate`
  const why = client.why.map((reason) => `; ${reason}`).join('')
  const rest = why + (explain ? late + reached + floorNote(client.floorMs) : '')
  return hang(`${c.bold('Client')}  `, `${word === 'ok' ? c.green(word) : c.yellow(word)}${rest}`, width).join('\n')
}

/** The measurement floor of a run without a direct arm. A direct arm has a row in the table of the overhead. */
function floorNote(floor: Run['client']['floorMs']): string {
  if (floor?.source !== 'null-upstream') return ''
  const [p50, p99, count] = [formatMs(floor.p50), formatMs(floor.p99), formatNumber(floor.count ?? 0)]
  return `; measurement floor, at a null upstream: P50 ${p50} ms, P99 ${p99}, n=${count}`
}

/** What every verdict rests on: the noise of the rig, and after how many blocks it was judged. */
export function verdictBasis({ noise, interimAnalyses }: Run, page: Page): string {
  const analyses = interimAnalyses ? [interimAnalysesLine(interimAnalyses)] : []
  return [noiseLine(noise), ...analyses].map((line) => paragraph(line, page)).join('\n')
}
