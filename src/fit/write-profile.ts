/** A fitted profile as the YAML that `kt provider start --profile` reads, with what it rests on as comments. */
import { basename } from 'node:path'
import { stringify } from 'yaml'
import { counted } from '../units.ts'
import type { FittedDelay } from './fit-delay.ts'
import type { ProviderFit } from './fit-provider.ts'

export function writeProfile(fit: ProviderFit): string {
  const { sources, answers, ttft, tokenGap, tokens, tokensPerEvent, eventsPerWrite, faults, retryAfterMs } = fit
  const { min, max } = tokensPerEvent
  const names = sources.map((path) => basename(path)).join(', ')
  const comments = [
    `Fitted by 'kt provider fit' to ${counted(answers, 'answer')} of ${names}.`,
    ...fit.warnings.map((warning) => `Note: ${warning}.`),
  ]
  const shares = Object.fromEntries(
    Object.entries(faults).map(([name, share]) => [name, `${Number((share * 100).toPrecision(4))}%`]),
  )
  const retryAfter = retryAfterMs === null ? {} : { retry_after: `${Math.round(retryAfterMs)}ms` }
  const yaml = stringify(
    {
      about: `fitted to ${counted(answers, 'recorded answer')}`,
      ttft: ttft.delay,
      token_gap: tokenGap.delay,
      answer: { tokens },
      stream: {
        tokens_per_event: min === max ? min : `${min}-${max}`,
        ...(eventsPerWrite > 1 ? { events_per_write: eventsPerWrite } : {}),
      },
      ...(Object.keys(shares).length > 0 ? { faults: { ...shares, ...retryAfter } } : {}),
    },
    { lineWidth: 0 },
  )
  const notes = { ttft: noteOf(ttft), token_gap: noteOf(tokenGap) }
  const lines = yaml.split('\n').map((line) => {
    const note = /^(ttft|token_gap):/.exec(line)?.[1]
    return note === 'ttft' || note === 'token_gap' ? `${line} # ${notes[note]}` : line
  })
  return [...comments.map((line) => `# ${line}`), ...lines].join('\n')
}

function noteOf({ samples, delay, ksDistance, p }: FittedDelay): string {
  const distance = ksDistance === null ? '' : `, KS distance ${ksDistance.toFixed(3)}`
  // It is about the log-normal.
  const probability = p === null || !delay.startsWith('lognormal') ? '' : ` (p ${p.toFixed(3)})`
  return `${counted(samples, 'value')}${distance}${probability}`
}
