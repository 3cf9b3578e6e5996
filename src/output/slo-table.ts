/** A run judged by the SLO objectives of its categories: as text in 80 columns, and as Markdown. */
import type { ChalkInstance } from 'chalk'
import type { SloResult } from '../report/schema.ts'
import { counted, formatDuration, formatMs, formatNumber, formatShare } from '../units.ts'
import type { SloJudgement } from '../verdict/slo-file.ts'
import { cell, code, gateMarkdown, table } from './markdown.ts'
import { gateLines, noiseLine, verdictWord } from './sentences.ts'
import { columns, paint, wrapHanging } from './table.ts'

const FOUND = {
  name: '',
  match: 'found by endpoint and prompt tokens',
  request: 'by category of each request: endpoint, prompt tokens, headers',
}

export function renderSlo(judged: SloJudgement, color: boolean): string {
  const c = paint(color)
  const { file, categoryBy, slo } = judged
  const names = slo.map(({ category }) => category).join(', ')
  const found = FOUND[categoryBy] === '' ? '' : `, ${FOUND[categoryBy]}`
  const head = wrapHanging(`kt slo check  ${names}${found}`, '', 15).replace('kt slo check', c.bold('kt slo check'))
  const noise = c.dim(wrapHanging(noiseLine(judged.noise ?? undefined), ''))
  return [`${head}\n${c.dim(`  ${file}; ${countOf(judged)}`)}`, sloSection(slo, judged.uncategorised, c), noise].join(
    '\n\n',
  )
}

/** '87 of 800 requests', where not all are judged. */
function countOf({ requests, slo }: SloJudgement): string {
  const judged = slo.reduce((total, result) => total + result.requests, 0)
  return `${judged === requests ? '' : `${formatNumber(judged)} of `}${counted(requests, 'request')}`
}

/** A row for each category, then its checks. It is also a section of the output of a bench. */
export function sloSection(slo: readonly SloResult[], uncategorised: number, c: ChalkInstance): string {
  const [only, ...others] = slo
  if (!only) return c.yellow('SLO: no request belongs to a category')
  if (others.length === 0 && uncategorised === 0) {
    return `${c.bold(`SLO ${only.category}`)}\n${columns(figures(only))}\n\n${gateLines(only, c)}`
  }
  const rest =
    uncategorised === 0 ? '' : `\n${c.dim(`  ${counted(uncategorised, 'request')} without a category: not judged`)}`
  const shades = { pass: c.green, fail: c.red, inconclusive: c.yellow }
  const rows = slo.map((result) => [...sloRow(result), shades[result.verdict](verdictWord(result.verdict))])
  return [
    `${c.bold('SLO by category')}\n${columns([[...HEAD, ''].map((name) => c.dim(name)), ...rows])}${rest}`,
    ...slo.map(
      (result) =>
        `${c.bold(result.category)}\n${c.dim(wrapHanging(objectives(result), '  '))}\n${gateLines(result, c)}`,
    ),
  ].join('\n\n')
}

export function renderSloMarkdown(judged: SloJudgement): string {
  const { file, slo, uncategorised } = judged
  const rest = uncategorised === 0 ? '' : `, ${formatNumber(uncategorised)} without a category`
  return `${[
    `## kt slo check: ${slo.map(({ category }) => cell(category)).join(', ')}`,
    `${code(file)}, ${countOf(judged)}${rest}. ${cell(noiseLine(judged.noise ?? undefined))}`,
    sloMarkdown(slo),
    ...slo.map((result) => `**${cell(result.category)}**: ${objectives(result)}\n\n${gateMarkdown(result)}`),
  ].join('\n\n')}\n`
}

/** A row for each category. */
export function sloMarkdown(slo: readonly SloResult[]): string {
  return table(
    [...HEAD, 'verdict'],
    slo.map((result) => [...sloRow(result), verdictWord(result.verdict)]),
  )
}

const HEAD = ['category', 'requests', 'P50', 'P99', 'TTFT P99', 'goodput', 'burn']

function sloRow({ category, requests, measuredMs, goodput, errorBudget }: SloResult): string[] {
  const { p50, p99, ttftP99 } = measuredMs
  return [
    category,
    formatNumber(requests),
    ...[p50, p99, ttftP99].map((ms) => (ms === null ? '-' : formatMs(ms))),
    goodput ? `${goodput.exact ? '' : '>= '}${formatShare(goodput.share)}` : '-',
    errorBudget ? `${formatNumber(errorBudget.burn, 2)}x` : '-',
  ]
}

/** 'P50 < 300 ms, P99 < 2 s, timeout 30 s'. */
function objectives({ targetsMs, errorBudget }: SloResult): string {
  const { timeout } = targetsMs
  const objective = errorBudget ? [`${formatShare(errorBudget.objective)} within all`] : []
  const limits = targets(targetsMs).map(([name, limit]) => `${name} ${limit}`)
  return [...limits, `timeout ${formatDuration(timeout)}`, ...objective].join(', ')
}

function targets({ p50, p99, ttftP50, ttftP99 }: SloResult['targetsMs']): string[][] {
  const target = (name: string, ms: number | null): string[][] =>
    ms === null ? [] : [[name, `< ${formatDuration(ms)}`]]
  return [
    ...target('Latency P50', p50),
    ...target('Latency P99', p99),
    ...target('TTFT P50', ttftP50),
    ...target('TTFT P99', ttftP99),
  ]
}

function figures({ targetsMs, goodput, errorBudget }: SloResult): string[][] {
  return [
    ...targets(targetsMs),
    ['Timeout', formatDuration(targetsMs.timeout)],
    ['Goodput', goodput ? `${goodput.exact ? '' : 'at least '}${formatShare(goodput.share)}` : 'unknown'],
    ...(errorBudget ? budgetRows(errorBudget) : []),
  ]
}

function budgetRows({ bad, allowed, objective, burn }: NonNullable<SloResult['errorBudget']>): string[][] {
  return [
    ['Error budget', `${formatNumber(bad)} bad, ${formatNumber(allowed)} allowed at ${formatShare(objective)}`],
    ['Burn', `${formatNumber(burn, 2)}x`],
  ]
}

/** Properties that JUnit shows beside the verdicts. */
export function sloProperties({ file, slo, noise }: SloJudgement): Record<string, string> {
  return {
    report: file,
    category: slo.map(({ category }) => category).join(', '),
    noise: noiseLine(noise ?? undefined),
  }
}
