/** A fitted provider profile as text: its delays with the quality of their fit, its shape and its faults. */
import type { FittedDelay } from '../fit/fit-delay.ts'
import type { ProviderFit } from '../fit/fit-provider.ts'
import { hang } from '../system/terminal.ts'
import { counted, formatMs, formatShare } from '../units.ts'
import { columns, type Page, paragraph } from './table.ts'

export function renderFit(fit: ProviderFit, page: Page): string {
  const { c, width } = page
  const { answers, refused, sources, ttft, tokenGap } = fit
  const left = refused > 0 ? `, ${counted(refused, 'refused request')} left out` : ''
  const parts = [
    hang(`${c.bold('kt provider fit')}  `, `${counted(answers, 'answer')} of ${sources.join(', ')}${left}`, width).join(
      '\n',
    ),
    columns(
      [
        ['', 'as', 'values', 'KS distance', 'p'],
        delayRow('time to first token', ttft),
        delayRow('gap between tokens', tokenGap),
      ],
      { width, align: ['left', 'left'], spare: [4, 2] },
    ),
    ...quantileTables(fit, page),
    paragraph(shapeOf(fit), page, '  '),
    ...fit.warnings.map((warning) => hang('  ', `${c.yellow('note')}  ${warning}.`, width).join('\n')),
  ]
  return parts.join('\n\n')
}

function delayRow(name: string, { delay, samples, ksDistance, p }: FittedDelay): string[] {
  const [kind = ''] = delay.split('(', 1)
  const shown = kind === 'quantiles' ? 'quantiles' : delay
  // It is about the log-normal.
  const probability = p === null || kind !== 'lognormal' ? '-' : p.toFixed(3)
  return [name, shown, String(samples), ksDistance?.toFixed(3) ?? '-', probability]
}

function quantileTables({ ttft, tokenGap }: ProviderFit, { width }: Page): string[] {
  const rows = (name: string, { quantiles }: FittedDelay): string[][] =>
    quantiles.map(({ percentile, observedMs, lowerMs, upperMs, fittedMs }) => [
      `${name} P${percentile}`,
      formatMs(observedMs),
      `[${lowerMs === null ? '0' : formatMs(lowerMs)}, ${upperMs === null ? 'inf' : formatMs(upperMs)}]`,
      formatMs(fittedMs),
    ])
  const all = [...rows('first token', ttft), ...rows('gap', tokenGap)]
  return all.length === 0 ? [] : [columns([['ms', 'recorded', '95 %', 'fitted'], ...all], { width })]
}

function shapeOf({ tokens, tokensPerEvent: { min, max }, eventsPerWrite, faults, retryAfterMs }: ProviderFit): string {
  const perEvent = min === max ? counted(min, 'token') : `${min} to ${max} tokens`
  const shares = Object.entries(faults).map(([name, share]) => `${name} ${formatShare(share)}`)
  const wait = retryAfterMs === null ? '' : `, retry after ${formatMs(retryAfterMs)} ms`
  return (
    `${counted(tokens, 'token')} an answer, ${perEvent} an event, ${counted(eventsPerWrite, 'event')} a write; ` +
    (shares.length > 0 ? `faults: ${shares.join(', ')}${wait}.` : 'no faults.')
  )
}
