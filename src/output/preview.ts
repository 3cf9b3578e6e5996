/** What `kt bench --dry-run` and `kt bench --show-request` print. */
import { stringify } from 'yaml'
import type { DryRun, Exchange } from '../report/preview.ts'
import { counted, formatCount, formatDuration, formatMs, formatNumber, formatUsd } from '../units.ts'
import { indent, type Page } from './table.ts'

/** A body is cut off here; --json has the whole of it. */
const MOST_BODY = 4_000

export function renderDryRun({ options, arms, run, levels, request, sends }: DryRun, { c }: Page): string {
  const set = Object.entries(options).filter(([, value]) => value !== false && !isEmptyList(value))
  const several = arms.length > 1 ? ' on each arm' : ''
  return [
    c.bold('Options that are set'),
    ...indent(stringify(Object.fromEntries(set)).trimEnd().split('\n'), 2),
    '',
    ...(levels ? [...levelLines(levels, c), ''] : []),
    c.bold(levels ? 'The run of the first level, with all defaults' : 'The run that they come to, with all defaults'),
    ...indent(stringify(withoutUndefined(run)).trimEnd().split('\n'), 2),
    '',
    c.bold(`The first request${several}`),
    ...indent(
      arms.map(({ name, url }) => `${name}: ${url}`),
      2,
    ),
    '',
    ...messageLines(request),
    '',
    c.bold('What the run would send'),
    ...indent(costLines(sends, levels ? ', over all levels' : several), 2),
    '',
    'Nothing was sent.',
  ].join('\n')
}

export function renderExchange({ url, request, answer, error, firstByteMs, totalMs }: Exchange, { c }: Page): string {
  const first = firstByteMs === null ? '' : `first byte of the body after ${formatMs(firstByteMs)} ms, `
  return [
    c.bold(`Request to ${url}`),
    '',
    ...messageLines(request),
    '',
    ...(answer
      ? [c.bold('Answer'), '', ...messageLines({ head: [String(answer.status), ...answer.head], body: answer.body })]
      : []),
    ...(error === null ? [] : [c.red(`${answer ? 'The answer broke off' : 'No answer'}: ${error}`)]),
    '',
    c.dim(`${first}${formatMs(totalMs)} ms in all. One request was sent, and nothing measured.`),
  ].join('\n')
}

function levelLines({ mode, levels, stepS, curves }: NonNullable<DryRun['levels']>, c: Page['c']): string[] {
  const each = curves > 1 ? `, ${counted(curves, 'time')}: once for each number of gateway processes` : ''
  const lasts = formatDuration(levels.length * curves * stepS * 1_000)
  return [
    c.bold('The levels'),
    ...indent(
      [
        `${levels.join(', ')} ${mode === 'open' ? 'requests/s' : 'in flight'}${each}`,
        `${formatDuration(stepS * 1_000)} each, ${lasts} in all, with a warm-up before each`,
      ],
      2,
    ),
  ]
}

function costLines(
  { requests, warmup, inputTokens, outputTokens, tokens, usd, priceFrom }: DryRun['sends'],
  each: string,
) {
  return [
    requests === null
      ? `as many requests as fit in the time${each}`
      : `${counted(requests, 'request')}${each}, ${formatNumber(warmup)} of them warm-up`,
    `about ${formatNumber(inputTokens)} input and up to ${formatNumber(outputTokens)} output tokens each`,
    ...(tokens === null ? [] : [`about ${formatCount(tokens)} tokens in all`]),
    ...(usd === null ? [] : [`up to about ${formatUsd(usd)} (${priceFrom})`]),
  ]
}

function messageLines({ head, body }: { head: readonly string[]; body: string }): string[] {
  const cut = body.length > MOST_BODY ? [`… ${formatNumber(body.length - MOST_BODY)} more characters (--json)`] : []
  return indent([...head, '', ...body.slice(0, MOST_BODY).split('\n'), ...cut], 2)
}

function withoutUndefined(run: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(run).filter(([, value]) => value !== undefined))
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
