/** What a bench answers: whether its limits hold, how much the gateway adds, or why neither can be said. */
import type { StopReason } from '../load/limits.ts'
import { runsOf } from '../report/runs.ts'
import type { BenchReport, Gate, Run } from '../report/schema.ts'
import { counted, formatMs, formatNumber } from '../units.ts'
import { type Estimate, estimateAdded } from '../verdict/estimate.ts'
import { OUTCOMES, type Outcome } from '../wire/outcome.ts'
import { type Answer, gateAnswer, type Steps } from './answer.ts'
import { rankingSentence } from './gateways-table.ts'
import { machineLine } from './machine-line.ts'
import { bracketed, estimateSentence } from './sentences.ts'

const ON_A_QUIET_MACHINE = 'The machine was busy, so run it again on a quieter one'

/** `explained`: what --explain shows is there already. */
function stepsOf(report: Run, explained: boolean): Steps {
  const parts = explained ? '' : '--explain shows which part takes it; '
  return {
    pass: '--output r.json keeps the run, to compare a later one with it.',
    fail: `${parts}'kt doctor' looks for the cause.`,
    open: isDisturbed(report) ? `${ON_A_QUIET_MACHINE}.` : explained ? '' : '--explain shows what it rests on.',
  }
}

function isDisturbed(report: Run): boolean {
  return report.client.verdict === 'noisy' || machineLine(report)?.short === true
}

/** `gate`: every check that decides the exit code; null where nothing was asked. */
export function benchAnswer(report: Run, gate: Gate | null, stopped: StopReason | null, explained: boolean): Answer {
  // A condition that ended the run is a check of its own.
  const cut = report.interrupted ? 'Interrupted. ' : ''
  const answer = wholeAnswer(report, gate, stopped, explained)
  return { ...answer, text: cut + answer.text }
}

function wholeAnswer(report: Run, gate: Gate | null, stopped: StopReason | null, explained: boolean): Answer {
  const { totals } = report
  if (totals.successful === 0 || stopped === 'refused') return noAnswer(report, gate)
  if (gate) return gateAnswer(gate, stepsOf(report, explained))
  const failed =
    totals.failed > 0 ? ` ${formatNumber(totals.failed)} of ${counted(totals.sent, 'request')} failed.` : ''
  const estimate = estimateAdded(report)
  if (estimate) {
    const next = failed && !explained ? '--explain tells more.' : afterEstimate(report, estimate, explained)
    return { text: estimateSentence(estimate) + failed, next }
  }
  if (report.role === 'direct') return directAnswer(report, failed)
  return {
    text: `${latencyWords(report)}; what a gateway adds cannot be told.${failed}`,
    next: "Give its provider as --baseline-url, or put 'kt provider start' behind the gateway.",
  }
}

/** The same of several gateways. */
export function gatewaysAnswer(
  report: BenchReport,
  gate: Gate | null,
  stopped: StopReason | null,
  explained: boolean,
): Answer {
  const runs = runsOf(report)
  const [first] = runs
  if (stopped === 'refused' || runs.every(({ totals }) => totals.successful === 0)) return noAnswer(first, gate)
  const cut = report.interrupted ? 'Interrupted. ' : ''
  const steps = stepsOf(first, explained)
  const answer = gate
    ? gateAnswer(gate, { ...steps, fail: "'kt doctor' looks for the cause." })
    : { text: rankingSentence(report), next: isDisturbed(first) ? `${ON_A_QUIET_MACHINE}.` : steps.pass }
  return { ...answer, text: cut + answer.text }
}

const NONE_COUNTED = {
  text: 'Every request was the first of its connection in a block, and these are in no figure.',
  next: 'A longer --duration holds more of them, or say how many: --requests.',
}

/** Nothing was answered: the commonest class of failure, on whichever arm, says why. */
function noAnswer({ totals, baseline, interrupted }: Run, gate: Gate | null): Answer {
  const verdict = gate ? { verdict: gate.verdict } : {}
  const arms = [totals, ...(baseline ? [baseline.totals] : [])]
  const failures = arms.flatMap(({ outcomes }) => Object.entries(outcomes)).filter(([code]) => code !== 'OK')
  const [commonest] = failures.toSorted(([, a], [, b]) => b - a)
  if (!commonest) {
    if (totals.idleFirst && !interrupted) return { ...verdict, ...NONE_COUNTED }
    const text = interrupted ? 'Nothing had been answered by then.' : 'No request was sent.'
    return { ...verdict, text, next: '' }
  }
  const [code, count] = commonest
  const { means, next } = OUTCOMES[code as Outcome]
  const who = totals.failed > 0 && totals.successful === 0 ? 'Every request failed' : 'The other arm failed'
  return { ...verdict, text: `${who}: ${formatNumber(count)} x ${code}, ${means}.`, next }
}

function latencyWords({ latencyMs }: Run): string {
  if (!latencyMs) return 'No latency was measured'
  const { p50, p99, iid95 } = latencyMs
  return `P99 latency is ${formatMs(p99)} ms ${bracketed(iid95.p99)}, P50 ${formatMs(p50)} ms`
}

function directAnswer(report: Run, failed: string): Answer {
  return {
    text: `${latencyWords(report)}, of the provider itself.${failed}`,
    next: 'Give the gateway as --url and this as --baseline-url to see what it adds.',
  }
}

function afterEstimate(report: Run, { p99: { valueMs, ci95Ms } }: Estimate, explained: boolean): string {
  if (isDisturbed(report)) return `${ON_A_QUIET_MACHINE}. --budget 7ms asks for a verdict.`
  const [low, high] = ci95Ms ?? [0, null]
  // Wider than what it is about.
  if (high === null || high - low > valueMs) {
    const { started } = report.conversations?.sessions ?? {}
    return started === undefined
      ? `More requests narrow the interval: --requests ${4 * report.totals.sent}.`
      : `More sessions narrow the interval: --sessions ${4 * started}.`
  }
  return `--budget 7ms asks for a verdict${explained ? '' : '; --explain shows what it rests on'}.`
}
