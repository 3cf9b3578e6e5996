/** A run judged by the SLO objectives of its categories: as text, and as Markdown. */
import type { SloResult } from '../report/schema.ts'
import { hang } from '../system/terminal.ts'
import { counted, formatDuration, formatNumber, formatShare } from '../units.ts'
import { type SloJudgement, sloGate } from '../verdict/slo-file.ts'
import { answered, gateAnswer } from './answer.ts'
import { numberFormat } from './column.ts'
import { cell, code, gateMarkdown, table } from './markdown.ts'
import { gateLines, noiseLine, verdictWord } from './sentences.ts'
import { columns, type Page, paragraph } from './table.ts'

const FOUND = {
  name: '',
  match: 'found by endpoint and prompt tokens',
  request: 'by category of each request: endpoint, prompt tokens, headers',
}

export function renderSlo(judged: SloJudgement, page: Page): string {
  const { c, width } = page
  const { file, categoryBy, slo } = judged
  const names = slo.map(({ category }) => category).join(', ')
  const found = FOUND[categoryBy] === '' ? '' : `, ${FOUND[categoryBy]}`
  const head = [
    ...hang(`${c.bold('kt slo check')}  `, names + found, width),
    c.dim(paragraph(`${file}; ${countOf(judged)}`, page, '  ')),
  ].join('\n')
  const noise = c.dim(paragraph(noiseLine(judged.noise ?? undefined), page))
  const parts = [head, sloSection(slo, judged.uncategorised, page, true), page.explain ? noise : '']
  return answered(gateAnswer(sloGate(slo), STEPS), parts, page)
}

const STEPS = {
  pass: '',
  fail: "'kt bench --explain' with the same flags shows where the time goes.",
  open: '',
}

/** '87 of 800 requests', where not all are judged. */
function countOf({ requests, slo }: SloJudgement): string {
  const judged = slo.reduce((total, result) => total + result.requests, 0)
  return `${judged === requests ? '' : `${formatNumber(judged)} of `}${counted(requests, 'request')}`
}

/**
 * The checks of one category, with its figures where these stand nowhere else; or a row for each category, and its
 * checks on request. It is also a section of the output of a bench.
 */
export function sloSection(
  slo: readonly SloResult[],
  uncategorised: number,
  page: Page,
  withFigures = page.explain,
): string {
  const { c, width } = page
  const [only, ...others] = slo
  if (!only) return c.yellow('SLO: no request belongs to a category')
  if (others.length === 0 && uncategorised === 0) {
    const own = withFigures ? `${columns(figures(only), { width })}\n\n` : ''
    return `${c.bold(`SLO ${only.category}`)}\n${own}${gateLines(only, page)}`
  }
  const rest =
    uncategorised === 0 ? '' : `\n${c.dim(`  ${counted(uncategorised, 'request')} without a category: not judged`)}`
  const shades = { pass: c.green, fail: c.red, inconclusive: c.yellow }
  const rows = sloRows(slo).map((row, i) => {
    const verdict = slo[i]?.verdict ?? 'inconclusive'
    return [...row, shades[verdict](verdictWord(verdict))]
  })
  const table = columns([[...HEAD, ''].map((name) => c.dim(name)), ...rows], { width, spare: [2, 6, 4] })
  return [
    `${c.bold('SLO by category')}\n${table}${rest}`,
    ...(page.explain ? slo : []).map((result) => {
      const asked = c.dim(paragraph(objectives(result), page, '  '))
      return `${c.bold(result.category)}\n${asked}\n${gateLines(result, page)}`
    }),
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
    sloRows(slo).map((row, i) => [...row, verdictWord(slo[i]?.verdict ?? 'inconclusive')]),
  )
}

const HEAD = ['category', 'requests', 'P50 (ms)', 'P99 (ms)', 'TTFT P99', 'goodput', 'burn']

function sloRows(slo: readonly SloResult[]): string[][] {
  const [p50, p99, ttft] = (['p50', 'p99', 'ttftP99'] as const).map((name) => {
    return slo.map(({ measuredMs }) => measuredMs[name])
  })
  const times = [p50, p99, ttft].map((values = []) => values.map(numberFormat(values)))
  return slo.map(({ category, requests, goodput, errorBudget }, i) => [
    category,
    formatNumber(requests),
    ...times.map((cells) => cells[i] ?? '-'),
    goodput ? `${goodput.exact ? '' : '>= '}${formatShare(goodput.share)}` : '-',
    errorBudget ? `${formatNumber(errorBudget.burn, 2)}x` : '-',
  ])
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
